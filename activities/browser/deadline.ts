import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';

/** Time that something already under way gets to finish after it was told to stop, so that its result is known. */
const GRACE_MS = 800;

/**
 * What `work` gives, if it does so within `ms`. Its own signal aborts when time is up, as when `signal` does: whatever
 * has more than one step looks at it before each, so that nothing of it happens later, between other people's steps.
 * What is on its way then has 800 ms left: a click that is known is better than one that is not.
 * @throws OperationError ToolFailed when time is up; the signal's reason when aborted.
 */
export const inTime = async <T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const over = new AbortController();
  const limit = new AbortController();
  const own = AbortSignal.any([signal, limit.signal]);
  const timeIsUp = (): void =>
    limit.abort(new OperationError('ToolFailed', `no answer from the page within ${ms / 1000} s`));
  delay(ms, over.signal).then(timeIsUp, () => undefined);
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => {
      delay(GRACE_MS, over.signal).then(
        () => reject(own.reason as Error),
        () => undefined,
      );
    };
    if (own.aborted) stop();
    else own.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  const working = work(own);
  working.catch(() => undefined);
  try {
    return await Promise.race([working, stopped]);
  } finally {
    over.abort();
  }
};
