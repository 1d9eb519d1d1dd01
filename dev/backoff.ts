export interface BackoffOptions {
  /** Wait before the second restart in a row; doubled each time. Milliseconds; default 500. */
  baseMs?: number;
  /** Longest wait between restarts. Milliseconds; default 30,000. */
  capMs?: number;
  /** A life at least this long forgives all earlier deaths. Milliseconds; default 30,000. */
  calmMs?: number;
}

/** How long to wait before the next restart, given how long the last life was: at once, then doubling up to a cap. */
export const createBackoff = ({ baseMs = 500, capMs = 30_000, calmMs = 30_000 }: BackoffOptions = {}): {
  next(livedMs: number): number;
} => {
  let deaths = 0;
  return {
    next: (livedMs) => {
      if (livedMs >= calmMs) deaths = 0;
      const waitMs = deaths === 0 ? 0 : Math.min(capMs, baseMs * 2 ** (deaths - 1));
      deaths += 1;
      return waitMs;
    },
  };
};
