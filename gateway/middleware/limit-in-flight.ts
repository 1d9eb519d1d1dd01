import type { RequestHandler } from 'express';
import { ProblemError } from '../problems.ts';

/** Requests under way at once; a start takes a few milliseconds, so this is about a second of work. */
export const MAX_IN_FLIGHT = 256;

/** Refuses at once, and says when to come back, instead of queueing without end. Streams are counted on their own. */
export const limitInFlight = (most = MAX_IN_FLIGHT): RequestHandler => {
  let inFlight = 0;
  return (_request, response, next) => {
    if (inFlight >= most) throw new ProblemError('too-many', `${most} requests are under way`, { retryAfterS: 1 });
    inFlight += 1;
    let counted = true;
    const leave = (): void => {
      if (counted) inFlight -= 1;
      counted = false;
    };
    response.once('close', leave);
    // A stream stays open for as long as somebody reads.
    response.once('stream', leave);
    next();
  };
};
