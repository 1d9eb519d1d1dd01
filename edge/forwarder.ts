import type { FinalReply, Problem } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';

/** A sentence in full, as it goes to the gateway. */
export interface FinalTranscript {
  utteranceId: string;
  sequence: number;
  text: string;
  /** ISO 8601, of the onset. */
  saidAt: string;
  /** From the end of speech to this text, milliseconds. */
  latencyMs: number;
}

/** A sentence that is still being spoken; a newer one replaces it, and it may be dropped. */
export interface PartialTranscript {
  utteranceId: string;
  text: string;
  /** Counts from 0 within the utterance. */
  revision: number;
}

/** Brings transcripts to the gateway; nothing here makes capture wait. */
export interface Forwarder {
  partial(transcript: PartialTranscript): void;
  /**
   * Resolves when it is on disk, or, where the disk refuses, kept in memory (and said). Delivered later, once or more.
   * @throws Error for people: neither takes any more, the id has another text already, or it is closed
   */
  final(transcript: FinalTranscript): Promise<void>;
  /** No final will come under this number: the gateway need not wait for it. */
  skip(utteranceId: string, sequence: number): void;
  /** Finals not acknowledged yet. */
  readonly pending: number;
  close(): Promise<void>;
}

/** How the way to the gateway is: over the link, over HTTP, or waiting to try again. */
export type WayState = 'connecting' | 'link' | 'http' | 'waiting';

export interface ForwarderEvents {
  spooled(utteranceId: string, traceId: string, text: string): void;
  /** The gateway answered; exactly once per utterance and start of the edge. */
  acked(utteranceId: string, reply: FinalReply): void;
  /** A 4xx: set aside, said, and never tried again. */
  refused(utteranceId: string, problem: Problem): void;
  /** Each event of a task once, in the order it came. */
  task(event: TraceEvent): void;
  state(state: WayState, problem: string | null): void;
  /** The disk does not take finals (`problem`), or takes them again (null). */
  spool(problem: string | null): void;
}
