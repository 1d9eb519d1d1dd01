import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LinkTranscript, LinkUp } from '../../../contracts/edge-link.ts';
import type { FinalReply, Problem } from '../../../contracts/replies.ts';
import type { Transcript } from '../../../contracts/transcript.ts';
import { createForwarder } from '../../../edge/forward-transcripts.ts';
import type { ForwarderDeps } from '../../../edge/forward-transcripts.ts';
import type { FinalTranscript } from '../../../edge/forwarder.ts';
import { localFailure } from '../../../edge/gateway-calls.ts';
import type { CallFailure, CallResult, GatewayCalls } from '../../../edge/gateway-calls.ts';
import type { SocketEnd, SocketEvents } from '../../../edge/gateway-link.ts';
import { openSpool } from '../../../edge/spool.ts';
import { traceIdOf } from '../../../edge/utterance.ts';
import { createLog } from '../../../platform/log.ts';
import { traceEvent } from '../../fakes/gateway-server.ts';
import { createMemoryDisk, createNames, spooledNames } from '../../fakes/memory-disk.ts';
import type { MemoryDisk } from '../../fakes/memory-disk.ts';

const DIR = '/data/edge/spool';
const REFUSED: SocketEnd = { reason: 'no gateway answers (ECONNREFUSED)', status: null, retryAfterMs: null };

const replyTo = (id: string): FinalReply => ({ status: 'declined', trace_id: traceIdOf(id), reason: 'no order' });
const problem = (status: number): Problem => ({ type: `urn:dual:problem:p${status}`, title: `p${status}`, status });
const refusal = (status: number, retryAfterMs: number | null = null): CallFailure => ({
  ok: false,
  status,
  problem: problem(status),
  retryAfterMs,
});
const final = (sequence: number, text = `sentence ${sequence}`): FinalTranscript => ({
  utteranceId: `u-${sequence}`,
  sequence,
  text,
  saidAt: '2026-11-26T10:00:00.000Z',
  latencyMs: 100,
});

/** The gateway as this test wants it now. */
interface Far {
  /** null: no answer to a connection attempt. */
  upgrade: 'take' | SocketEnd | null;
  /** null: silence. */
  link: (body: LinkTranscript) => 'ack' | CallFailure | null;
  http: (body: Transcript) => 'ack' | CallFailure | null;
  lines: SocketEvents[];
  /** Messages of the link as they came, and bodies over HTTP, each with its way. */
  came: { way: 'link' | 'http'; body: LinkUp | Transcript }[];
  aborted: number;
}

let far: Far;
let disk: MemoryDisk;
let names: ReturnType<typeof createNames>;
let heard: string[];
let closers: (() => Promise<void>)[];

const ackOn = (events: SocketEvents, id: string): void =>
  events.message(JSON.stringify({ type: 'ack', utterance_id: id, status: 200, reply: replyTo(id) }));
const errorOn = (events: SocketEvents, id: string | null, { status, problem: p, retryAfterMs }: CallFailure): void =>
  events.message(
    JSON.stringify({
      type: 'error',
      utterance_id: id,
      status,
      ...(retryAfterMs !== null && { retry_after_ms: retryAfterMs }),
      problem: p,
    }),
  );

const openSocket: ForwarderDeps['openSocket'] = (events) => {
  let open = true;
  const end = (reason: SocketEnd): void => {
    if (!open) return;
    open = false;
    far.lines = far.lines.filter((line) => line !== guarded);
    events.closed(reason);
  };
  const guarded: SocketEvents = {
    opened: () => events.opened(),
    message: (text) => open && events.message(text),
    closed: end,
  };
  queueMicrotask(() => {
    if (far.upgrade === 'take') {
      far.lines.push(guarded);
      events.opened();
    } else if (far.upgrade) end(far.upgrade);
  });
  return {
    bufferedBytes: 0,
    send: (text) => {
      const body = JSON.parse(text) as LinkUp;
      far.came.push({ way: 'link', body });
      if (body.type !== 'transcript' || !body.is_final) return;
      const answer = far.link(body);
      queueMicrotask(() => {
        if (answer === 'ack') guarded.message(ackText(body.utterance_id));
        else if (answer) errorOn(guarded, body.utterance_id, answer);
      });
    },
    end: () => queueMicrotask(() => end({ ...REFUSED, reason: 'bye' })),
    drop: (reason) => queueMicrotask(() => end({ ...REFUSED, reason })),
  };
};
const ackText = (id: string): string =>
  JSON.stringify({ type: 'ack', utterance_id: id, status: 200, reply: replyTo(id) });

