/** Milliseconds of work between two chances for the process to do something else. */
const SLICE_MS = 8;

/** Returns a function to be awaited often: it lets other work run once `SLICE_MS` have passed since the last time. */
export const createBreather = (): (() => Promise<void>) => {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  };
};
