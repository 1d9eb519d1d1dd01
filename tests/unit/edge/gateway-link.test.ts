import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { LinkAck, LinkError, LinkTranscript } from '../../../contracts/edge-link.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { createGatewayLink } from '../../../edge/gateway-link.ts';
import type { GatewayLink, GatewaySocket, SocketEnd, SocketEvents } from '../../../edge/gateway-link.ts';
import { traceEvent } from '../../fakes/gateway-server.ts';

/** A connection a test holds the other end of. */
interface Line {
  sent: string[];
  events: SocketEvents;
  ended: boolean;
  dropped: string | null;
}

const END: SocketEnd = { reason: 'gone', status: null, retryAfterMs: null };
const PARTIAL: LinkTranscript = { type: 'transcript', is_final: false, utterance_id: 'u-1', text: 'ref' };

let lines: Line[] = [];
let heard: string[] = [];
let link: GatewayLink;

const lineNow = (): Line => {
  const line = lines.at(-1);
  if (!line) throw new Error('no connection was opened');
  return line;
};
const open = (events: SocketEvents): GatewaySocket => {
  const line: Line = { sent: [], events, ended: false, dropped: null };
  lines.push(line);
  return {
    send: (text) => line.sent.push(text),
    bufferedBytes: 7,
    end: () => {
      line.ended = true;
    },
    drop: (reason) => {
      line.dropped = reason;
    },
  };
};
const start = (random = () => 0.999): void => {
  link = createGatewayLink({
    open,
    sessionId: 'edge-1',
    random,
    events: {
      up: () => heard.push('up'),
      down: ({ reason }, wasUp) => heard.push(`down ${reason} ${wasUp}`),
      ack: ({ utterance_id: id }: LinkAck) => heard.push(`ack ${id}`),
      refused: ({ utterance_id: id, status }: LinkError) => heard.push(`refused ${id} ${status}`),
      task: (event: TraceEvent) => heard.push(`task ${event.seq}`),
    },
  });
};
const say = (message: unknown): void => lineNow().events.message(JSON.stringify(message));

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  heard = [];
  start();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the link to the gateway', () => {
  it('greets first, and sends only while it is up', () => {
    expect(link.up).toBe(false);
    expect(link.send(PARTIAL)).toBe(false);
    lineNow().events.opened();
    expect(link.up).toBe(true);
    expect(link.send(PARTIAL)).toBe(true);
    expect(lineNow().sent.map((text) => JSON.parse(text) as unknown)).toEqual([
      { type: 'hello', session_id: 'edge-1', after: null },
      PARTIAL,
    ]);
    expect(link.bufferedBytes).toBe(7);
    lineNow().events.closed(END);
    expect(link.up).toBe(false);
    expect(link.send(PARTIAL)).toBe(false);
    expect(link.bufferedBytes).toBe(0);
    expect(heard).toEqual(['up', 'down gone true']);
  });

  it('resumes behind the last event, and tells each event once', () => {
    lineNow().events.opened();
    say({ type: 'event', ...traceEvent(1) });
    say({ type: 'event', ...traceEvent(2) });
    lineNow().events.closed(END);
    jest.advanceTimersByTime(250);
    lineNow().events.opened();
    expect(JSON.parse(lineNow().sent[0] ?? '')).toEqual({
      type: 'hello',
      session_id: 'edge-1',
      after: traceEvent(2).event_id,
    });
    say({ type: 'event', ...traceEvent(1) });
    say({ type: 'event', ...traceEvent(3) });
    lineNow().events.closed(END);
    jest.advanceTimersByTime(15_000);
    lineNow().events.opened();
    expect(JSON.parse(lineNow().sent[0] ?? '')).toMatchObject({ after: traceEvent(3).event_id });
    expect(heard.filter((one) => one.startsWith('task'))).toEqual(['task 1', 'task 2', 'task 3']);
    expect(link.counts.repeated).toBe(1);
  });

  it('hands events on as the contract has them', () => {
    const got: TraceEvent[] = [];
    const events = { up: jest.fn(), down: jest.fn(), ack: jest.fn(), refused: jest.fn() };
    createGatewayLink({ open, sessionId: 'edge-1', events: { ...events, task: (event) => got.push(event) } });
    say({ type: 'event', ...traceEvent(1) });
    expect(got).toEqual([traceEvent(1)]);
  });

  it('forgets the oldest ids, not without end', () => {
    lineNow().events.opened();
    for (let n = 0; n <= 10_000; n++) say({ type: 'event', ...traceEvent(n) });
    say({ type: 'event', ...traceEvent(10_000) });
    expect(link.counts.repeated).toBe(1);
    say({ type: 'event', ...traceEvent(0) });
    expect(link.counts.repeated).toBe(1);
  });

  it('tells acknowledgements and refusals', () => {
    lineNow().events.opened();
    const reply = { status: 'declined', trace_id: 'a'.repeat(32), reason: 'no order' };
    const problem = { type: 'urn:dual:problem:too-many', title: 'too much', status: 429 };
    say({ type: 'ack', utterance_id: 'u-1', status: 200, reply });
    say({ type: 'error', utterance_id: 'u-2', status: 429, retry_after_ms: 5, problem });
    say({ type: 'error', utterance_id: null, status: 400, problem });
    expect(heard).toEqual(['up', 'ack u-1', 'refused u-2 429', 'refused null 400']);
  });

  it('counts what it does not understand, and goes on', () => {
    lineNow().events.opened();
    for (const text of ['', '{', 'null', '[]', '{"type":"other"}', '{"type":"ack"}', '{"type":"event","v":2}'])
      lineNow().events.message(text);
    expect(link.counts.malformed).toBe(7);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => lineNow().events.message(text)));
    say({ type: 'event', ...traceEvent(1) });
    expect(heard).toEqual(['up', 'task 1']);
  });

  it('comes back ever more slowly, up to 15 s, until a connection holds', () => {
    const waits: number[] = [];
    const wait = (): void => {
      const before = lines.length;
      let ms = 0;
      for (; lines.length === before && ms < 60_000; ms++) jest.advanceTimersByTime(1);
      waits.push(ms);
    };
    for (let n = 0; n < 9; n++) {
      // One that opens and falls is no better than none.
      if (n % 2 === 0) lineNow().events.opened();
      lineNow().events.closed(END);
      wait();
    }
    expect(waits).toEqual([249, 499, 999, 1_998, 3_996, 7_992, 14_985, 14_985, 14_985]);
    lineNow().events.opened();
    jest.advanceTimersByTime(5_000);
    lineNow().events.closed(END);
    wait();
    expect(waits.at(-1)).toBe(249);
    expect(link.counts.reconnects).toBe(10);
  });

  it.each([
    [401, null, 15_000],
    [403, null, 15_000],
    [404, null, 15_000],
    [429, 700, 700],
    [503, 3_000, 3_000],
  ])('refused with %d (Retry-After %s): not before %d ms', (status, retryAfterMs, ms) => {
    lineNow().events.closed({ reason: 'refused', status, retryAfterMs });
    jest.advanceTimersByTime(ms - 1);
    expect(lines).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(lines).toHaveLength(2);
  });

  it('drops a connection for a new one', () => {
    lineNow().events.opened();
    link.drop('deaf');
    expect(lineNow().dropped).toBe('deaf');
    lineNow().events.closed({ ...END, reason: 'deaf' });
    jest.advanceTimersByTime(250);
    expect(lines).toHaveLength(2);
  });

  it('closes once, whether it is up, on its way or between two attempts, and never comes back', async () => {
    lineNow().events.opened();
    const closed = Promise.all([link.close(), link.close()]);
    expect(lineNow().ended).toBe(true);
    lineNow().events.closed(END);
    await closed;
    start();
    lineNow().events.closed(END);
    await link.close();
    jest.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });
});
