/**
 * `fetch` whose body fails when the server says nothing for `silenceMs`; any byte counts, a ping too. Without it a
 * connection that hangs in the middle of an answer is noticed after Node's five minutes.
 */
export const createWatchedFetch =
  (silenceMs: number): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    const silence = new AbortController();
    const timer = setTimeout(
      () => silence.abort(new Error(`the answer stopped for ${Math.round(silenceMs / 1_000)} s`)),
      silenceMs,
    );
    timer.unref(); // a body that is given up leaves it behind, for no longer than this
    const watched = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          timer.refresh();
          controller.enqueue(chunk);
        },
        flush: () => clearTimeout(timer),
      }),
      { signal: silence.signal },
    );
    return new Response(watched, response);
  };
