import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FinalReply } from '../../../contracts/replies.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { createEdge } from '../../../edge/create-edge.ts';
import type { EarEvents } from '../../../edge/ears.ts';
import { createMint } from '../../../edge/ears.ts';
import type { EdgeEvent } from '../../../edge/edge-events.ts';
import type { FinalTranscript, ForwarderEvents } from '../../../edge/forwarder.ts';
import { createEdgeMetrics } from '../../../edge/metrics.ts';
import type { Utterance } from '../../../edge/utterance.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const TRACE = 'a'.repeat(32);

/** An edge whose ears and forwarder do what the test says. */
const bench = (about: { sendsFinals?: boolean; own?: (text: string) => string } = {}) => {
  const { sendsFinals = true, own = (text: string): string => text } = about;
  const told: EdgeEvent[] = [];
  const sent: FinalTranscript[] = [];
  const skipped: number[] = [];
  let ears: EarEvents | undefined;
  let way: Omit<ForwarderEvents, 'spool'> | undefined;
  let refusesToSpool = false;
  const hushed: string[] = [];
  const edge = createEdge({
    openEars: (events) => {
      ears = events;
      return {
        capture: {
          mute: () => undefined,
          isMuted: false,
          levelDbfs: -40,
          counts: { captured: 0, muted: 0, restarts: 0, lostMs: 0 },
        },
        frames: () => ({ captured: 50, sent: 20, silent: 30, lost: 0 }),
        done: new Promise(() => undefined),
        close: () => Promise.resolve(),
      };
    },
    openForwarder: (events) => {
      way = events;
      return {
        partial: () => undefined,
        final: (transcript) => {
          if (refusesToSpool) return Promise.reject(new Error('neither disk nor memory takes it'));
          sent.push(transcript);
          return Promise.resolve();
        },
        skip: (_id, sequence) => void skipped.push(sequence),
        pending: 0,
        close: () => Promise.resolve(),
      };
    },
    answers: { playing: false, hush: () => void hushed.push('hush'), drained: () => Promise.resolve() },
    taskAnswers: {
      acked: () => undefined,
      refused: () => undefined,
      lost: () => undefined,
      task: () => undefined,
      settled: () => Promise.resolve(),
    },
    bargeIn: {
      speechStart: () => undefined,
      partial: () => undefined,
      speechEnd: () => undefined,
      final: (_id, text) => own(text),
      lost: () => undefined,
    },
    hushes: (text) => text === 'stop',
    sendsFinals,
    said: () => Promise.resolve(),
    emit: (event) => told.push(event),
    metrics: createEdgeMetrics('test'),
  });
  const mint = createMint();
  const says = (): Utterance => {
    const utterance = mint.next(100);
    ears?.began(utterance, performance.now());
    ears?.ended(utterance.utteranceId, 900);
    return utterance;
  };
  const settle = async (): Promise<number | 'open'> => {
    const settled = edge.settle(new AbortController().signal);
    await jest.advanceTimersByTimeAsync(400_000);
    return Promise.race([settled, Promise.resolve('open' as const)]);
  };
  return {
    edge,
    told,
    sent,
    skipped,
    hushed,
    says,
    settle,
    ears: ears as unknown as EarEvents,
    way: way as unknown as Omit<ForwarderEvents, 'spool'>,
    breakSpool: () => void (refusesToSpool = true),
  };
};
const accepted: FinalReply = {
  status: 'accepted',
  trace_id: TRACE,
  workflow_id: `voice-${TRACE}`,
  jobs: [{ job_id: `${TRACE}-1`, agent: 'coding', skill: 'coding', instruction: 'x', depends_on: [] }],
  links: { trace: '/t', events: '/e', temporal_ui: 'http://x' },
};
const ended = {
  trace_id: TRACE,
  job_id: null,
  phase: 'completed',
  payload: { outcome: 'succeeded' },
} as unknown as TraceEvent;
const errors = (told: readonly EdgeEvent[]): string =>
  told
    .filter(({ event }) => event === 'error')
    .map(({ text }) => text)
    .join('\n');

