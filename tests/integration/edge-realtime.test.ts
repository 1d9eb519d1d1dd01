import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenaiRealtime } from '../../edge/adapters/openai-realtime.ts';
import type { SessionLimits } from '../../edge/realtime-limits.ts';
import type { RealtimeNotice } from '../../edge/realtime-line.ts';
import { RealtimeSession } from '../../edge/realtime-session.ts';
import { transcriptionSettings } from '../../edge/realtime-settings.ts';
import { Heard } from '../fakes/heard.ts';
import { speech } from '../fakes/realtime-session.ts';
import type { Turn } from '../fakes/realtime-session.ts';
import { startFakeRealtime } from '../fakes/realtime-server.ts';
import type { FakeRealtime } from '../fakes/realtime-server.ts';
import { until } from '../fakes/until.ts';

const KEY = 'sk-test-abcdefghijklmnopqrstuvwxyz';
const FRAME = 320;

let server: FakeRealtime;
let heard: Heard;
let notices: RealtimeNotice[];
const open: RealtimeSession[] = [];

beforeEach(async () => {
  server = await startFakeRealtime();
  heard = new Heard();
  notices = [];
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
  await server.close();
  // Whatever was broken on purpose: the protocol was kept, and every utterance ended once.
  expect(server.complaints).toEqual([]);
  expect(heard.faults).toEqual([]);
});

const connect = (limits: Partial<SessionLimits> = {}, pingMs = 15_000): RealtimeSession => {
  const session = new RealtimeSession({
    connect: createOpenaiRealtime({
      url: server.url,
      apiKey: KEY,
      session: { mode: 'transcribe' },
      handshakeTimeoutMs: 300,
      pingMs,
    }),
    settings: transcriptionSettings({ transcriptionModel: 'gpt-live-transcribe', turns: 'local' }),
    events: heard,
    limits: { firstBackoffMs: 20, ...limits },
    notice: (notice) => void notices.push(notice),
  });
  open.push(session);
  session.start();
  return session;
};

const ready = async (limits: Partial<SessionLimits> = {}): Promise<RealtimeSession> => {
  const session = connect(limits);
  await heard.reached('open');
  return session;
};

const feed = (session: RealtimeSession, samples: Int16Array): void => {
  for (let at = 0; at < samples.length; at += FRAME) session.append(samples.subarray(at, at + FRAME));
};

/** Says a number, frame by frame. */
const say = (session: RealtimeSession, n: number, ms = 400, id = `u${n}`): void => {
  session.begin(heard.utterance(id));
  feed(session, speech(n, ms));
  session.end();
};

const told = (kind: RealtimeNotice['kind']): number => notices.filter((notice) => notice.kind === kind).length;

describe('a session that writes down', () => {
  it('sends what the protocol wants, in order, and gives one final', async () => {
    const session = await ready();
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(heard.partials.map(({ text }) => text)).toEqual(['number', 'number 1']);
    expect(heard.firsts).toEqual(['u1']);
    expect(server.handshakes[0]).toMatchObject({ path: '/v1/realtime', query: { intent: 'transcription' } });
    expect(server.handshakes[0]?.query).not.toHaveProperty('model');
    expect(server.handshakes[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(server.last.settings).toEqual({
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-live-transcribe' },
          turn_detection: null,
        },
      },
    });
    const types = server.last.types();
    expect(types[0]).toBe('session.update');
    expect(types.at(-1)).toBe('input_audio_buffer.commit');
    expect(new Set(types.slice(1, -1))).toEqual(new Set(['input_audio_buffer.append']));
    // Each frame at once, and the resampler's tail: nothing waits for the end.
    expect(types.length).toBe(1 + 20 + 1 + 1);
  });

  it('pads an utterance that is too short for a commit', async () => {
    const session = await ready();
    session.begin(heard.utterance('u1'));
    session.append(speech(1, 20));
    session.end();
    await heard.settled();
    expect(server.turns[0]?.ms).toBeCloseTo(100, 5);
  });

  it('pads one without any sound as well, also behind a long one', async () => {
    const session = await ready();
    say(session, 1);
    session.begin(heard.utterance('u2'));
    session.end();
    await heard.settled();
    expect(server.turns.map(({ ms }) => ms >= 100)).toEqual([true, true]);
    expect(heard.outcomes.map(({ id, lost }) => [id, lost])).toEqual([
      ['u1', null],
      ['u2', null],
    ]);
  });

  it('hands on text while the person still speaks', async () => {
    const session = await ready();
    server.onAppend = (at) => {
      if (at.buffer.length === 5) at.early('numb');
    };
    session.begin(heard.utterance('u1'));
    feed(session, speech(1, 400));
    await until(() => heard.partials[0]);
    expect(heard.partials).toEqual([{ id: 'u1', text: 'numb' }]);
    server.onCommit = (turn) => {
      turn.confirm();
      turn.delta('er 1');
      turn.complete();
    };
    session.end();
    await heard.settled();
    expect(heard.partials.at(-1)).toEqual({ id: 'u1', text: 'number 1' });
  });

  it('takes back what was no speech', async () => {
    const session = await ready();
    session.begin(heard.utterance('noise'));
    feed(session, speech(9, 100));
    session.discard();
    heard.discarded('noise');
    say(session, 1);
    await heard.settled();
    expect(server.last.types()).toContain('input_audio_buffer.clear');
    expect(server.turns.map((turn) => turn.heard)).toEqual(['number 1']);
    expect(server.turns[0]?.ms).toBeLessThan(450);
  });

  it('gives an empty final where nothing was understood', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete('');
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: '' });
  });

  it('keeps what is said before the line is open', async () => {
    const session = connect();
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
    expect(server.turns.map((turn) => Math.round(turn.ms / 10))).toEqual([40, 40]);
  });
});

