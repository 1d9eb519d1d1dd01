import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';

/** Time that something already under way gets to finish after an abort, so that its result is known. */
const GRACE_MS = 800;

/**
 * What `work` gives, if it does so within `ms`. After an abort it has 800 ms left: a click on its way is better known
 * than unknown. @throws OperationError ToolFailed when time is up; the signal's reason when aborted.
 */
export const inTime = async <T>(ms: number, signal: AbortSignal, work: Promise<T>): Promise<T> => {
  const timer = new AbortController();
  const late = delay(ms, timer.signal).then(() => {
    throw new OperationError('ToolFailed', `no answer from the page within ${ms / 1000} s`);
  });
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => {
      delay(GRACE_MS, timer.signal).then(
        () => reject(signal.reason as Error),
        () => undefined,
      );
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: timer.signal });
  });
  work.catch(() => undefined);
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late, stopped]);
  } finally {
    timer.abort();
  }
};
