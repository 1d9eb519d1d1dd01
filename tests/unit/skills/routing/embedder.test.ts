import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fromRoot } from '../../../../platform/env.ts';
import type { Log } from '../../../../platform/log.ts';
import { createUseLiteEmbedder, startThread } from '../../../../skills/routing/adapters/use-lite-embedder.ts';
import type { UseLiteOptions } from '../../../../skills/routing/adapters/use-lite-embedder.ts';
import { EmbedderError } from '../../../../skills/routing/embedder.ts';
import type { Embedder } from '../../../../skills/routing/embedder.ts';

const run = promisify(execFile);
const open: Embedder[] = [];
/** A real one, with its real thread and model. `threads`: every thread it started; `lines`: what it logged. */
const made = (options: Omit<UseLiteOptions, 'log'> = {}) => {
  const threads: Worker[] = [];
  const lines: string[] = [];
  const write = (...[, message]: [object, string] | [string, string?]): void => void lines.push(String(message));
  const log = {
    warn: write,
    info: (message: string) => void lines.push(message),
  } as unknown as Pick<Log, 'info' | 'warn'>;
  const start = options.startWorker ?? startThread;
  const embedder = createUseLiteEmbedder({
    log,
    ...options,
    startWorker: () => {
      const thread = start();
      threads.push(thread);
      return thread;
    },
  });
  open.push(embedder);
  return { embedder, threads, lines };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((embedder) => embedder.close()));
});

const product = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  a?.reduce((sum, value, i) => sum + value * (b?.[i] ?? NaN), 0) ?? NaN;

