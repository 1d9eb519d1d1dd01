import type { EdgeEvent, EventSink } from './edge-events.ts';

/** Tenths of a millisecond: what the clocks behind it are good for. */
const tenths = (ms: number): number => Math.round(ms * 10) / 10;

/** One event as a line of `--json`, without its line end. */
export const toJsonLine = ({ event, atMs, audioMs, utteranceId, traceId, text }: EdgeEvent): string =>
  JSON.stringify({
    event,
    at_ms: tenths(atMs),
    audio_ms: tenths(audioMs),
    utterance_id: utteranceId,
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(text !== undefined && { text }),
  });

/** Events for programs. */
export const createJsonLines =
  (write: (text: string) => void): EventSink =>
  (event) =>
    write(`${toJsonLine(event)}\n`);
