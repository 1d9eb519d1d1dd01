/** How long a line is patient. Milliseconds, all of them. */
export interface LineLimits {
  /** From dialling to a session that is set up. */
  setupMs: number;
  /** First wait before dialling again, doubling up to the last; each shortened at random by up to a half. */
  firstBackoffMs: number;
  lastBackoffMs: number;
  /** A session that lasted so long was sound: the next wait is the first again. */
  steadyMs: number;
  /** A session's time where it names none, and at most: the service's own. */
  lifetimeMs: number;
  /** A session that says it lives shorter than this says so by a wrong clock. */
  leastLifetimeMs: number;
  /** Before its end a session is replaced at a silence, between two utterances, in any case. */
  rotateQuietMs: number;
  rotateBetweenMs: number;
  rotateNowMs: number;
}

/** What a session keeps and waits for. Milliseconds, unless the name says otherwise. */
export interface SessionLimits extends LineLimits {
  /** Sound of utterances without text that is kept for another try. */
  keptMs: number;
  /** Such utterances at most. */
  keptCount: number;
  /** Without a sign of text for so long after a commit, all is sent anew over a new connection. */
  stallMs: number;
  /** Commits of one utterance before it is given up. */
  attempts: number;
  /** Bytes that may wait for the network: two seconds of sound, 24 kHz, 16 bits, in base64. */
  maxBufferedBytes: number;
  /** The network may take nothing for so long. */
  stuckMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  setupMs: 15_000,
  firstBackoffMs: 250,
  lastBackoffMs: 15_000,
  steadyMs: 10_000,
  lifetimeMs: 3_600_000,
  leastLifetimeMs: 60_000,
  rotateQuietMs: 600_000,
  rotateBetweenMs: 60_000,
  rotateNowMs: 15_000,
  keptMs: 180_000,
  keptCount: 64,
  stallMs: 8_000,
  attempts: 5,
  maxBufferedBytes: 128_000,
  stuckMs: 5_000,
};
