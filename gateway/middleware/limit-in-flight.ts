import type { RequestHandler } from 'express';
import { ProblemError } from '../problems.ts';

/** Requests under way at once; a start takes a few milliseconds, so this is about a second of work. */
export const MAX_IN_FLIGHT = 256;

/** How much is under way, whichever way it came in. */
export interface InFlight {
  /** Counts one more; the answer, called once or more, counts it off. @throws ProblemError too-many */
  enter(): () => void;
}

/** Refuses at once, and says when to come back, instead of queueing without end. */
export const createInFlight = (most = MAX_IN_FLIGHT): InFlight => {
  let inFlight = 0;
  return {
    enter: () => {
      if (inFlight >= most) throw new ProblemError('too-many', `${most} requests are under way`, { retryAfterS: 1 });
      inFlight += 1;
      let counted = true;
      return () => {
        if (counted) inFlight -= 1;
        counted = false;
      };
    },
  };
};

/** Streams are counted on their own. */
export const limitInFlight =
  (inFlight: InFlight): RequestHandler =>
  (_request, response, next) => {
    const leave = inFlight.enter();
    response.once('close', leave);
    // A stream stays open for as long as somebody reads.
    response.once('stream', leave);
    next();
  };
