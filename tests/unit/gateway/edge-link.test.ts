import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { LinkDown, MAX_LINK_MESSAGE_BYTES } from '../../../contracts/edge-link.ts';
import type { AcceptedReply, FinalReply } from '../../../contracts/replies.ts';
import type { Transcript } from '../../../contracts/transcript.ts';
import { LINK_CLOSE, MAX_FINALS, MAX_MALFORMED } from '../../../gateway/edge-conversation.ts';
import type { Link, LinkPeer } from '../../../gateway/edge-conversation.ts';
import { createEdgeLinks } from '../../../gateway/edge-link.ts';
import type { EdgeLinks } from '../../../gateway/edge-link.ts';
import { SlowReader } from '../../../gateway/event-stream.ts';
import type { Listener } from '../../../gateway/link-events.ts';
import { createInFlight } from '../../../gateway/middleware/limit-in-flight.ts';
import { ProblemError, problemType } from '../../../gateway/problems.ts';
import type { Submission } from '../../../gateway/submit-transcript.ts';
import { EngineUnavailable } from '../../../gateway/task-engine.ts';
import { createLog } from '../../../platform/log.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { accepted, traceEvent, TRACE_ID } from '../../fakes/gateway-server.ts';

const SECRET = 'a-secret-nobody-should-see';
const reply = accepted as AcceptedReply;
const declined: FinalReply = { status: 'declined', trace_id: TRACE_ID, reason: 'small talk' };

/** The far end: what it was sent, and how it was closed. `stuck`: nothing leaves. */
const createPeer = () => {
  const sent: LinkDown[] = [];
  const peer = {
    sent,
    end: null as { code: number; reason: string } | null,
    stuck: false,
    waitingBytes: 0,
    send: (text: string): Promise<void> => {
      sent.push(LinkDown.parse(JSON.parse(text)));
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_LINK_MESSAGE_BYTES);
      if (!peer.stuck) return Promise.resolve();
      peer.waitingBytes += Buffer.byteLength(text);
      return new Promise(() => undefined);
    },
    close: (code: number, reason: string): void => {
      peer.end ??= { code, reason };
    },
  };
  return peer satisfies LinkPeer;
};

let finals: Submission[];
let partials: Transcript[];
let answer: (said: Submission) => Promise<FinalReply>;
let listeners: (Listener & { followed: string[] })[];
let adopted: [string, string][];
let adopting: Promise<void>;
let lines: string[];
let links: EdgeLinks;

beforeEach(() => {
  [finals, partials, listeners, adopted, lines] = [[], [], [], [], []];
  answer = async () => reply;
  adopting = Promise.resolve();
  links = linksOf(256);
});
const linksOf = (maxInFlight: number): EdgeLinks =>
  createEdgeLinks({
    submit: {
      final: (said) => {
        finals.push(said);
        return answer(said);
      },
      partial: (said) => void partials.push(said),
    },
    events: (listener) => {
      const followed: string[] = [];
      listeners.push({ ...listener, followed });
      return { follow: (traceId) => void followed.push(traceId) };
    },
    sessions: {
      adopt: async (sessionId, traceId) => {
        await adopting;
        adopted.push([sessionId, traceId]);
      },
    },
    inFlight: createInFlight(maxInFlight),
    hosts: new Set(['127.0.0.1']),
    token: 'token',
    scrub: createScrub([SECRET]),
    log: createLog(
      'test',
      (text) => text,
      'info',
      (line) => lines.push(line),
    ),
  });