const post = <T>(body: Transcript, reply: T, signal?: AbortSignal): Promise<CallResult<T>> =>
  new Promise((resolve) => {
    far.came.push({ way: 'http', body });
    const answer = far.http(body);
    if (answer === 'ack') resolve({ ok: true, status: 200, reply });
    else if (answer) resolve(answer);
    const late = setTimeout(() => resolve(localFailure('unreachable', 'no answer within 10000 ms')), 10_000);
    signal?.addEventListener('abort', () => {
      clearTimeout(late);
      far.aborted += 1;
      resolve(localFailure('unreachable', 'aborted'));
    });
    if (answer) clearTimeout(late);
  });
const calls: Pick<GatewayCalls, 'url' | 'submit' | 'partial'> = {
  url: 'http://127.0.0.1:8080',
  submit: (body, signal) => post(body, replyTo(body.utterance_id ?? ''), signal),
  partial: (body, signal) => post<unknown>(body, { status: 'partial_received' }, signal),
};

const start = async (sessionId = 'edge-1', process = names.process()) => {
  const log = createLog(
    'edge',
    (line) => line,
    'warn',
    (line) => {
      heard.push(`warn ${(JSON.parse(line) as { msg: string }).msg}`);
    },
  );
  const spool = await openSpool({
    dir: DIR,
    disk,
    takeName: process.takeName,
    problem: (why) => heard.push(why === null ? 'disk ok' : 'disk bad'),
    log,
  });
  const forwarder = createForwarder({
    sessionId,
    spool,
    openSocket,
    calls: calls as GatewayCalls,
    log,
    random: () => 0.999,
    events: {
      spooled: (id) => heard.push(`spooled ${id}`),
      acked: (id) => heard.push(`acked ${id}`),
      refused: (id, { type }) => heard.push(`refused ${id} ${type}`),
      task: ({ seq }) => heard.push(`task ${seq}`),
      state: (state, why) => heard.push(`state ${state}${why === null ? '' : `: ${why}`}`),
    },
  });
  closers.push(() => forwarder.close());
  await jest.advanceTimersByTimeAsync(0);
  return forwarder;
};
const passMs = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const linkNow = (): SocketEvents => {
  const line = far.lines.at(-1);
  if (!line) throw new Error('there is no link');
  return line;
};
/** Ids of finals as they came, each with its way. */
const finalsCame = (): string[] =>
  far.came.flatMap(({ way, body }) => ('is_final' in body && body.is_final ? [`${way} ${body.utterance_id}`] : []));
const states = (): string[] => heard.filter((one) => one.startsWith('state '));
const acked = (): string[] => heard.filter((one) => one.startsWith('acked '));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  far = { upgrade: 'take', link: () => 'ack', http: () => 'ack', lines: [], came: [], aborted: 0 };
  disk = createMemoryDisk();
  names = createNames();
  heard = [];
  closers = [];
});
afterEach(async () => {
  for (const close of closers) await close();
  await passMs(0);
  const left = jest.getTimerCount();
  jest.useRealTimers();
  expect(left).toBe(0);
});

