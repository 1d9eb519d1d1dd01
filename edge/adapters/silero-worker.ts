import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../platform/errors.ts';
import { loadSilero } from './silero-model.ts';
import type { SileroChoice } from './silero-model.ts';

/** What the thread is told: to judge 512 samples, to forget what it heard, or to end. */
export type SileroTask = { window: Int16Array<ArrayBuffer> } | { reset: true } | { close: true };
/** What it tells: a probability for each window, in order. */
export type SileroReply = { ready: string } | { probability: number } | { problem: string };

const tell = (reply: SileroReply): void => parentPort?.postMessage(reply);

/** A model that fails once fails again: the thread ends, and its owner makes a new one. */
const fail = (error: unknown): void => {
  tell({ problem: messageOf(error) });
  parentPort?.close();
};

const tasks: SileroTask[] = [];
let isWorking = true;

const loading = loadSilero(workerData as SileroChoice);

const asFloats = (samples: Int16Array): Float32Array => {
  const floats = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) floats[i] = (samples[i] as number) / 32_768;
  return floats;
};

/** One task after the other: the model remembers what it heard. */
const work = async (): Promise<void> => {
  isWorking = true;
  const model = await loading;
  for (let task = tasks.shift(); task; task = tasks.shift()) {
    if ('window' in task) tell({ probability: await model.judge(asFloats(task.window)) });
    else if ('reset' in task) model.reset();
    else {
      await model.close();
      parentPort?.close();
    }
  }
  isWorking = false;
};

parentPort?.on('message', (task: SileroTask) => {
  // What waits to be judged is not waited for.
  if ('close' in task) tasks.length = 0;
  tasks.push(task);
  if (!isWorking) work().catch(fail);
});
loading
  .then(({ label }) => tell({ ready: label }))
  .then(work)
  .catch(fail);