describe('the service misbehaves', () => {
  it('mixes up the order of its answers', async () => {
    const session = await ready();
    const turns: Turn[] = [];
    server.onCommit = (turn) => {
      turns.push(turn);
      turn.confirm();
      if (turns.length < 2) return;
      for (const each of turns.toReversed()) each.complete();
    };
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.outcomes.map(({ id, final }) => [id, final])).toEqual([
      ['u2', 'number 2'],
      ['u1', 'number 1'],
    ]);
  });

  it('completes before it confirms, and sends text afterwards', async () => {
    const session = await ready();
    const turns: Turn[] = [];
    server.onCommit = (turn) => {
      turns.push(turn);
      if (turns.length < 2) return;
      for (const each of turns.toReversed()) each.complete();
      for (const each of turns) each.confirm();
      for (const each of turns) each.delta('late');
    };
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
    // What comes after belongs to nobody, not to the next.
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete();
    };
    session.begin(heard.utterance('u3'));
    feed(session, speech(3, 200));
    turns[0]?.delta('later');
    turns[0]?.complete('doubled');
    session.end();
    await heard.settled();
    expect(heard.partials).toEqual([]);
    expect(heard.finals['u3']).toBe('number 3');
  });

  it('completes the same item twice', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete();
      turn.complete('something else');
    };
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
  });

  it('fails to write down, and gets another try', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.n <= 2) turn.fail('server_error');
      else turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.turns.map((turn) => turn.heard)).toEqual(['number 1', 'number 1', 'number 1']);
  });

  it('fails for ever: lost, and the next is not', async () => {
    const session = await ready({ attempts: 3 });
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.heard === 'number 1') turn.fail('server_error');
      else turn.complete();
    };
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.lostOnes).toEqual(['u1']);
    expect(heard.finals).toEqual({ u2: 'number 2' });
    expect(server.turns.filter((turn) => turn.heard === 'number 1')).toHaveLength(3);
  });

  it('sends ten thousand events that mean nothing', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      for (let i = 0; i < 10_000; i += 1) turn.session.send({ type: `rate_limits.updated.${i}`, rate_limits: [] });
      turn.session.sendText('{"type": 5}');
      turn.session.sendText('no json');
      turn.session.sendText('[]');
      turn.session.send({ type: 'conversation.item.input_audio_transcription.completed', transcript: 5 });
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(told('unknown_event')).toBeGreaterThanOrEqual(10_000);
    expect(told('unreadable_event')).toBe(1);
    expect(server.sessions).toHaveLength(1);
  });

  it('reports errors that end nothing', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      turn.session.error('server_error');
      turn.session.error('input_audio_buffer_commit_empty', 'commit-77');
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(notices.filter(({ kind }) => kind === 'server_error').map(({ code }) => code)).toEqual([
      'server_error',
      'input_audio_buffer_commit_empty',
    ]);
    expect(server.sessions).toHaveLength(1);
  });

  it('refuses a commit, and gets it again', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      const commits = turn.session.received.filter(({ type }) => type === 'input_audio_buffer.commit');
      if (turn.n === 1) return turn.session.error('input_audio_buffer_commit_empty', String(commits[0]?.['event_id']));
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
  });

  it('takes its time, but answers: not asked again', async () => {
    const session = await ready({ stallMs: 600 });
    server.onCommit = (turn) => {
      turn.confirm();
      setTimeout(() => turn.complete(), 400);
    };
    say(session, 1);
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
    expect(server.sessions).toHaveLength(1);
  });

  it('sends more in one piece than anything it could have to say', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      if (turn.n === 1) return turn.session.send({ type: 'x', filler: 'x'.repeat(5 * 1_048_576) });
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.sessions).toHaveLength(2);
  });

  it('stalls: asked again over a new connection', async () => {
    const session = await ready({ stallMs: 150 });
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.n > 1) turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.sessions).toHaveLength(2);
    expect(told('reconnect')).toBe(1);
  });

  it('stalls for ever: lost after as many tries as it may have', async () => {
    const session = await ready({ stallMs: 60, attempts: 3, steadyMs: 1 });
    server.onCommit = (turn) => turn.confirm();
    say(session, 1);
    await heard.settled();
    expect(heard.lostOnes).toEqual(['u1']);
    expect(server.turns).toHaveLength(3);
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete();
    };
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u2: 'number 2' });
  });

  it('takes nothing from the network: what waits there stays bounded', async () => {
    const session = await ready({ maxBufferedBytes: 20_000, stuckMs: 300 });
    server.last.stopReading();
    session.begin(heard.utterance('u1'));
    // Sockets take megabytes on their own: far more than that is said.
    for (let second = 0; second < 170; second += 1) feed(session, speech(1, 1_000));
    await until(() => (server.sessions.length === 2 ? true : undefined));
    session.end();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.turns[0]?.ms).toBeCloseTo(170_000, -1);
  });
});