const hello = { type: 'hello', session_id: 's', after: null };
const transcript = (id: string, more: Record<string, unknown> = {}) => ({
  type: 'transcript',
  text: 'refactor',
  is_final: true,
  utterance_id: id,
  session_id: 's',
  ...more,
});
/** A link that has said hello, unless told otherwise. */
const open = (
  first: unknown = hello,
): { peer: ReturnType<typeof createPeer>; link: Link; up: (m: unknown) => void } => {
  const peer = createPeer();
  const link = links.open(peer);
  opened.push(link);
  const up = (message: unknown): void => link.message(typeof message === 'string' ? message : JSON.stringify(message));
  if (first !== null) up(first);
  return { peer, link, up };
};
const opened: Link[] = [];
afterEach(() => {
  for (const link of opened.splice(0)) link.closed();
});
const thrown = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
};
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('hello', () => {
  it('comes first, with what was seen last', () => {
    const after = 'a'.repeat(32);
    const { peer } = open({ ...hello, after });
    expect(listeners).toMatchObject([{ sessionId: 's', after }]);
    expect([peer.sent, peer.end]).toEqual([[], null]);
  });

  it.each([
    ['a transcript', transcript('u')],
    ['a malformed transcript', { type: 'transcript', utterance_id: 'u' }],
    ['nonsense', 'nonsense'],
    ['a hello without a session', { type: 'hello', after: null }],
    ['a hello after something that is no id', { ...hello, after: 'x' }],
  ])('%s in its place ends the link, and refuses no final', async (_what, message) => {
    const { peer } = open(message);
    await settled();
    expect(peer.end).toEqual({ code: LINK_CLOSE.refused, reason: 'hello comes first' });
    expect(peer.sent.every((one) => one.type === 'error' && one.utterance_id === null)).toBe(true);
    expect([finals, listeners]).toEqual([[], []]);
  });

  it('comes once; again, it is a mistake that ends nothing', () => {
    const { peer, up } = open();
    up({ ...hello, session_id: 'other' });
    expect(peer.sent).toMatchObject([{ type: 'error', status: 400, utterance_id: null }]);
    expect(peer.end).toBeNull();
    expect(listeners).toHaveLength(1);
  });

  it('is waited for 5 s', () => {
    jest.useFakeTimers();
    try {
      const late = open(null);
      const inTime = open(null);
      jest.advanceTimersByTime(4_900);
      inTime.up(hello);
      jest.advanceTimersByTime(200);
      expect(late.peer.end).toEqual({ code: LINK_CLOSE.refused, reason: 'no hello came' });
      expect(inTime.peer.end).toBeNull();
    } finally {
      jest.useRealTimers();
    }
  });

  it('of a session that has a link already replaces that link', () => {
    const first = open();
    const second = open();
    const other = open({ ...hello, session_id: 't' });
    expect(first.peer.end?.code).toBe(LINK_CLOSE.replaced);
    expect(listeners[0]?.signal.aborted).toBe(true);
    first.link.closed();
    links.answered('s', reply);
    expect(listeners.map(({ followed }) => followed)).toEqual([[], [TRACE_ID], []]);
    expect([second.peer.end, other.peer.end]).toEqual([null, null]);
  });
});