describe('an edge that wants to end', () => {
  it('ends well when all was taken and every task has ended', async () => {
    const { ears, way, says, settle, sent } = bench();
    way.state('link', null);
    const { utteranceId } = says();
    ears.final(utteranceId, 'refactor the API');
    expect(sent).toMatchObject([{ utteranceId, sequence: 1, text: 'refactor the API' }]);
    way.acked(utteranceId, accepted);
    way.task(ended);
    expect(await settle()).toBe(0);
  });

  it('does not wait for ever for a text: it is lost, said, and nobody waits for its number', async () => {
    const { way, says, settle, told, skipped } = bench();
    way.state('link', null);
    says();
    expect(await settle()).toBe(3);
    expect(errors(told)).toMatch(/gave no text/);
    expect(skipped).toEqual([1]);
  });

  it.each([
    ['away', 'waiting'],
    ['there, and takes nothing', 'link'],
  ] as const)('does not wait for ever for a gateway that is %s: what was said is kept', async (_what, state) => {
    const { ears, way, says, settle, told } = bench();
    way.state(state, state === 'link' ? null : 'nothing listens');
    ears.final(says().utteranceId, 'refactor the API');
    expect(await settle()).toBe(3);
    expect(errors(told)).toMatch(/kept, and delivered at the next start/);
  });

  it('does not wait for ever for a task of which nothing is heard any more: not reached, and said', async () => {
    const { ears, way, says, settle, told } = bench();
    way.state('link', null);
    const { utteranceId } = says();
    ears.final(utteranceId, 'refactor the API');
    way.acked(utteranceId, accepted);
    way.state('waiting', 'the link broke');
    expect(await settle()).toBe(3);
    expect(errors(told)).toMatch(/nothing is heard of 1 running/);
  });

  it('waits for a task that runs, however long', async () => {
    const { ears, way, says, settle } = bench();
    way.state('link', null);
    const { utteranceId } = says();
    ears.final(utteranceId, 'refactor the API');
    way.acked(utteranceId, accepted);
    expect(await settle()).toBe('open');
  });
});

describe('what becomes of a sentence', () => {
  it('an echo of our own voice, and silence, go nowhere, and their numbers are told', () => {
    const { ears, says, sent, skipped } = bench({ own: (text) => (text === 'two jobs started' ? '' : text) });
    ears.final(says().utteranceId, 'two jobs started');
    ears.final(says().utteranceId, ' ');
    expect(sent).toEqual([]);
    expect(skipped).toEqual([1, 2]);
  });

  it('a word to be silent is obeyed at its first partial', () => {
    const { ears, says, hushed } = bench();
    const { utteranceId } = says();
    ears.partial(utteranceId, 'stop');
    expect(hushed).toEqual(['hush']);
  });

  it('that neither disk nor memory takes is told as lost', async () => {
    const { ears, says, told, breakSpool, edge } = bench();
    breakSpool();
    ears.final(says().utteranceId, 'refactor the API');
    await jest.advanceTimersByTimeAsync(1);
    expect(errors(told)).toMatch(/neither disk nor memory/);
    expect(edge.exitCode()).toBe(3);
  });

  it('in a conversation goes to the gateway only when it is submitted, once', async () => {
    const { ears, way, says, edge, sent } = bench({ sendsFinals: false });
    const { utteranceId } = says();
    ears.final(utteranceId, 'please refactor the API');
    expect(sent).toEqual([]);
    const answer = edge.submit(utteranceId, 'refactor the API');
    expect(sent).toMatchObject([{ utteranceId, sequence: 1, text: 'refactor the API' }]);
    way.acked(utteranceId, accepted);
    await expect(answer).resolves.toEqual(accepted);
    await expect(edge.submit(utteranceId, 'again')).rejects.toThrow('nothing was said');
  });

  it('in a conversation that ends without an order is told to nobody, whenever its text comes', async () => {
    const { ears, says, edge, sent, skipped } = bench({ sendsFinals: false });
    const { utteranceId } = says();
    edge.unsent(utteranceId);
    ears.final(utteranceId, 'how are you');
    expect(skipped).toEqual([1]);
    await expect(edge.submit(utteranceId, 'x')).rejects.toThrow('nothing was said');
    expect(sent).toEqual([]);
  });

  it('tells programs where speech began and ended, under the trace the gateway will give it', () => {
    const { says, told } = bench();
    const { utteranceId } = says();
    expect(told.map(({ event, audioMs, utteranceId: id }) => [event, audioMs, id])).toEqual([
      ['speech_start', 100, utteranceId],
      ['speech_end', 900, utteranceId],
    ]);
    expect(told[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