describe('the forwarder, over the link', () => {
  it('spools, sends, waits for the word of the gateway, and only then forgets', async () => {
    far.link = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    expect(heard).toEqual(['state connecting', 'state link', 'spooled u-1']);
    await passMs(0);
    expect(far.came.map(({ body }) => body)).toEqual([
      { type: 'hello', session_id: 'edge-1', after: null },
      {
        type: 'transcript',
        is_final: true,
        utterance_id: 'u-1',
        session_id: 'edge-1',
        sequence: 1,
        text: 'sentence 1',
        timestamp: '2026-11-26T10:00:00.000Z',
        latency_ms: 100,
      },
    ]);
    expect(forwarder.pending).toBe(1);
    expect(spooledNames(disk, DIR)).toHaveLength(1);
    ackOn(linkNow(), 'u-1');
    ackOn(linkNow(), 'u-1');
    await passMs(0);
    expect(acked()).toEqual(['acked u-1']);
    expect(forwarder.pending).toBe(0);
    expect(forwarder.counts().repeatedAcks).toBe(1);
    expect(spooledNames(disk, DIR)).toEqual([]);
  });

  it('has eight under way at most, and goes on in order as they are answered in any order', async () => {
    far.link = () => null;
    const forwarder = await start();
    for (const n of range(1, 20)) await forwarder.final(final(n));
    await passMs(0);
    expect(finalsCame()).toEqual(range(1, 8).map((n) => `link u-${n}`));
    for (const n of [5, 1]) ackOn(linkNow(), `u-${n}`);
    await passMs(0);
    expect(finalsCame().slice(8)).toEqual(['link u-9', 'link u-10']);
    for (let n = 1; n <= 20; n++) {
      ackOn(linkNow(), `u-${n}`);
      await passMs(0);
    }
    expect(acked().sort()).toEqual(
      range(1, 20)
        .map((n) => `acked u-${n}`)
        .sort(),
    );
    expect(new Set(finalsCame()).size).toBe(20);
    expect(finalsCame()).toHaveLength(20);
  });

  it('sends again what was under way when the link fell, and tells its answer once', async () => {
    far.link = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(0);
    linkNow().closed(REFUSED);
    far.link = () => 'ack';
    await passMs(300);
    expect(finalsCame()).toEqual(['link u-1', 'link u-1']);
    expect(acked()).toEqual(['acked u-1']);
    expect(forwarder.pending).toBe(0);
  });

  it('a link that gives no answer is dropped after 10 s, and the final goes over HTTP', async () => {
    far.link = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(9_999);
    expect(finalsCame()).toEqual(['link u-1']);
    await passMs(1);
    expect(finalsCame()).toEqual(['link u-1', 'http u-1']);
    expect(acked()).toEqual(['acked u-1']);
    await passMs(300);
    expect(states()).toEqual(['connecting', 'link', 'connecting', 'http', 'link'].map((state) => `state ${state}`));
  });

  it('takes an acknowledgement that comes while it asks over HTTP, and drops that request', async () => {
    far.link = () => null;
    far.http = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(10_300);
    expect(finalsCame()).toEqual(['link u-1', 'http u-1']);
    ackOn(linkNow(), 'u-1');
    await passMs(0);
    expect(far.aborted).toBe(1);
    expect(acked()).toEqual(['acked u-1']);
    expect(states().at(-1)).toBe('state link');
    await passMs(60_000);
    expect(finalsCame()).toHaveLength(2);
    expect(forwarder.pending).toBe(0);
  });

  it('sets aside what the gateway refuses for good, says so, and holds nothing else up', async () => {
    far.link = ({ utterance_id: id }) => (id === 'u-1' ? refusal(409) : id === 'u-2' ? refusal(400) : 'ack');
    const forwarder = await start();
    for (const n of [1, 2, 3]) await forwarder.final(final(n));
    await passMs(0);
    expect(heard.filter((one) => /^(refused|acked)/.test(one))).toEqual([
      'refused u-1 urn:dual:problem:p409',
      'refused u-2 urn:dual:problem:p400',
      'acked u-3',
    ]);
    expect([...disk.files.keys()].filter((path) => path.includes('/refused/'))).toHaveLength(4);
    await passMs(60_000);
    expect(finalsCame()).toHaveLength(3);
    expect(forwarder.pending).toBe(0);
    expect(states().at(-1)).toBe('state link');
  });

  it('never sends what the gateway could not read, which would end the link each time', async () => {
    const forwarder = await start();
    await forwarder.final(final(1, 'x'.repeat(70_000)));
    await forwarder.final(final(2));
    await passMs(0);
    expect(finalsCame()).toEqual(['link u-2']);
    expect(heard).toContain('refused u-1 urn:dual:edge:unsendable');
  });

  it('on 429 and 503 waits as long as it is asked to, then one tries for all', async () => {
    let open = false;
    far.link = () => (open ? 'ack' : refusal(503, 4_000));
    const forwarder = await start();
    for (const n of range(1, 12)) await forwarder.final(final(n));
    await passMs(3_999);
    const first = finalsCame().length;
    expect(first).toBeLessThanOrEqual(8);
    await passMs(2);
    expect(finalsCame()).toHaveLength(first + 1);
    expect(states().at(-1)).toBe('state waiting: the gateway asks to wait: p503 (503)');
    open = true;
    await passMs(4_000);
    expect(acked()).toHaveLength(12);
    expect(states().at(-1)).toBe('state link');
  });

  it('one that always fails alone (500) holds nobody up, and is tried ever more slowly', async () => {
    far.link = ({ utterance_id: id }) => (id === 'u-1' ? refusal(500) : 'ack');
    const forwarder = await start();
    for (const n of range(1, 30)) await forwarder.final(final(n));
    await passMs(10);
    expect(acked()).toHaveLength(29);
    await passMs(500);
    expect(finalsCame()).toHaveLength(31);
    await passMs(600_000);
    const tries = finalsCame().filter((one) => one.endsWith('u-1')).length;
    expect(tries).toBeGreaterThan(30);
    expect(tries).toBeLessThan(60);
    expect(forwarder.pending).toBe(1);
  });

  it('an error for nobody in particular, or for somebody unknown, changes nothing', async () => {
    far.link = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(0);
    errorOn(linkNow(), null, refusal(400));
    errorOn(linkNow(), 'u-99', refusal(400));
    ackOn(linkNow(), 'u-1');
    await passMs(0);
    expect(acked()).toEqual(['acked u-1']);
  });

  it('tells each event of a task once', async () => {
    await start();
    for (const n of [1, 2, 1, 2, 3]) linkNow().message(JSON.stringify({ type: 'event', ...traceEvent(n) }));
    expect(heard.filter((one) => one.startsWith('task'))).toEqual(['task 1', 'task 2', 'task 3']);
  });
});

