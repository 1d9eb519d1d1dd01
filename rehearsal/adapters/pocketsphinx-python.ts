import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { fromRoot } from '../../platform/env.ts';
import type { Decoder, OpenDecoder } from '../speech/decoder.ts';
import type { SpokenLanguage } from '../speech/language.ts';

/** Where set-up puts the wheel. */
export const WHEEL_FOLDER = '.toolchain/pocketsphinx';
const MODEL_INSIDE = 'pocketsphinx/model/en-us';
/** Bytes that may wait in the pipe to the child: ten seconds of sound. */
const MAX_PENDING_BYTES = 320_000;
/** The child ends by itself when its input closes; later it is killed. */
const CLOSE_MS = 1_000;

const Line = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ heard: z.string() }),
  z.strictObject({ finished: z.string() }),
  z.strictObject({ failed: z.string() }),
]);

/** The package from PyPI as set-up installed it; null where it is not. */
export const findWheel = (folder = fromRoot(WHEEL_FOLDER)): { folder: string; modelFolder: string } | null => {
  const modelFolder = join(folder, MODEL_INSIDE);
  return existsSync(modelFolder) ? { folder, modelFolder } : null;
};

const message = (kind: 'B' | 'S' | 'F', payload: Uint8Array = new Uint8Array()): Buffer => {
  const head = Buffer.alloc(5);
  head.write(kind, 'latin1');
  head.writeUInt32BE(payload.byteLength, 1);
  return Buffer.concat([head, payload]);
};

/** Decodes in a child of Python, which has the library and the models in one package on every platform. */
export const createPythonDecoder =
  (
    python: string,
    wheel: { folder: string },
    language: SpokenLanguage,
    env: Readonly<Record<string, string>>,
  ): OpenDecoder =>
  (events) => {
    const script = fromRoot('rehearsal/adapters/pocketsphinx_child.py');
    const child = spawn(python, [script, wheel.folder, language.lmFile, language.dictionaryFile], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    const ready = Promise.withResolvers<Decoder>();
    const ended = Promise.withResolvers<void>();
    let closed = false;
    const fail = (why: string): void => {
      if (closed) return;
      const error = new Error(`PocketSphinx: ${why}`);
      ready.reject(error);
      events.failed(error);
    };
    const send = (bytes: Buffer): void => {
      if (child.stdin.writableLength > MAX_PENDING_BYTES) fail('it is slower than the sound comes');
      else child.stdin.write(bytes);
    };
    child.stdin.on('error', () => undefined); // its end is told below
    child.once('error', (error) => {
      fail(error.message);
      ended.resolve();
    });
    child.once('exit', (code) => {
      fail(`Python ended with code ${code}`);
      ended.resolve();
    });
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (text) => {
      const line = Line.safeParse(text.startsWith('{') ? JSON.parse(text) : null).data;
      if (!line) return;
      if ('heard' in line) events.heard(line.heard);
      else if ('finished' in line) events.finished(line.finished);
      else if ('failed' in line) fail(line.failed);
      else
        ready.resolve({
          begin: () => send(message('B')),
          sound: ({ buffer, byteOffset, byteLength }) =>
            send(message('S', new Uint8Array(buffer, byteOffset, byteLength))),
          finish: () => send(message('F')),
          close: async () => {
            closed = true;
            child.stdin.end();
            const kill = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
            await ended.promise;
            clearTimeout(kill);
          },
        });
    });
    return ready.promise;
  };
