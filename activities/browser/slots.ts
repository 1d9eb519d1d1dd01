import { OperationError } from '../../platform/errors.ts';

/** A bounded number of places; who comes late waits in line, but not for long. */
export interface Slots {
  readonly free: number;
  /**
   * Resolves with what gives the place back (once, whatever the number of calls).
   * @throws OperationError EnvironmentBusy after `waitMs`; the signal's reason when aborted.
   */
  take(waitMs: number, signal: AbortSignal): Promise<() => void>;
}

export const createSlots = (capacity: number): Slots => {
  let free = capacity;
  const line: (() => void)[] = [];
  const hold = (): (() => void) => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = line.shift();
      if (next) next();
      else free += 1;
    };
  };
  return {
    get free() {
      return free;
    },
    take: (waitMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        if (free > 0) {
          free -= 1;
          resolve(hold());
          return;
        }
        const leave = (error: Error): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          const place = line.indexOf(enter);
          if (place >= 0) line.splice(place, 1);
          reject(error);
        };
        const enter = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve(hold());
        };
        const onAbort = (): void => leave(signal.reason as Error);
        const timer = setTimeout(
          () =>
            leave(
              new OperationError('EnvironmentBusy', `all ${capacity} browser sessions are in use`, {
                retryAfterMs: 1_000,
              }),
            ),
          waitMs,
        );
        signal.addEventListener('abort', onAbort, { once: true });
        line.push(enter);
      }),
  };
};