describe('the connection ends', () => {
  it('in the middle of an utterance: all of it is said again, one final', async () => {
    const session = await ready();
    session.begin(heard.utterance('u1'));
    feed(session, speech(1, 300));
    await until(() => (server.last.buffer.length === 15 ? true : undefined));
    server.last.early('number');
    await until(() => heard.partials[0]);
    server.last.drop();
    feed(session, speech(1, 100));
    await until(() => (server.sessions.length === 2 ? true : undefined));
    feed(session, speech(1, 100));
    session.end();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(heard.firsts).toEqual(['u1']);
    expect(server.turns.map(({ ms }) => Math.round(ms / 10))).toEqual([50]);
  });

  it('right after a commit', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      if (turn.n === 1) return turn.session.drop();
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.turns.map((turn) => turn.heard)).toEqual(['number 1', 'number 1']);
  });

  it('with several sentences unanswered: in their order, each once', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.n === 2) turn.complete();
      if (turn.n === 3) turn.session.end(1011, 'internal');
      if (turn.n > 3) turn.complete();
    };
    for (const n of [1, 2, 3]) say(session, n);
    session.begin(heard.utterance('u4'));
    feed(session, speech(4, 200));
    await until(() => (server.sessions.length === 2 ? true : undefined));
    session.end();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2', u3: 'number 3', u4: 'number 4' });
    expect(server.turns.map((turn) => turn.heard.at(-1)).join('')).toBe('123134');
  });

  it('since its hour is over', async () => {
    const session = await ready();
    server.onCommit = (turn) => {
      if (turn.n === 1) {
        turn.session.error('session_expired');
        return turn.session.end(1001, 'Your session hit the maximum duration of 60 minutes.');
      }
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(heard.states.some(({ state }) => state === 'closed')).toBe(false);
  });

  it('silently: a ping finds out', async () => {
    const session = connect({}, 100);
    await heard.reached('open');
    server.last.stopReading();
    await until(() => (server.sessions.length === 2 ? true : undefined));
    say(session, 1);
    await heard.settled();
    expect(heard.states.some(({ problem }) => problem?.includes('went silent'))).toBe(true);
  });

  it('beyond what is kept: the oldest is lost and said, the newest is not', async () => {
    const session = await ready({ keptMs: 1_000, firstBackoffMs: 400, lastBackoffMs: 400 });
    server.last.drop();
    await heard.reached('waiting');
    for (const n of [1, 2, 3]) say(session, n, 400);
    expect(heard.lostOnes).toEqual(['u1']);
    await heard.settled();
    expect(heard.finals).toEqual({ u2: 'number 2', u3: 'number 3' });
  });

  it('never while nothing is to be kept: an utterance longer than the ring goes through', async () => {
    const session = await ready({ keptMs: 1_000 });
    session.begin(heard.utterance('u1'));
    for (let at = 0; at < 30; at += 1) {
      feed(session, speech(1, 100));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    session.end();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.turns[0]?.ms).toBeCloseTo(3_000, -1);
  });

  it('never while nothing is to be kept: what the service has may be overwritten', async () => {
    const session = await ready({ keptMs: 1_000 });
    const turns: Turn[] = [];
    server.onCommit = (turn) => void turns.push(turn);
    say(session, 1, 500);
    await until(() => turns[0]);
    session.begin(heard.utterance('u2'));
    for (let at = 0; at < 15; at += 1) {
      feed(session, speech(2, 100));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    turns[0]?.confirm();
    turns[0]?.complete();
    session.end();
    await until(() => turns[1]);
    turns[1]?.confirm();
    turns[1]?.complete();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
  });

  it('again and again: who was asked for too often is given up, and nobody gets the text of another', async () => {
    const session = await ready({ attempts: 2, steadyMs: 1 });
    server.onCommit = (turn) => {
      if (turn.n === 1 || turn.n === 3) return turn.session.drop();
      if (turn.n < 3) return;
      turn.confirm();
      turn.complete();
    };
    say(session, 1);
    await until(() => (server.turns.length === 1 ? true : undefined));
    say(session, 2);
    await heard.settled();
    expect(server.turns.map((turn) => turn.heard.at(-1)).join('')).toBe('1122');
    expect(heard.lostOnes).toEqual(['u1']);
    expect(heard.finals).toEqual({ u2: 'number 2' });
  });

  it('while such an utterance is open: it is lost, and said to be', async () => {
    const session = await ready({ keptMs: 500 });
    session.begin(heard.utterance('u1'));
    for (let at = 0; at < 10; at += 1) {
      feed(session, speech(1, 100));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    server.last.drop();
    await heard.settled();
    expect(heard.lostOnes).toEqual(['u1']);
    feed(session, speech(1, 100));
    session.end();
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u2: 'number 2' });
  });
});

