/** Polls until `probe` gives something; a thrown error counts as "not yet". @throws after `withinMs` with the last error. */
export const until = async <T>(probe: () => T | undefined | Promise<T | undefined>, withinMs = 15_000): Promise<T> => {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within ${withinMs} ms`, { cause: last });
};
