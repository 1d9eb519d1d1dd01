import { messageOf } from './errors.ts';

/** Things to close, last opened first; every failure to close is reported, none hides another. */
export class Closer {
  readonly #steps: { name: string; close: () => unknown }[] = [];
  #closing: Promise<Error[]> | undefined;

  add(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Repeatable: the second caller waits for the first. Resolves with what went wrong. */
  close(): Promise<Error[]> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<Error[]> {
    const failures: Error[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        failures.push(new Error(`${step.name}: ${messageOf(error)}`, { cause: error }));
      }
    }
    return failures;
  }
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** What `work` comes to, or the signal's reason, whichever is first; what `work` does after that is nobody's concern. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });

/** Waits `ms`; rejects with the signal's reason when aborted, and leaves neither timer nor listener behind. */
export const delay = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });

/** How long an orderly end may take before the process goes anyway; `make dev` promises 10 s for all of it. */
const CLOSE_DEADLINE_MS = 8_000;

/** A terminal, `make` and `timeout` each pass the same stop on: a second one this soon is the first, heard twice. */
const ECHO_MS = 300;

/**
 * The one owner of signals: runs `main`, aborts its signal on SIGTERM, SIGINT (a second one ends at once) or when
 * `main` throws, then closes what it opened, and sets the exit code: the number `main` answers, else 0 (ended as
 * asked), 1 (failed) or 2 (bad setting).
 */
export const runProcess = async (
  main: (signal: AbortSignal, closer: Closer) => Promise<number | void>,
  say: (message: string) => void,
): Promise<void> => {
  const controller = new AbortController();
  const closer = new Closer();
  let askedAt: number | undefined;
  const stop = (): void => {
    if (askedAt !== undefined && performance.now() - askedAt < ECHO_MS) return;
    if (controller.signal.aborted) process.exit(130);
    askedAt = performance.now();
    controller.abort(new Error('asked to stop'));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  let code = 0;
  try {
    code = (await main(controller.signal, closer)) ?? 0;
  } catch (error) {
    if (!controller.signal.aborted) {
      code = error instanceof Error && error.name === 'ConfigError' ? 2 : 1;
      say(messageOf(error));
    }
  }
  controller.abort(new Error('ended'));
  const deadline = setTimeout(() => {
    say(`still closing after ${CLOSE_DEADLINE_MS} ms: leaving`);
    process.exit(1);
  }, CLOSE_DEADLINE_MS);
  for (const failure of await closer.close()) {
    say(`while closing: ${failure.message}`);
    code = 1;
  }
  clearTimeout(deadline);
  process.exit(code);
};
