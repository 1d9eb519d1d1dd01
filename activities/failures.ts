import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { messageOf, OperationError } from '../platform/errors.ts';
import type { Scrub } from '../platform/secrets.ts';
import { ModelError } from './models/model.ts';

/** Failures travel in the history: enough to understand, small enough to keep. */
const MAX_MESSAGE = 1_000;

/**
 * What an activity throws to Temporal: `throw toFailure(error)`. Our own errors keep their type, whether trying again
 * can help, and when; a cancellation passes through; everything else is `Internal` and may be tried again. No cause
 * and no foreign stack travels along, since both may hold what `scrub` was not asked about.
 */
export const toFailure = (error: unknown, scrub: Scrub): ApplicationFailure | CancelledFailure => {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const message = scrub(messageOf(error)).slice(0, MAX_MESSAGE);
  if (error instanceof OperationError || error instanceof ModelError) {
    return ApplicationFailure.create({
      type: error.type,
      message,
      nonRetryable: !error.retryable,
      ...(error.retryable && error.retryAfterMs ? { nextRetryDelay: error.retryAfterMs } : {}),
    });
  }
  return ApplicationFailure.create({ type: 'Internal', message, nonRetryable: false });
};
