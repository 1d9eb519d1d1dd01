import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ConnectionEnd, ConnectionEvents } from '../../../edge/realtime-connection.ts';
import type { ClientEvent } from '../../../edge/realtime-events.ts';
import type { Calm, RealtimeNotice } from '../../../edge/realtime-line.ts';
import { RealtimeLine } from '../../../edge/realtime-line.ts';
import { transcriptionSettings } from '../../../edge/realtime-settings.ts';

const MINUTE = 60_000;
const again: ConnectionEnd = { fatal: false, message: 'cut', retryAfterMs: null };

/** A connection in whose place a test speaks. */
interface Wire {
  events: ConnectionEvents;
  sent: ClientEvent[];
  closed: boolean;
  /** Opens, and sets up a session that lives so long. */
  serve(livesMs?: number): void;
}

let wires: Wire[];
let told: string[];
let notices: RealtimeNotice['kind'][];
let calm: Calm;
let line: RealtimeLine;

beforeEach(() => {
  jest.useFakeTimers({ now: Date.parse('2026-11-26T10:00:00Z') });
  wires = [];
  told = [];
  notices = [];
  calm = 'quiet';
});

afterEach(async () => {
  await line.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const start = (random = 0): void => {
  line = new RealtimeLine({
    connect: (events) => {
      const wire: Wire = {
        events,
        sent: [],
        closed: false,
        serve: (livesMs = 60 * MINUTE) => {
          const session = { expires_at: (Date.now() + livesMs) / 1_000 };
          events.open();
          events.event({ type: 'session.created', session });
          events.event({ type: 'session.updated', session });
        },
      };
      wires.push(wire);
      return {
        send: (event) => !wire.closed && wire.sent.push(event) > 0,
        bufferedBytes: 0,
        close: async () => void (wire.closed = true),
      };
    },
    settings: transcriptionSettings({ transcriptionModel: 'gpt-live-transcribe', turns: 'local' }),
    events: {
      opened: () => told.push('opened'),
      event: (event) => told.push(event.type),
      gone: () => told.push('gone'),
      state: (state, problem) => told.push(problem === null ? state : `${state}: ${problem}`),
      calm: () => calm,
      notice: ({ kind }) => notices.push(kind),
    },
    random: () => random,
  });
  line.start();
};

/** The nth connection, from 1. */
const wire = (n: number): Wire => {
  const found = wires[n - 1];
  if (!found) throw new Error(`nobody dialled ${n} times, only ${wires.length}`);
  return found;
};

describe('a line', () => {
  it('sends its settings first, and is open when they are taken', () => {
    start();
    expect(line.send({ type: 'input_audio_buffer.clear' })).toBe(false);
    wire(1).events.open();
    expect(wire(1).sent).toMatchObject([{ type: 'session.update', session: { type: 'transcription' } }]);
    expect(line.isOpen).toBe(false);
    wire(1).serve();
    expect(line.send({ type: 'input_audio_buffer.clear' })).toBe(true);
    expect(told).toEqual(['connecting', 'open', 'opened']);
  });

  it('doubles its waits up to 15 s, and starts afresh after a session that lasted', () => {
    start();
    const waits: number[] = [];
    for (let n = 1; n <= 9; n += 1) {
      wire(n).events.ended(again);
      const since = Date.now();
      while (wires.length === n) jest.advanceTimersByTime(10);
      waits.push(Date.now() - since);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    wire(10).serve();
    jest.advanceTimersByTime(9_000);
    wire(10).events.ended(again);
    jest.advanceTimersByTime(14_990);
    expect(wires).toHaveLength(10);
    jest.advanceTimersByTime(10);
    wire(11).serve();
    jest.advanceTimersByTime(10_000);
    wire(11).events.ended(again);
    jest.advanceTimersByTime(250);
    expect(wires).toHaveLength(12);
  });

  it('shortens waits at random by up to a half, but not those it was asked for', () => {
    start(1);
    wire(1).events.ended(again);
    jest.advanceTimersByTime(125);
    expect(wires).toHaveLength(2);
    wire(2).events.ended({ ...again, retryAfterMs: 7_000 });
    jest.advanceTimersByTime(6_990);
    expect(wires).toHaveLength(2);
    jest.advanceTimersByTime(10);
    expect(wires).toHaveLength(3);
    expect(told).toEqual(['connecting', 'waiting: cut', 'connecting: cut', 'waiting: cut', 'connecting: cut']);
  });

  it('gives up a session that is not set up within 15 s', () => {
    start();
    wire(1).events.open();
    jest.advanceTimersByTime(15_000);
    expect(wire(1).closed).toBe(true);
    expect(told.at(-1)).toContain('set up no session');
    jest.advanceTimersByTime(250);
    expect(wires).toHaveLength(2);
  });

  it('stops at what no retry can mend, once', () => {
    start();
    wire(1).events.ended({ fatal: true, message: 'no key', retryAfterMs: null });
    wire(1).events.ended({ fatal: true, message: 'no key', retryAfterMs: null });
    jest.advanceTimersByTime(10 * MINUTE);
    expect(wires).toHaveLength(1);
    expect(told).toEqual(['connecting', 'closed: no key']);
  });

  it('hears nothing more of a connection it has left', () => {
    start();
    wire(1).serve();
    line.renew('too slow');
    wire(1).events.event({ type: 'input_audio_buffer.committed', item_id: 'x' });
    wire(1).events.ended(again);
    expect(wire(1).closed).toBe(true);
    expect(told).toEqual(['connecting', 'open', 'opened', 'gone', 'waiting: too slow']);
    expect(notices).toEqual(['reconnect']);
  });
});

describe('before an hour is over', () => {
  it('the next session is open first, then takes its place, at a silence', () => {
    start();
    calm = 'between';
    wire(1).serve();
    jest.advanceTimersByTime(50 * MINUTE - 10);
    expect(wires).toHaveLength(1);
    jest.advanceTimersByTime(10);
    wire(2).serve();
    expect(wire(1).closed).toBe(false);
    jest.advanceTimersByTime(5 * MINUTE);
    calm = 'busy';
    line.calmer();
    expect(wire(1).closed).toBe(false);
    calm = 'quiet';
    line.calmer();
    expect(wire(1).closed).toBe(true);
    expect(told).toEqual(['connecting', 'open', 'opened', 'gone', 'opened']);
    expect(notices).toEqual(['rotation']);
    jest.advanceTimersByTime(43 * MINUTE);
    expect(wires).toHaveLength(2);
    // The second was opened earlier than it took over, and ends earlier.
    jest.advanceTimersByTime(2 * MINUTE);
    expect(wires).toHaveLength(3);
  });

  it.each([
    ['between', 59 * MINUTE],
    ['busy', 60 * MINUTE - 15_000],
  ] as const)('without a silence it happens while %s after %d ms', (how, afterMs) => {
    start();
    calm = how;
    wire(1).serve();
    jest.advanceTimersByTime(50 * MINUTE);
    wire(2).serve();
    jest.advanceTimersByTime(afterMs - 50 * MINUTE - 100);
    expect(wire(1).closed).toBe(false);
    jest.advanceTimersByTime(200);
    expect(wire(1).closed).toBe(true);
    expect(line.isOpen).toBe(true);
  });

  it('a next session that ends while it waits is dialled again, unnoticed', () => {
    start();
    calm = 'between';
    wire(1).serve();
    jest.advanceTimersByTime(50 * MINUTE);
    wire(2).serve();
    wire(2).events.ended(again);
    jest.advanceTimersByTime(250);
    wire(3).events.ended({ fatal: true, message: 'no quota', retryAfterMs: null });
    jest.advanceTimersByTime(500);
    wire(4).serve();
    expect(told).toEqual(['connecting', 'open', 'opened']);
    calm = 'quiet';
    line.calmer();
    expect(told.slice(3)).toEqual(['gone', 'opened']);
  });

  it('a session that ends early finds the next one open already', () => {
    start();
    calm = 'busy';
    wire(1).serve();
    jest.advanceTimersByTime(50 * MINUTE);
    wire(2).serve();
    wire(1).events.event({ type: 'error', error: { code: 'session_expired', type: 'invalid_request_error' } });
    expect(told.slice(3)).toEqual(['gone', 'opened']);
    expect(line.isOpen).toBe(true);
    expect(notices).toContain('reconnect');
  });

  it.each([
    ['an hour ahead', -1],
    ['a day behind', 24 * 60 * MINUTE],
    ['a little ahead', 30_000],
  ])('a clock that is %s does not decide when', (_which, livesMs) => {
    start();
    wire(1).serve(livesMs);
    jest.advanceTimersByTime(50 * MINUTE - 1);
    expect(wires).toHaveLength(1);
    jest.advanceTimersByTime(2);
    expect(wires).toHaveLength(2);
  });

  it('a clock that jumps meanwhile changes nothing', () => {
    start();
    wire(1).serve();
    jest.setSystemTime(Date.now() + 24 * 60 * MINUTE);
    jest.advanceTimersByTime(50 * MINUTE - 1);
    expect(wires).toHaveLength(1);
    jest.advanceTimersByTime(2);
    expect(wires).toHaveLength(2);
  });

  it('a service that says how long it takes is believed', () => {
    start();
    wire(1).serve(15 * MINUTE);
    // Ten minutes before the end would be in the first half of it.
    jest.advanceTimersByTime(7.5 * MINUTE - 1);
    expect(wires).toHaveLength(1);
    jest.advanceTimersByTime(2);
    expect(wires).toHaveLength(2);
  });
});
