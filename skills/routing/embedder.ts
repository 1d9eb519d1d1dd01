/** How long a request waits for vectors: `embed(texts, AbortSignal.timeout(REQUEST_LIMIT_MS))`. */
export const REQUEST_LIMIT_MS = 200;

/** No vectors were to be had. Whoever asked goes on without them; asking again later may help, unless it is closed. */
export class EmbedderError extends Error {
  override readonly name = 'EmbedderError';
}

/** Turns sentences into vectors of length 1; the more alike two sentences are, the larger the product of their vectors. */
export interface Embedder {
  /** Numbers in a vector. */
  readonly dimensions: number;
  /**
   * One vector a text, in their order. They are shared with later callers: read, never write. A call with few texts
   * overtakes one with many. Without a signal it takes as long as it takes.
   * @throws EmbedderError when the model fails or is resting after a failure; the signal's reason when that came first.
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Ends what runs; calls under way and later ones are refused. */
  close(): Promise<void>;
}
