/** Milliseconds of work between two chances for the process to do something else. */
const SLICE_MS = 8;

/** To be awaited often. `due` says whether awaiting it now would pause, for loops too tight to await each time. */
export interface Breather {
  (): Promise<void>;
  due(): boolean;
}

/** Returns a function to be awaited often: it lets other work run once `SLICE_MS` have passed since the last time. */
export const createBreather = (): Breather => {
  let since = performance.now();
  const due = (): boolean => performance.now() - since >= SLICE_MS;
  const breathe = async (): Promise<void> => {
    if (!due()) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  };
  return Object.assign(breathe, { due });
};