/** Asks again, as the router does with each sentence, until vectors come. */
const untilBack = async (embedder: Embedder, text: string): Promise<Float32Array[]> => {
  for (;;) {
    try {
      return await embedder.embed([text]);
    } catch (error) {
      expect(error).toBeInstanceOf(EmbedderError);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
};

describe('the embedder', () => {
  it('gives vectors of length 1, in the order of the texts, whatever the batch', async () => {
    const { embedder } = made();
    const texts = Array.from({ length: 19 }, (_, i) => `deploy build ${19 - i} ${'now '.repeat(i % 5)}`);
    const vectors = await embedder.embed([...texts, '', '  ', texts[3] ?? '']);
    expect(vectors).toHaveLength(22);
    for (const vector of vectors) {
      expect(vector).toHaveLength(embedder.dimensions);
      expect(product(vector, vector)).toBeCloseTo(1, 4);
    }
    expect(vectors[21]).toBe(vectors[3]);
    const alone = made();
    expect(product((await alone.embedder.embed([texts[7] ?? '']))[0], vectors[7])).toBeCloseTo(1, 4);
  });

  it('puts sentences of one meaning closer together than others', async () => {
    const [tests, suite, weather] = await made().embedder.embed([
      'run the tests',
      'please execute the test suite',
      'what is the weather like',
    ]);
    expect(product(tests, suite)).toBeGreaterThan(product(tests, weather) + 0.2);
  });

  it('lets a request overtake a long list', async () => {
    const { embedder } = made();
    const done: string[] = [];
    const list = embedder
      .embed(Array.from({ length: 60 }, (_, i) => `line number ${i} to learn from`))
      .then(() => done.push('list'));
    await embedder.embed(['take a screenshot']).then(() => done.push('request'));
    await list;
    expect(done).toEqual(['request', 'list']);
  });

  it('gives up when the signal says so, and serves the next call', async () => {
    const { embedder, threads } = made();
    await expect(embedder.embed(['too late'], AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    expect(threads).toHaveLength(0);
    await expect(embedder.embed(['loading takes longer'], AbortSignal.timeout(1))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(await embedder.embed(['run the tests'], AbortSignal.timeout(30_000))).toHaveLength(1);
    expect(threads).toHaveLength(1);
  });

  it('keeps the vectors used last, and no more than it may', async () => {
    const { embedder } = made({ cached: 2 });
    const [a] = await embedder.embed(['a house']);
    const [b] = await embedder.embed(['a boat']);
    expect((await embedder.embed(['a house']))[0]).toBe(a); // kept, and now used last
    await embedder.embed(['a tree']);
    expect((await embedder.embed(['a house']))[0]).toBe(a);
    expect((await embedder.embed(['a boat']))[0]).not.toBe(b); // was made again
  });

  it('refuses while a lost thread rests, comes back afterwards, and says each once', async () => {
    const { embedder, threads, lines } = made({ restMs: 1_000 });
    await embedder.embed(['run the tests']);
    const under = embedder.embed(['a sentence under way']);
    await Promise.all([expect(under).rejects.toThrow(EmbedderError), threads[0]?.terminate()]);
    await expect(embedder.embed(['another sentence'])).rejects.toThrow('rest after a failure');
    expect(await embedder.embed(['run the tests'])).toHaveLength(1); // kept from before
    expect(await untilBack(embedder, 'another sentence')).toHaveLength(1);
    expect(threads).toHaveLength(2);
    expect(lines).toEqual([
      'sentence vectors are not to be had; routing goes on without them',
      'sentence vectors are back',
    ]);
  });

  it('takes a thread that fails to start, or never answers, for a lost one; each rest is longer', async () => {
    const broken = made({ restMs: 50, startWorker: () => new Worker('throw new Error("no model")', { eval: true }) });
    await expect(broken.embedder.embed(['one'])).rejects.toThrow('no model');
    await expect(broken.embedder.embed(['two'])).rejects.toThrow('rest after a failure');
    const started = performance.now();
    while (broken.threads.length < 4) await broken.embedder.embed(['three']).catch(() => new Promise(setImmediate));
    expect(performance.now() - started).toBeGreaterThan(250); // three rests of at least 50 + 100 + 200, the first begun
    expect(broken.lines).toHaveLength(1);

    const silent = made({
      stallMs: 50,
      startWorker: () => new Worker('require("worker_threads").parentPort.on("message", () => {})', { eval: true }),
    });
    await expect(silent.embedder.embed(['one'])).rejects.toThrow('no answer for 50 ms');
  });

  it('ends everything when it is closed', async () => {
    const { embedder, threads } = made();
    await embedder.embed(['run the tests']);
    const ended = new Promise((resolve) => threads[0]?.once('exit', resolve));
    const under = embedder.embed(['a sentence under way']);
    await Promise.all([expect(under).rejects.toThrow('closed'), embedder.close(), ended]);
    await expect(embedder.embed(['run the tests'])).rejects.toThrow('closed');
    await embedder.close();
  });

  it('an idle one keeps no process alive, and one without the optional packages names them', async () => {
    const script = `
      const { createUseLiteEmbedder } = await import('./skills/routing/adapters/use-lite-embedder.ts');
      const embedder = createUseLiteEmbedder({ log: console });
      console.log((await embedder.embed(['run the tests']))[0].length);
    `;
    const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
    expect((await run(process.execPath, node, { cwd: fromRoot('.') })).stdout.trim()).toBe('512');

    const house = mkdtempSync(join(tmpdir(), 'dual-embedder-'));
    try {
      writeFileSync(join(house, 'package.json'), '{ "type": "module" }');
      for (const file of [
        'skills/routing/embedder.ts',
        'skills/routing/adapters/use-lite-embedder.ts',
        'skills/routing/adapters/use-lite-embedder-worker.ts',
        'platform/errors.ts',
      ]) {
        mkdirSync(join(house, dirname(file)), { recursive: true });
        cpSync(fromRoot(file), join(house, file));
      }
      await expect(run(process.execPath, node, { cwd: house })).rejects.toThrow(
        /EMBEDDING_SCORER: is on, but @energetic-ai\/core, .* is not installed: npm ci --include=optional/,
      );
    } finally {
      rmSync(house, { recursive: true, force: true });
    }
  });
});
