import type { Utterance } from './utterance.ts';

/** Turns the sound of utterances into text. Nothing here waits: what cannot be sent yet is kept, bounded. */
export interface Recogniser {
  /** Speech began; its sound follows. One utterance is open at a time. */
  begin(utterance: Utterance): void;
  /** The next sound of the open utterance, 16 kHz mono (the pre-roll first). */
  append(samples: Int16Array): void;
  /** Speech ended: what was said is wanted now. */
  end(): void;
  /** It was no speech after all; nothing is wanted. */
  discard(): void;
  close(): Promise<void>;
}

/** How the line to the recogniser is. `closed`: fatal, said in `problem`, not tried again by itself. */
export type LineState = 'connecting' | 'open' | 'waiting' | 'closed';

/** What a recogniser tells. Every utterance that began and was not discarded ends in one `final` or one `lost`. */
export interface RecogniserEvents {
  /** The first sound of the utterance was handed to the network. */
  firstAppend(utteranceId: string): void;
  /** All text so far; only ever grows. */
  partial(utteranceId: string, text: string): void;
  /** Once. Empty when nothing was understood. */
  final(utteranceId: string, text: string): void;
  /** Its sound could not be turned into text; `reason` is for the speaker. */
  lost(utteranceId: string, reason: string): void;
  state(state: LineState, problem: string | null): void;
}