describe('the forwarder, over HTTP', () => {
  it('stands in when there was no link for a second', async () => {
    far.upgrade = REFUSED;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(998);
    expect(finalsCame()).toEqual([]);
    await passMs(3);
    expect(finalsCame()).toEqual(['http u-1']);
    expect(acked()).toEqual(['acked u-1']);
    expect(states()).toEqual(['state connecting', 'state waiting: no gateway answers (ECONNREFUSED)', 'state http']);
    far.upgrade = 'take';
    await passMs(15_000);
    await forwarder.final(final(2));
    await passMs(0);
    expect(finalsCame().at(-1)).toBe('link u-2');
    expect(states().at(-1)).toBe('state link');
  });

  it('stands in while the attempt to link hangs', async () => {
    far.upgrade = null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(1_001);
    expect(acked()).toEqual(['acked u-1']);
  });

  it('those who hang together fail together: it is one failure, and one tries for all', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const forwarder = await start();
    for (const n of range(1, 20)) await forwarder.final(final(n));
    await passMs(1_001);
    expect(finalsCame()).toHaveLength(8);
    await passMs(10_000 + 600);
    expect(finalsCame().slice(8)).toEqual(['http u-1']);
    await passMs(9_000);
    expect(finalsCame()).toHaveLength(9);
  });

  it('a link that comes up ends every wait', async () => {
    far.upgrade = REFUSED;
    far.http = () => refusal(503, 600_000);
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(20_000);
    expect(finalsCame()).toHaveLength(1);
    far.upgrade = 'take';
    await passMs(15_000);
    expect(acked()).toEqual(['acked u-1']);
  });

  it('says once in plain words what a wrong token needs, keeps trying slowly, and delivers when it is right', async () => {
    far.upgrade = { reason: 'refused (401)', status: 401, retryAfterMs: null };
    far.http = () => refusal(401);
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(120_000);
    expect(states().slice(1)).toEqual([expect.stringContaining('GATEWAY_TOKEN')]);
    const tries = finalsCame().length;
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(tries).toBeLessThanOrEqual(9);
    far.http = () => 'ack';
    await passMs(15_500);
    expect(acked()).toEqual(['acked u-1']);
    expect(states().at(-1)).toBe('state http');
    expect(spooledNames(disk, DIR)).toEqual([]);
  });

  it('survives a gateway that is down for an hour: one tries for all, then all arrive in order, none is lost', async () => {
    far.upgrade = REFUSED;
    far.http = () => localFailure('unreachable', 'no gateway answers (ECONNREFUSED)');
    const forwarder = await start();
    for (const n of range(1, 720)) {
      await forwarder.final(final(n));
      await passMs(5_000);
    }
    expect(forwarder.pending).toBe(720);
    expect(spooledNames(disk, DIR)).toHaveLength(720);
    const failed = finalsCame().length;
    // One at a time, at most every 15 s on average over full jitter; here the jitter is none.
    expect(failed).toBeLessThan(300);
    expect(new Set(finalsCame())).toEqual(new Set(['http u-1']));
    far.upgrade = 'take';
    await passMs(15_000);
    expect(acked()).toEqual(range(1, 720).map((n) => `acked u-${n}`));
    expect(finalsCame().slice(failed)).toEqual(range(1, 720).map((n) => `link u-${n}`));
    expect([...disk.files.keys()]).toEqual([]);
  });

  it('a backlog of 10,000 drains in order', async () => {
    const dead = names.process();
    far.upgrade = REFUSED;
    far.http = () => null;
    const before = await start('edge-0', dead);
    for (const n of range(1, 10_000)) await before.final(final(n));
    closers.pop();
    const name = spooledNames(disk, DIR)[0];
    await before.close();
    dead.kill();
    expect(spooledNames(disk, DIR)[0]).toBe(name);
    far.came = [];
    far.upgrade = 'take';
    const forwarder = await start('edge-1');
    expect(forwarder.pending + acked().length).toBe(10_000);
    await forwarder.final({ ...final(1), utteranceId: 'new-1' });
    await passMs(1_000);
    expect(forwarder.pending).toBe(0);
    expect(finalsCame()).toHaveLength(10_001);
    expect(finalsCame().slice(0, 10_000)).toEqual(range(1, 10_000).map((n) => `link u-${n}`));
    expect(disk.files.size).toBe(0);
  }, 60_000);
});

