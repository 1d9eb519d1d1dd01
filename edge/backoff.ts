export interface Backoff {
  /** The longest wait before the first repetition, milliseconds; it doubles with every further one. */
  firstMs: number;
  /** No wait is longer, milliseconds. */
  mostMs: number;
  /** 0 to 1, exclusive. Default: `Math.random`. */
  random?: () => number;
}

/** From a millisecond to twelve days; far more would be infinite, and nothing times that is no number. */
const MOST_DOUBLINGS = 30;

/**
 * Milliseconds before the repetition after `attempt` failures (0 is the first). Anything between 0 and the doubled
 * wait ("full jitter"), so that many who failed together do not come back together.
 */
export const backoffMs = (attempt: number, { firstMs, mostMs, random = Math.random }: Backoff): number =>
  Math.floor(random() * Math.min(mostMs, firstMs * 2 ** Math.min(MOST_DOUBLINGS, Math.max(0, attempt))));
