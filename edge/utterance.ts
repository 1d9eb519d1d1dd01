import { createHash, randomUUID } from 'node:crypto';

/** One stretch of speech, from its onset. */
export interface Utterance {
  /** Minted at the onset and kept whatever the recogniser calls it; globally unique. */
  readonly utteranceId: string;
  /** Its number within this start of the edge, from 1, in spoken order. */
  readonly sequence: number;
  /** Where speech began, milliseconds of audio since capture began. */
  readonly onsetAudioMs: number;
  /** `performance.now()` when its onset was noticed. */
  readonly noticedAtMs: number;
  /** Wall-clock time of the onset, ISO 8601. */
  readonly saidAt: string;
}

/** The trace the gateway will give it: the first 32 hexadecimal characters of SHA-256(utterance_id). */
export const traceIdOf = (utteranceId: string): string =>
  createHash('sha256').update(utteranceId).digest('hex').slice(0, 32);

/** A new id for an utterance; also for a session with another prefix. */
export const mintId = (prefix: 'u' | 'edge'): string => `${prefix}-${randomUUID()}`;
