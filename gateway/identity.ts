import { createHash, randomBytes } from 'node:crypto';

/** First 32 hexadecimal characters of SHA-256(utterance_id), which the edge computes as well; random without an id. */
export const traceIdOf = (utteranceId: string | undefined): string =>
  utteranceId === undefined
    ? randomBytes(16).toString('hex')
    : createHash('sha256').update(utteranceId).digest('hex').slice(0, 32);

/** What makes two posts of one utterance_id the same post: text and session. */
export const bodyHashOf = (text: string, sessionId: string | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify([text, sessionId ?? null]))
    .digest('hex');

/** A final older than this is refused: Temporal may have forgotten its run, and the same id would start again. */
export const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** Below this a number is seconds since the epoch, not milliseconds: 1e11 ms is 1973, 1e11 s is the year 5138. */
const SECONDS_BELOW = 1e11;

/** Milliseconds since the epoch of a transcript's `timestamp`. */
export const timestampMs = (timestamp: string | number): number =>
  typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp < SECONDS_BELOW ? timestamp * 1_000 : timestamp;