describe('the forwarder and what was left', () => {
  it('delivers under the old session and number, and mixes no two sessions', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const dead = names.process();
    const before = await start('edge-0', dead);
    for (const n of [3, 4]) await before.final(final(n));
    closers.pop();
    await before.close();
    dead.kill();
    far.came = [];
    far.upgrade = 'take';
    far.link = () => null;
    const forwarder = await start('edge-1');
    await forwarder.final({ ...final(1), utteranceId: 'new-1' });
    await passMs(0);
    const bodies = far.came.flatMap(({ body }) => ('sequence' in body ? [`${body.session_id} ${body.sequence}`] : []));
    expect(bodies).toEqual(['edge-0 3', 'edge-0 4']);
    for (const n of [3, 4]) ackOn(linkNow(), `u-${n}`);
    await passMs(0);
    expect(finalsCame().at(-1)).toBe('link new-1');
    expect(heard.filter((one) => one.startsWith('spooled'))).toEqual(['spooled u-3', 'spooled u-4', 'spooled new-1']);
  });

  it('picks up within ten seconds what another edge left that died meanwhile', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const other = names.process();
    const first = await start('edge-0', other);
    await first.final(final(7));
    far.upgrade = 'take';
    const forwarder = await start('edge-1');
    await passMs(0);
    expect(forwarder.pending).toBe(0);
    // It dies: nothing of it runs on.
    closers.shift();
    await first.close();
    far.came = [];
    other.kill();
    await passMs(10_000);
    expect(finalsCame()).toEqual(['link u-7']);
  });

  it('a final that is torn on disk holds nobody up', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const dead = names.process();
    const before = await start('edge-0', dead);
    for (const n of [1, 2]) await before.final(final(n));
    closers.pop();
    await before.close();
    dead.kill();
    disk.put([...disk.files.keys()].sort()[0] ?? '', '{"v":1');
    far.upgrade = 'take';
    const forwarder = await start('edge-1');
    await passMs(0);
    expect(acked()).toEqual(['acked u-2']);
    expect(forwarder.pending).toBe(0);
  });

  it('a disk that cannot be read now delays that final, not the others', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const dead = names.process();
    const before = await start('edge-0', dead);
    for (const n of [1, 2]) await before.final(final(n));
    closers.pop();
    await before.close();
    dead.kill();
    far.upgrade = 'take';
    disk.fault = (call, path) => (call === 'read' && path.includes('0000000001-') ? 'EIO' : null);
    await start('edge-1');
    await passMs(400);
    expect(acked()).toEqual(['acked u-2']);
    disk.fault = () => null;
    await passMs(1_000);
    expect(acked()).toEqual(['acked u-2', 'acked u-1']);
  });
});

