import { Context } from '@temporalio/activity';
import { delay } from '../platform/lifecycle.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { Control } from './environment.ts';
import { toFailure } from './failures.ts';

/** Temporal gives up after two seconds without one at the earliest (workflows/policies.ts). */
const HEARTBEAT_MS = 500;
/** How long cancelled work may take to stop before the activity is reported cancelled without it. */
const GRACE_MS = 3_000;

/**
 * Runs `work` as an activity: beats twice a second, hands on cancellation and the attempt, waits a grace for work that
 * is slow to stop, and turns whatever it throws into a failure of our catalogue. Failures and beats go into the history:
 * `scrub` sees them first.
 */
export const runActivity = async <T>(scrub: Scrub, work: (control: Control) => Promise<T>): Promise<T> => {
  const context = Context.current();
  let doing = '';
  const beat = setInterval(() => context.heartbeat(doing), HEARTBEAT_MS);
  const working = work({
    signal: context.cancellationSignal,
    attempt: context.info.attempt,
    progress: (message) => {
      doing = scrub(message).slice(0, 120);
    },
  });
  const stopped = context.cancelled.catch(async (cancellation: unknown) => {
    const timer = new AbortController();
    await Promise.race([working.catch(() => undefined), delay(GRACE_MS, timer.signal).catch(() => undefined)]);
    timer.abort();
    throw cancellation;
  });
  try {
    return await Promise.race([working, stopped]);
  } catch (error) {
    // What a cancelled signal made the work throw is a cancellation, whatever the library called it.
    if (context.cancellationSignal.aborted) return await stopped;
    throw toFailure(error, scrub);
  } finally {
    clearInterval(beat);
  }
};