describe('opening', () => {
  it.each([
    [
      401,
      '{"error":{"code":"invalid_api_key"}}',
      'The key was refused (401). Put a valid OPENAI_API_KEY into .env.local and start again.',
    ],
    [403, '', 'This key may not use the speech service (403).'],
    [404, '', 'does not know this model or address (404)'],
    [429, '{"error":{"code":"insufficient_quota"}}', 'The quota of this key is used up.'],
  ])('refused with %d: said once in plain words, and not tried again', async (status, body, words) => {
    server.welcome = () => ({ status, body: body.replace('}', `,"message":"${KEY}"}`) });
    const session = connect();
    session.begin(heard.utterance('before'));
    feed(session, speech(1, 200));
    const problem = await heard.reached('closed');
    expect(problem).toContain(words);
    session.end();
    say(session, 2);
    session.begin(heard.utterance('noise'));
    session.discard();
    heard.discarded('noise');
    await heard.settled();
    expect(heard.lostOnes).toEqual(['before', 'u2']);
    expect(server.handshakes).toHaveLength(1);
    expect(heard.states.filter(({ state }) => state === 'closed')).toHaveLength(1);
    expect(JSON.stringify([heard.states, heard.outcomes, notices])).not.toContain(KEY);
  });

  it('quota used up in the middle: all that is open is lost, with that reason', async () => {
    const session = await ready();
    server.onCommit = (turn) => turn.session.error('insufficient_quota', null, { type: 'insufficient_quota' });
    say(session, 1);
    expect(await heard.reached('closed')).toContain('quota');
    await heard.settled();
    expect(heard.outcomes[0]?.lost).toContain('quota');
    expect(server.sessions).toHaveLength(1);
  });

  it('settings that are refused are not sent again and again', async () => {
    server.refuseSettings = 'invalid_value';
    connect();
    expect(await heard.reached('closed')).toContain('invalid_value, session.audio');
    expect(server.handshakes).toHaveLength(1);
  });

  it('asked to wait, waits', async () => {
    server.welcome = (n) => (n === 1 ? { status: 429, headers: { 'retry-after': '0.5' } } : 'take');
    const since = performance.now();
    const session = connect();
    say(session, 1);
    await heard.settled();
    expect(performance.now() - since).toBeGreaterThanOrEqual(490);
  });

  it('never answered, dropped and refused for a while: tried until it works', async () => {
    server.welcome = (n) => (n === 1 ? 'ignore' : n < 4 ? { status: 503 } : 'take');
    const session = connect();
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.handshakes).toHaveLength(4);
    expect(heard.states.some(({ problem }) => problem?.includes('did not answer the handshake'))).toBe(true);
  });

  it('a session that is never set up is given up', async () => {
    server.answersSettings = false;
    const session = connect({ setupMs: 150 });
    await until(() => (server.sessions.length === 2 ? true : undefined));
    server.answersSettings = true;
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
  });

  it('nobody there: tried until there is', async () => {
    const { url } = server;
    await server.close();
    const later = connect({ lastBackoffMs: 100 });
    say(later, 1);
    await heard.reached('waiting');
    const again = await startFakeRealtime(Number(new URL(url).port));
    server = again;
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
  });
});