describe('a transcript', () => {
  it('is submitted as over HTTP, without what belongs to the link', async () => {
    const { peer, up } = open();
    const more = { sequence: 3, latency_ms: 12.5, timestamp: '2026-11-26T10:00:00.000Z' };
    up(transcript('u', more));
    up(transcript('p', { is_final: false, revision: 1 }));
    await settled();
    const { type: _type, ...body } = transcript('u', more);
    expect(finals).toEqual([body]);
    expect(partials).toMatchObject([{ utterance_id: 'p', revision: 1, is_final: false }]);
    expect(peer.sent).toEqual([{ type: 'ack', utterance_id: 'u', status: 202, reply }]);
  });

  it('is acknowledged with the status of POST /transcript', async () => {
    const { peer, up } = open();
    answer = async () => declined;
    up(transcript('u'));
    await settled();
    expect(peer.sent).toEqual([{ type: 'ack', utterance_id: 'u', status: 200, reply: declined }]);
    expect(listeners[0]?.followed).toEqual([]);
  });

  it('has its task told to the link it came over, and to the session it belongs to', async () => {
    const old = open({ ...hello, session_id: 'former' });
    const { up } = open();
    up(transcript('u', { session_id: 'former' }));
    await settled();
    expect(listeners.map(({ sessionId, followed }) => [sessionId, followed])).toEqual([
      ['former', [TRACE_ID]],
      ['s', [TRACE_ID]],
    ]);
    expect(adopted).toEqual([['s', TRACE_ID]]);
    up(transcript('v'));
    await settled();
    expect(adopted).toHaveLength(1);
    expect(old.peer.sent).toEqual([]);
  });

  it('of an earlier session is acknowledged only when it is noted whose it is now', async () => {
    const { peer, up } = open();
    let noted = (): void => undefined;
    adopting = new Promise((resolve) => (noted = resolve));
    up(transcript('u', { session_id: undefined }));
    await settled();
    expect(peer.sent).toEqual([]);
    noted();
    await settled();
    expect(peer.sent).toMatchObject([{ type: 'ack', utterance_id: 'u' }]);
  });

  it('is scrubbed of our secrets before anything sees it', async () => {
    const { up } = open();
    up(transcript('u', { text: `say ${SECRET}` }));
    await settled();
    expect(finals[0]?.text).toBe('say [secret]');
  });

  it('does not wait for one before it', async () => {
    const { peer, up } = open();
    let release = (_reply: FinalReply): void => undefined;
    answer = (said) =>
      said.utterance_id === 'slow' ? new Promise((resolve) => (release = resolve)) : Promise.resolve(declined);
    up(transcript('slow'));
    up(transcript('quick'));
    await settled();
    expect(peer.sent.map((one) => one.type !== 'event' && one.utterance_id)).toEqual(['quick']);
    release(reply);
    await settled();
    expect(peer.sent.map((one) => one.type !== 'event' && one.utterance_id)).toEqual(['quick', 'slow']);
  });

  it('whose link is gone is carried out all the same, and nothing is sent', async () => {
    const { peer, link, up } = open();
    let release = (_reply: FinalReply): void => undefined;
    answer = () => new Promise((resolve) => (release = resolve));
    up(transcript('u'));
    link.closed();
    release(reply);
    await settled();
    expect(peer.sent).toEqual([]);
    up(transcript('v'));
    expect(finals).toHaveLength(1);
    expect(links.size).toBe(0);
  });
});

