import { Worker } from 'node:worker_threads';
import { messageOf } from '../../platform/errors.ts';
import { CAPTURE_HZ, FRAME_SAMPLES } from '../frames.ts';
import type { DetectorEvents, SpeechDetector } from '../speech-detector.ts';
import type { SileroVersion } from './silero-model.ts';
import type { SileroReply, SileroTask } from './silero-worker.ts';

export interface SileroOptions {
  /** Default: v6 where `decibri` is installed, else v4. */
  version?: SileroVersion;
  /** Default `startThread`. */
  startWorker?: (version: SileroVersion | null) => Worker;
}

/** Samples the network judges at once: 32 ms. */
const WINDOW_SAMPLES = 512;
const WINDOW_MS = (WINDOW_SAMPLES * 1_000) / CAPTURE_HZ;
/** A thread this far behind is lost, 10 s; loading the network takes a fifth of a second. */
const MAX_PENDING_WINDOWS = Math.ceil(10_000 / WINDOW_MS);
/** A thread that has not ended by then is ended. */
const CLOSE_MS = 1_000;

/**
 * It inherits neither environment variables, so no keys, nor the flags of whoever started us, nor standard output, on
 * which vad-node says that it starts.
 */
export const startThread = (version: SileroVersion | null): Worker => {
  const worker = new Worker(new URL('./silero-worker.ts', import.meta.url), {
    env: {},
    execArgv: [],
    stdout: true,
    workerData: { version },
  });
  worker.stdout.resume();
  return worker;
};

/** Silero's network in a thread of its own, one window of 32 ms after the other. */
export const createSileroDetector = (events: DetectorEvents, options: SileroOptions = {}): SpeechDetector => {
  const { version, startWorker = startThread } = options;
  const worker = startWorker(version ?? null);
  let label = 'Silero';
  let window = new Int16Array(WINDOW_SAMPLES);
  let filled = 0;
  /** Where the window that is judged next begins. */
  let nextMs = 0;
  let pending = 0;
  /** Answers to windows from before a reset, which nobody waits for. */
  let outdated = 0;
  let isOver = false;

  const tell = (task: SileroTask, transfer: ArrayBuffer[] = []): void => worker.postMessage(task, transfer);

  /** Asked, not ended: a thread that is ended in the middle of a run takes the whole process with it. */
  const askToEnd = (): NodeJS.Timeout => {
    tell({ close: true });
    return setTimeout(() => void worker.terminate(), CLOSE_MS).unref();
  };

  const fail = (problem: string): void => {
    if (isOver) return;
    isOver = true;
    pending = 0;
    const late = askToEnd();
    worker.once('exit', () => clearTimeout(late));
    events.failed(new Error(`the speech detector failed: ${problem}`));
  };

  const giveWindow = (): void => {
    tell({ window }, [window.buffer]);
    window = new Int16Array(WINDOW_SAMPLES);
    filled = 0;
    pending += 1;
    if (pending + outdated > MAX_PENDING_WINDOWS) fail(`it is ${MAX_PENDING_WINDOWS * WINDOW_MS} ms behind`);
  };

  const take = (probability: number): void => {
    if (outdated > 0) {
      outdated -= 1;
      return;
    }
    pending -= 1;
    nextMs += WINDOW_MS;
    events.verdict({ endMs: nextMs, windowMs: WINDOW_MS, probability });
  };

  worker.on('message', (reply: SileroReply) => {
    if (isOver) return;
    if ('problem' in reply) fail(reply.problem);
    else if ('ready' in reply) label = reply.ready;
    else take(reply.probability);
  });
  worker.on('error', (error) => fail(messageOf(error)));
  worker.on('exit', (code) => fail(`its thread ended with code ${code}`));

  return {
    get label() {
      return label;
    },
    push: (samples) => {
      for (let from = 0; from < samples.length && !isOver;) {
        const piece = samples.subarray(from, from + WINDOW_SAMPLES - filled);
        window.set(piece, filled);
        filled += piece.length;
        from += piece.length;
        if (filled === WINDOW_SAMPLES) giveWindow();
      }
    },
    reset: (audioMs) => {
      if (isOver) return;
      outdated += pending;
      pending = 0;
      filled = 0;
      nextMs = audioMs;
      tell({ reset: true });
    },
    get pending() {
      return Math.ceil((pending * WINDOW_SAMPLES) / FRAME_SAMPLES);
    },
    close: async () => {
      if (isOver) return;
      isOver = true;
      pending = 0;
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      const late = askToEnd();
      await ended;
      clearTimeout(late);
    },
  };
};
