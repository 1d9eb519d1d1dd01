import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../platform/errors.ts';
import type { Decoder, OpenDecoder } from '../speech/decoder.ts';
import type { SpokenLanguage } from '../speech/language.ts';
import type { LibraryReply, LibraryStart, LibraryTask } from './pocketsphinx-library-worker.ts';

/** Where Debian puts libraries, a folder an architecture, and the American English model. */
const LIBRARY_FOLDERS = '/usr/lib';
export const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';

/** Debian's PocketSphinx: its library, the one below it, and its models; null when one of them is missing. */
export const findLibrary = (
  root = LIBRARY_FOLDERS,
  modelFolder = DEBIAN_MODEL,
): { library: string; base: string; modelFolder: string } | null => {
  if (process.platform !== 'linux' || !existsSync(modelFolder)) return null;
  const folders = readdirSync(root).filter((name) => name.endsWith('-linux-gnu'));
  for (const folder of folders) {
    const library = join(root, folder, 'libpocketsphinx.so.3');
    const base = join(root, folder, 'libsphinxbase.so.3');
    if (existsSync(library) && existsSync(base)) return { library, base, modelFolder };
  }
  return null;
};

/** Decodes through the system's library in a thread of its own: the server goes on meanwhile. */
export const createLibraryDecoder =
  (found: { library: string; base: string }, language: SpokenLanguage): OpenDecoder =>
  (events) => {
    const { acousticFolder, lmFile, dictionaryFile } = language;
    const start: LibraryStart = { ...found, acousticFolder, lmFile, dictionaryFile };
    const worker = new Worker(new URL('./pocketsphinx-library-worker.ts', import.meta.url), {
      env: {},
      execArgv: [],
      workerData: start,
    });
    const ready = Promise.withResolvers<Decoder>();
    let closed = false;
    const tell = (task: LibraryTask): void => worker.postMessage(task);
    const fail = (message: string): void => {
      if (closed) return;
      const error = new Error(`PocketSphinx: ${message}`);
      ready.reject(error);
      events.failed(error);
    };
    worker.on('message', (reply: LibraryReply) => {
      if ('heard' in reply) events.heard(reply.heard);
      else if ('finished' in reply) events.finished(reply.finished);
      else if ('failed' in reply) fail(reply.failed);
      else
        ready.resolve({
          begin: () => tell({ begin: true }),
          sound: (sound) => tell({ sound }),
          finish: () => tell({ finish: true }),
          close: async () => {
            closed = true;
            await worker.terminate();
          },
        });
    });
    worker.once('error', (error: unknown) => fail(messageOf(error)));
    worker.once('exit', () => fail('its thread ended'));

    return ready.promise;
  };