describe('what is wrong', () => {
  const broken = new Error('the inner secret');
  it.each([
    ['utterance-conflict', new ProblemError('utterance-conflict', 'another text'), 409, undefined],
    ['too-old', new ProblemError('too-old', 'last month'), 400, undefined],
    ['too-many', new ProblemError('too-many', 'later', { retryAfterS: 1 }), 429, 1_000],
    ['storage-unavailable', new ProblemError('storage-unavailable', 'full', { retryAfterS: 5 }), 503, 5_000],
    ['unavailable', new EngineUnavailable('Temporal does not answer'), 503, 2_000],
    ['internal', broken, 500, undefined],
  ] as const)('is told with its utterance: %s', async (name, error, status, retryAfterMs) => {
    const { peer, up } = open();
    answer = () => Promise.reject(error);
    up(transcript('u'));
    await settled();
    expect(peer.sent).toEqual([
      {
        type: 'error',
        utterance_id: 'u',
        status,
        ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
        problem: expect.objectContaining({ type: problemType(name), status }) as unknown,
      },
    ]);
    expect(peer.end).toBeNull();
    expect(JSON.stringify(peer.sent)).not.toContain('inner secret');
    expect(lines.join().includes('inner secret')).toBe(error === broken);
  });

  it.each([
    ['malformed JSON', '{"type":', null],
    ['a list', '[]', null],
    ['null', 'null', null],
    ['an empty message', '', null],
    ['nesting without end', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, null],
    ['no type', JSON.stringify({ utterance_id: 'u' }), 'u'],
    ['another type', JSON.stringify({ type: 'stop', utterance_id: 'u' }), 'u'],
    ['no utterance', JSON.stringify({ ...transcript('u'), utterance_id: undefined }), null],
    ['an utterance id with blanks', JSON.stringify(transcript('a b')), null],
    ['no text', JSON.stringify({ ...transcript('u'), text: undefined }), 'u'],
    ['a word for a truth', JSON.stringify(transcript('u', { is_final: 'yes' })), 'u'],
    ['an unknown field', JSON.stringify(transcript('u', { shell: 'rm' })), 'u'],
    ['9 kB of text', JSON.stringify(transcript('u', { text: 'refactor '.repeat(1_000) })), 'u'],
    ['a bad partial', JSON.stringify(transcript('u', { is_final: false, sequence: -1 })), 'u'],
  ])('%s is answered 400, with its utterance where it can be read', async (_what, text, utteranceId) => {
    const { peer, up } = open();
    up(text);
    await settled();
    expect(peer.sent).toMatchObject([
      { type: 'error', status: 400, utterance_id: utteranceId, problem: { type: problemType('bad-request') } },
    ]);
    expect(peer.end).toBeNull();
    expect([finals, partials]).toEqual([[], []]);
  });

  it('says where, never what was said', () => {
    const { peer, up } = open();
    up(transcript('u', { text: { my: 'private words' } }));
    expect(peer.sent).toMatchObject([{ problem: { detail: expect.stringContaining('text') as unknown } }]);
    expect(JSON.stringify(peer.sent)).not.toContain('private words');
  });

  it('is 413 when it is too much, also when it is no JSON', () => {
    const { peer, up } = open();
    up(transcript('u', { text: 'x'.repeat(MAX_LINK_MESSAGE_BYTES) }));
    up('x'.repeat(MAX_LINK_MESSAGE_BYTES + 1));
    expect(peer.sent).toMatchObject([
      { status: 413, utterance_id: 'u' },
      { status: 413, utterance_id: null },
    ]);
  });

  it('ends the link when it goes on and on', () => {
    const { peer, up } = open();
    for (let n = 0; n < MAX_MALFORMED - 1; n++) up('nonsense');
    expect(peer.end).toBeNull();
    for (let n = 0; n < 10; n++) up('nonsense');
    expect(peer.end?.code).toBe(LINK_CLOSE.refused);
    expect(peer.sent).toHaveLength(MAX_MALFORMED);
  });

  it('of any kind at all throws nothing and is answered once, unless it is a partial', async () => {
    const anything = fc.object().map((fields) => JSON.stringify({ ...transcript('u'), ...fields }));
    const spoilt = fc
      .tuple(fc.constantFrom(...Object.keys(transcript('u')), 'sequence', 'revision', 'timestamp'), fc.jsonValue())
      .map(([name, value]) => JSON.stringify({ ...transcript('u'), [name]: value }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), anything, spoilt), async (text) => {
        const { peer, link } = open();
        partials = [];
        link.message(text);
        await settled();
        expect(peer.sent.length + partials.length).toBe(1);
        link.closed();
      }),
      { numRuns: 500 },
    );
  });
});

describe('too much', () => {
  it('of finals on one link is answered 429 at once, and the rest goes on', async () => {
    const { peer, up } = open();
    const held: (() => void)[] = [];
    answer = () => new Promise((resolve) => held.push(() => resolve(declined)));
    for (let n = 0; n <= MAX_FINALS; n++) up(transcript(`u${n}`));
    await settled();
    expect(peer.sent).toMatchObject([
      { type: 'error', status: 429, retry_after_ms: 1_000, utterance_id: `u${MAX_FINALS}` },
    ]);
    up(transcript('p', { is_final: false }));
    expect(partials).toHaveLength(1);
    held.forEach((release) => release());
    await settled();
    expect(peer.sent).toHaveLength(1 + MAX_FINALS);
    up(transcript('next'));
    expect(finals).toHaveLength(MAX_FINALS + 1);
  });

  it('counts with what came over HTTP', async () => {
    links = linksOf(1);
    const { peer, up } = open();
    let release = (_reply: FinalReply): void => undefined;
    answer = () => new Promise((resolve) => (release = resolve));
    up(transcript('one'));
    up(transcript('two'));
    await settled();
    expect(peer.sent).toMatchObject([{ status: 429, utterance_id: 'two' }]);
    release(declined);
    await settled();
    up(transcript('three'));
    expect(finals).toHaveLength(2);
  });

  it('for an edge that does not read ends its link', async () => {
    const { peer, up } = open();
    peer.stuck = true;
    answer = () => Promise.reject(new ProblemError('too-old', 'x'.repeat(30_000)));
    for (let n = 0; n < 100; n++) {
      up(transcript(`u${n}`));
      await settled();
    }
    expect(peer.end?.code).toBe(LINK_CLOSE.slow);
    expect(peer.sent.length).toBeLessThan(80);
  });
});

