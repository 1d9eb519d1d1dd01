import { OperationError } from '../../platform/errors.ts';
import type { Order } from './session.ts';
import { isOlder } from './session.ts';

/** One piece of work at a time for each key; a newer one ends the one before it and waits for its end. */
export interface Fence {
  /**
   * Runs `work` alone. Its signal aborts with the caller's, or when newer work takes over. `order` null: always newer.
   * @throws OperationError SessionLost when newer work already runs, or took over.
   */
  run<T>(key: string, order: Order | null, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Aborts everything and waits for it. */
  stop(): Promise<void>;
}

interface Running {
  order: Order | null;
  controller: AbortController;
  ended: Promise<void>;
}

export const supersededBy = (what: string): OperationError =>
  new OperationError('SessionLost', `${what} has taken over this session`);

export const createFence = (): Fence => {
  const running = new Map<string, Running>();
  return {
    run: async (key, order, signal, work) => {
      for (let current = running.get(key); current; current = running.get(key)) {
        if (order && current.order && isOlder(order, current.order)) throw supersededBy('a newer attempt');
        current.controller.abort(supersededBy('a newer attempt'));
        await current.ended;
      }
      signal.throwIfAborted();
      const controller = new AbortController();
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      running.set(key, { order, controller, ended });
      try {
        return await work(AbortSignal.any([signal, controller.signal]));
      } finally {
        running.delete(key);
        end();
      }
    },
    stop: async () => {
      const all = [...running.values()];
      for (const { controller } of all) controller.abort(new OperationError('SessionLost', 'the worker is stopping'));
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
};
