import { TaskResult } from '../contracts/task.ts';
import { TraceEvent } from '../contracts/trace-event.ts';
import { messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import { readServerEvents } from '../platform/server-events.ts';
import { CommandError, EXIT } from './exit.ts';
import { Refused, Unreachable } from './gateway.ts';
import type { Gateway } from './gateway.ts';

/** A stream that says nothing for this long is taken for dead: the gateway sends a sign of life every 15 s. */
const SILENT_MS = 40_000;
/** How long a gateway may be away while somebody waits for a task, which goes on without it. */
const AWAY_MS = 120_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** How long to wait for what; tests shorten it. */
export interface Patience {
  silentMs: number;
  awayMs: number;
  firstPauseMs: number;
}
export const PATIENCE: Patience = { silentMs: SILENT_MS, awayMs: AWAY_MS, firstPauseMs: FIRST_PAUSE_MS };

const OVER = new Set<TaskResult['status']>([
  'succeeded',
  'partially_succeeded',
  'failed',
  'cancelled',
  'declined',
  'clarify',
  'control',
]);

/** Bytes of a stream; ends with an error when nothing comes for `silentMs`. */
async function* alive(
  source: AsyncIterable<Uint8Array>,
  silentMs: number,
  giveUp: (reason: Error) => void,
): AsyncGenerator<Uint8Array> {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp(new Error(`nothing came for ${silentMs} ms`)), silentMs);
  };
  arm();
  try {
    for await (const chunk of source) {
      arm();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** An event of the stream; null for what is not one of ours, so that a newer gateway does not end the showing. */
const eventIn = (data: string): TraceEvent | null => {
  try {
    return TraceEvent.safeParse(JSON.parse(data)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/**
 * Waits for a task to be over and answers its result; `show` gets each trace event once, in order of arrival. A cut or
 * silent stream is taken up again where it was, and the task is looked at in between, so that its end is not missed.
 * @throws CommandError unreachable when the gateway stays away for two minutes; Refused for what trying again cannot mend.
 */
export const followTask = async (
  gateway: Gateway,
  traceId: string,
  show: (event: TraceEvent) => void,
  signal: AbortSignal,
  patience: Patience = PATIENCE,
): Promise<TaskResult> => {
  const seen = new Set<string>();
  let last: string | null = null;
  let lastContact = performance.now();
  let pause = patience.firstPauseMs;
  for (;;) {
    const ended = new AbortController();
    try {
      const streamSignal = AbortSignal.any([signal, ended.signal]);
      const body = await gateway.events(`/trace/${traceId}/events`, last, streamSignal);
      lastContact = performance.now();
      for await (const { id, event, data } of readServerEvents(
        alive(body, patience.silentMs, (reason) => ended.abort(reason)),
      )) {
        lastContact = performance.now();
        pause = patience.firstPauseMs;
        if (event === 'done') return await resultOf(gateway, traceId);
        last = id;
        const parsed = eventIn(data);
        if (!parsed || seen.has(parsed.event_id)) continue;
        seen.add(parsed.event_id);
        show(parsed);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
    } finally {
      ended.abort(new Error('over'));
    }
    try {
      const result = await resultOf(gateway, traceId);
      lastContact = performance.now();
      if (OVER.has(result.status)) return result;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unreachable) && !(error instanceof Refused)) throw error;
    }
    if (performance.now() - lastContact > patience.awayMs)
      throw new CommandError(
        EXIT.unreachable,
        `the gateway at ${gateway.url} is away; the task goes on without it. Later: dual trace ${traceId} --wait`,
      );
    await delay(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
};

/** @throws Unreachable, Refused; CommandError when the answer is not a result. */
export const resultOf = async (gateway: Gateway, traceId: string): Promise<TaskResult> => {
  const parsed = TaskResult.safeParse(await gateway.get(`/trace/${traceId}`));
  if (parsed.success) return parsed.data;
  throw new CommandError(
    EXIT.failed,
    `the gateway's answer is not a result as this version knows it: ${messageOf(parsed.error.issues[0])}`,
  );
};