describe('an event', () => {
  const heard = () => {
    const { peer } = open();
    const [listener] = listeners;
    if (!listener) throw new Error('nobody listens');
    return { peer, listener };
  };

  it('is told whole', async () => {
    const { peer, listener } = heard();
    await listener.tell(traceEvent(1));
    expect(peer.sent).toEqual([{ type: 'event', ...traceEvent(1) }]);
  });

  it('that is too large for a message goes without what is large, and says so', async () => {
    const { peer, listener } = heard();
    const payload = { summary: 'kept', huge: 'x'.repeat(100_000), many: 'é'.repeat(20_000), last: 1 };
    await listener.tell(traceEvent(1, { payload }));
    expect(peer.sent).toMatchObject([
      { event_id: traceEvent(1).event_id, payload: { cut: true, summary: 'kept', last: 1 } },
    ]);
    expect(JSON.stringify(peer.sent)).not.toContain('xxx');
  });

  it('waits for an edge that is behind, and gives it up when it takes nothing', async () => {
    const { peer, listener } = heard();
    peer.stuck = true;
    const event = traceEvent(1, { payload: { words: 'x'.repeat(50_000) } });
    for (let n = 0; n < 5; n++) await listener.tell(event);
    await expect(listener.tell(event)).rejects.toBeInstanceOf(SlowReader);
    listener.failed(new SlowReader());
    expect(peer.end?.code).toBe(LINK_CLOSE.slow);
    await expect(listener.tell(event)).rejects.toThrow('too slow');
  }, 15_000);

  it('that cannot be told ends the link, and the reason stays in the log', () => {
    const { peer, listener } = heard();
    listener.failed(new Error('the inner secret'));
    expect(peer.end).toEqual({ code: LINK_CLOSE.failed, reason: 'the gateway failed' });
    expect(lines.join()).toContain('the inner secret');
  });
});

describe('the end', () => {
  it('lets what is being answered be answered, takes nothing more and closes all', async () => {
    const { peer, up } = open();
    const other = open({ ...hello, session_id: 't' });
    let release = (_reply: FinalReply): void => undefined;
    answer = () => new Promise((resolve) => (release = resolve));
    up(transcript('u'));
    const closing = links.close();
    up(transcript('v'));
    await settled();
    expect([peer.end, finals.length]).toEqual([null, 1]);
    expect(
      thrown(() => links.admit({ headers: { host: '127.0.0.1', authorization: 'Bearer token' }, url: '/ws/edge' })),
    ).toMatchObject({
      problem: 'not-ready',
      retryAfterS: 5,
    });
    release(declined);
    await closing;
    expect(peer.sent).toMatchObject([{ type: 'ack', utterance_id: 'u' }]);
    expect([peer.end?.code, other.peer.end?.code]).toEqual([LINK_CLOSE.ending, LINK_CLOSE.ending]);
  });

  it('does not wait for ever', async () => {
    const { peer, up } = open();
    answer = () => new Promise(() => undefined);
    up(transcript('u'));
    const started = performance.now();
    await links.close();
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(peer.end?.code).toBe(LINK_CLOSE.ending);
  });
});