describe('the forwarder on a bad disk', () => {
  it('delivers from memory, says so, and tells of no spooling', async () => {
    disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(0);
    expect(heard.filter((one) => !one.startsWith('state'))).toEqual(['disk bad', 'acked u-1']);
    disk.fault = () => null;
    await forwarder.final(final(2));
    await passMs(0);
    expect(heard.slice(-3)).toEqual(['disk ok', 'spooled u-2', 'acked u-2']);
  });

  it('a second final of an id with other words is refused loudly, one with the same words is no second', async () => {
    const forwarder = await start();
    await forwarder.final(final(1));
    await forwarder.final(final(1));
    await expect(forwarder.final(final(1, 'other'))).rejects.toThrow('has a final already');
    await passMs(0);
    expect(finalsCame()).toEqual(['link u-1']);
    expect(heard.filter((one) => one.startsWith('spooled'))).toEqual(['spooled u-1']);
  });
});

describe('the forwarder and numbers without a final', () => {
  const skipped = (): unknown[] =>
    far.came.flatMap(({ way, body }) =>
      'is_final' in body && !body.is_final && body.sequence !== undefined
        ? [[way, body.utterance_id, body.sequence, body.revision, body.text]]
        : [],
    );

  it('tells them as a partial without a revision', async () => {
    const forwarder = await start();
    forwarder.skip('u-2', 2);
    expect(skipped()).toEqual([['link', 'u-2', 2, undefined, '']]);
  });

  it('tells the number of a refused final, of whichever session, so that what follows it does not wait', async () => {
    far.upgrade = REFUSED;
    far.http = () => null;
    const dead = names.process();
    const before = await start('edge-0', dead);
    await before.final(final(7));
    closers.pop();
    await before.close();
    dead.kill();
    far = { ...far, upgrade: 'take', came: [], link: () => refusal(409) };
    await start('edge-1');
    await passMs(0);
    expect(far.came.at(-1)?.body).toMatchObject({ is_final: false, session_id: 'edge-0', sequence: 7, text: '' });
    expect(far.came.at(-1)?.body).not.toMatchObject({ utterance_id: 'u-7' });
    expect(far.came.at(-1)?.body).not.toHaveProperty('revision');
  });

  it('keeps them until there is a link, and tells them before any final', async () => {
    far.upgrade = REFUSED;
    const forwarder = await start();
    forwarder.skip('u-1', 1);
    far.upgrade = 'take';
    await forwarder.final(final(2));
    await passMs(900);
    expect(far.came.map(({ body }) => ('sequence' in body ? body.sequence : 'hello'))).toEqual(['hello', 1, 2]);
  });

  it('tells them over HTTP where only that works', async () => {
    far.upgrade = null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(1_001);
    forwarder.skip('u-2', 2);
    expect(skipped()).toEqual([['http', 'u-2', 2, undefined, '']]);
  });

  it('remembers the newest 256', async () => {
    far.upgrade = REFUSED;
    const forwarder = await start();
    for (const n of range(1, 300)) forwarder.skip(`u-${n}`, n);
    far.upgrade = 'take';
    await passMs(15_000);
    expect(skipped()).toHaveLength(256);
  });

  it('sends no partial behind a final or a number that was skipped', async () => {
    const forwarder = await start();
    forwarder.partial({ utteranceId: 'u-1', text: 'sen', revision: 0 });
    forwarder.partial({ utteranceId: 'u-1', text: 'sentence', revision: 1 });
    await forwarder.final(final(1));
    forwarder.skip('u-2', 2);
    forwarder.partial({ utteranceId: 'u-2', text: 'hm', revision: 0 });
    await passMs(1_000);
    expect(far.came.map(({ body }) => ('text' in body ? body.text : 'hello'))).toEqual([
      'hello',
      'sen',
      'sentence 1',
      '',
    ]);
  });
});

describe('the end of the forwarder', () => {
  it('leaves what was not acknowledged on disk, for the next start, and says nothing more', async () => {
    far.link = () => null;
    const forwarder = await start();
    await forwarder.final(final(1));
    await passMs(0);
    closers.pop();
    await forwarder.close();
    heard = [];
    forwarder.partial({ utteranceId: 'u-2', text: 'x', revision: 0 });
    await expect(forwarder.final(final(2))).rejects.toThrow('after the end');
    await passMs(60_000);
    expect(heard).toEqual([]);
    expect(spooledNames(disk, DIR)).toHaveLength(1);
  });
});