describe('a session near its end', () => {
  const short = { leastLifetimeMs: 100, rotateQuietMs: 800, rotateBetweenMs: 400, rotateNowMs: 200 };

  it('is replaced at a silence; the next is open before', async () => {
    server.livesMs = 2_000;
    const session = await ready(short);
    server.livesMs = null;
    say(session, 1);
    await heard.settled();
    await until(() => (told('rotation') === 1 ? true : undefined));
    await server.sessions[0]?.closed;
    expect(heard.states.map(({ state }) => state)).toEqual(['connecting', 'open']);
    say(session, 2);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1', u2: 'number 2' });
    expect(server.turns[1]?.session).toBe(server.sessions[1]);
    expect(told('reconnect')).toBe(0);
    expect(told('replay')).toBe(0);
  });

  it('is replaced between sentences when no silence comes, and what was unanswered is said again', async () => {
    server.livesMs = 2_000;
    const session = await ready({ ...short, stallMs: 10_000 });
    server.livesMs = null;
    const first = server.last;
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.session !== first) turn.complete();
    };
    say(session, 1);
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(told('rotation')).toBe(1);
    expect(told('reconnect')).toBe(0);
  });

  it('is replaced in the middle of a sentence when it must be', async () => {
    server.livesMs = 2_000;
    const session = await ready(short);
    server.livesMs = null;
    session.begin(heard.utterance('u1'));
    let ms = 0;
    while (told('rotation') === 0) {
      feed(session, speech(1, 20));
      ms += 20;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(server.sessions[0]?.types()).not.toContain('input_audio_buffer.commit');
    feed(session, speech(1, 100));
    session.end();
    await heard.settled();
    expect(heard.finals).toEqual({ u1: 'number 1' });
    expect(server.turns[0]?.ms).toBeCloseTo(ms + 100, -1);
    expect(told('reconnect')).toBe(0);
  });

  it('a clock that is wrong does not make it hurry', async () => {
    server.livesMs = -86_400_000;
    await ready();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.handshakes).toHaveLength(1);
  });
});

describe('over time', () => {
  it('a thousand utterances, half of them over broken lines, leave nothing behind', async () => {
    const session = await ready({ steadyMs: 1, firstBackoffMs: 5, lastBackoffMs: 5 });
    server.onCommit = (turn) => {
      if (turn.n % 40 === 0) return turn.session.drop();
      turn.confirm();
      turn.delta('number');
      turn.complete();
    };
    const used = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    };
    const run = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n += 1) {
        say(session, n % 150, 120, `u${n}`);
        if (n % 20 > 0) continue;
        await heard.settled();
        for (const each of server.sessions) each.received.length = 0;
      }
    };
    await run(1, 200);
    const before = used();
    await run(201, 1_000);
    expect(Object.keys(heard.finals)).toHaveLength(1_000);
    expect(server.sessions.length).toBeGreaterThan(20);
    expect(heard.lostOnes).toEqual([]);
    expect(used() - before).toBeLessThan(20 * 1_048_576);
  });
});

describe('where sound and key may go', () => {
  it.each([
    ['ws://speech.example/v1', 'wss://'],
    ['ws://10.0.0.1:8080/v1', 'wss://'],
    ['ws://127.0.0.1.example/v1', 'wss://'],
    ['file:///etc/passwd', 'no WebSocket URL'],
    ['speech', 'no WebSocket URL'],
  ])('not to %s', (url, words) => {
    expect(() => createOpenaiRealtime({ url, apiKey: KEY, session: { mode: 'transcribe' } })).toThrow(words);
  });

  it('not with a key that is none', () => {
    for (const apiKey of ['', 'a b', 'key\n', 'schlüssel'])
      expect(() => createOpenaiRealtime({ url: null, apiKey, session: { mode: 'transcribe' } })).toThrow(
        'OPENAI_API_KEY',
      );
  });

  it.each([
    ['', '/v1/realtime'],
    ['/', '/v1/realtime'],
    ['/v1', '/v1/realtime'],
    ['/v1/realtime', '/v1/realtime'],
    ['/proxy/v2/', '/proxy/v2/realtime'],
  ])('a URL with the path "%s" means %s', async (path, wanted) => {
    const { host } = new URL(server.url);
    server.url = `ws://${host}${path}`;
    await ready();
    expect(server.handshakes[0]?.path).toBe(wanted);
  });
});
