import type { FinalReply } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';

/** Names of the lines of `--json`. */
export const EDGE_EVENTS = [
  'speech_start',
  'first_append',
  'first_partial',
  'speech_end',
  'final',
  'spooled',
  'acked',
  'task',
  'spoken',
  'error',
] as const;
export type EdgeEventName = (typeof EDGE_EVENTS)[number];

/** One thing that happened at the edge; `toJsonLine` writes it as a line of `--json`. */
export interface EdgeEvent {
  event: EdgeEventName;
  /** Milliseconds since the edge started, monotonic. */
  atMs: number;
  /** Position in the sound that was heard, milliseconds; for `speech_start` and `speech_end` where speech began and ended. */
  audioMs: number;
  /** null: not about one utterance. */
  utteranceId: string | null;
  traceId?: string;
  text?: string;
  /** Of `speech_start`: when the sound of the onset was captured, on the same clock as `atMs`. */
  capturedAtMs?: number;
  /** Of `acked`: what the gateway answered. */
  reply?: FinalReply;
  /** Of `task`: what happened. */
  taskEvent?: TraceEvent;
  /** Of `error`: nothing goes on by itself, or it does (a reconnect). */
  fatal?: boolean;
}

/** Where events go: the terminal, `--json`, metrics, the trace file. */
export type EventSink = (event: EdgeEvent) => void;
