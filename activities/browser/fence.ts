import { OperationError } from '../../platform/errors.ts';

/** Position of an attempt: a later turn is newer, then a later attempt of the same turn. */
export interface Order {
  turn: number;
  attempt: number;
}

/**
 * One attempt at a time per session. A process that was frozen may wake with several attempts of the same batch: the
 * newest wins, older ones are aborted and awaited before it starts, and one that arrives late is refused.
 */
export interface Fence {
  /**
   * Runs `work` alone. Its signal aborts with the given one, when a newer attempt arrives, and on `shut`.
   * @throws OperationError SessionLost for an attempt that is older than one already seen, or after `shut`.
   */
  run<T>(order: Order, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Ends what runs, lets nothing in any more, and waits until all is quiet. */
  shut(): Promise<void>;
}

interface Running {
  abort: AbortController;
  over: Promise<unknown>;
}

const endRunning = async ({ abort, over }: Running): Promise<void> => {
  abort.abort(new OperationError('Cancelled', 'a newer attempt took over'));
  await over;
};

const isOlder = (a: Order, b: Order): boolean => a.turn < b.turn || (a.turn === b.turn && a.attempt < b.attempt);

export const createFence = (): Fence => {
  let newest: Order = { turn: -1, attempt: 0 };
  let running: Running | null = null;
  let isShut = false;

  const check = (order: Order): void => {
    if (isShut) throw new OperationError('SessionLost', 'this browser session is closed');
    if (isOlder(order, newest))
      throw new OperationError('SessionLost', 'a newer attempt of this job works in this session');
  };
  return {
    run: async (order, signal, work) => {
      check(order);
      newest = order;
      // No wait between the last look and taking the place: of two that waited, one starts and the other ends it.
      while (running) {
        await endRunning(running);
        check(order);
      }
      signal.throwIfAborted();
      const abort = new AbortController();
      const result = work(AbortSignal.any([signal, abort.signal]));
      const mine = {
        abort,
        over: result.then(
          () => undefined,
          () => undefined,
        ),
      };
      running = mine;
      try {
        return await result;
      } finally {
        if (running === mine) running = null;
      }
    },
    shut: async () => {
      isShut = true;
      while (running) await endRunning(running);
    },
  };
};
