import type { Environment } from '../platform/env.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * A `make` that was killed (-9) leaves us behind without telling: then end as on Ctrl-C. Started otherwise (a shell
 * that ends, a detached start) we stay.
 */
export const endWithMake = (environment: Environment, end: () => void): void => {
  if (environment['MAKELEVEL'] === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end();
  }, LOOK_EVERY_MS);
  watch.unref();
};
