import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFile,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ArtifactRef } from '../contracts/task.ts';
import { codeOf, OperationError } from './errors.ts';

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Content-addressed, immutable files below one folder, which several hosts may share. */
export interface ArtifactStore {
  readonly dir: string;
  /** Stores and fsyncs before it resolves. The same bytes are stored once; the first name and media type stay. */
  put(bytes: Uint8Array | string, about: { name: string; mediaType: string }): Promise<ArtifactRef>;
  /** @throws OperationError NotFound; Internal when the bytes no longer have their hash. */
  get(sha256: string): Promise<Buffer>;
  getJson(sha256: string): Promise<unknown>;
  /** Name, media type and size; null when there is no such artifact. */
  describe(sha256: string): Promise<ArtifactRef | null>;
  /** A small JSON value under a name of our own (not content): written whole or not at all, and fsynced. */
  setRef(key: string, value: unknown): Promise<void>;
  /** As `setRef`, but seen by everybody when this returns, and fsynced when the answer resolves. @throws as the disk does. */
  stageRef(key: string, value: unknown): Promise<void>;
  /** As `setRef`, but only the first caller sets it; false: it was set before, and stays as it was. */
  claimRef(key: string, value: unknown): Promise<boolean>;
  /** null when it was never set. */
  getRef(key: string): Promise<unknown>;
}

const hasCode = (error: unknown, code: string): boolean => codeOf(error) === code;
const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT');

/**
 * Up to this size a file is read and written by plain system calls (microseconds); each step through the thread pool
 * would take 0.1 ms and more, and a durable write has a dozen of them. Only the fsyncs are waited for.
 */
const SMALL_BYTES = 256 * 1024;

const flush = promisify(fsync);
const writeAll = promisify(writeFile);

/** A new file for writing; its folder is made when missing. */
const openNew = (path: string): number => {
  const attempt = (): number => openSync(path, 'wx', 0o600);
  try {
    return attempt();
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(dirname(path), { recursive: true });
    return attempt();
  }
};

const flushFolder = async (folder: string): Promise<void> => {
  const handle = openSync(folder, 'r');
  try {
    await flush(handle);
  } finally {
    closeSync(handle);
  }
};

interface NewFile {
  path: string;
  bytes: Uint8Array | string;
}

/** A name in the target's folder that nobody looks at. */
const besideOf = (path: string): string => join(dirname(path), `.${randomUUID()}.tmp`);

const writeFlushed = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  const file = openNew(path);
  try {
    if (Buffer.byteLength(bytes) <= SMALL_BYTES) writeFileSync(file, bytes);
    else await writeAll(file, bytes);
    await flush(file);
  } finally {
    closeSync(file);
  }
};

/**
 * Writes files of one folder beside their targets, fsyncs them together, puts them into place in order, fsyncs the
 * folder: a crash leaves each as it was or whole.
 * `place` is `renameSync`, or `linkSync` where an existing target must stay.
 */
const writeDurably = async (files: readonly [NewFile, ...NewFile[]], place = renameSync): Promise<void> => {
  const beside = files.map((file) => ({ ...file, temporary: besideOf(file.path) }));
  try {
    await Promise.all(beside.map(({ temporary, bytes }) => writeFlushed(temporary, bytes)));
    for (const { temporary, path } of beside) place(temporary, path);
  } catch (error) {
    for (const { temporary } of beside) rmSync(temporary, { force: true });
    throw error;
  }
  if (place !== renameSync) for (const { temporary } of beside) rmSync(temporary);
  await flushFolder(dirname(files[0].path));
};

/** Puts a small file into place at once, seen by everybody when this returns; resolves when it is durable. */
const stage = ({ path, bytes }: NewFile): Promise<void> => {
  const temporary = besideOf(path);
  const file = openNew(temporary);
  try {
    writeFileSync(file, bytes);
    renameSync(temporary, path);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  return Promise.all([flush(file), flushFolder(dirname(path))])
    .then(() => undefined)
    .finally(() => closeSync(file));
};

const readSmallOrLarge = async (path: string): Promise<Buffer> =>
  statSync(path).size <= SMALL_BYTES ? readFileSync(path) : readFile(path);

const SHA256 = /^[0-9a-f]{64}$/;
const KEY = /^[a-z]+\/[A-Za-z0-9._-]{1,160}$/;

/** `dir` is made when missing. Layout: `<dir>/<2 hex>/<sha256>` beside `<sha256>.json` (name, type); `<dir>/refs/<key>.json`. */
export const createArtifactStore = (dir: string): ArtifactStore => {
  const pathOf = (sha256: string): string => {
    if (!SHA256.test(sha256)) throw new OperationError('NotFound', 'not an artifact id');
    return join(dir, sha256.slice(0, 2), sha256);
  };
  const refPath = (key: string): string => {
    if (!KEY.test(key)) throw new OperationError('Internal', 'not a reference key');
    return join(dir, 'refs', `${key}.json`);
  };
  const describe = async (sha256: string): Promise<ArtifactRef | null> => {
    try {
      const about = JSON.parse(readFileSync(`${pathOf(sha256)}.json`, 'utf8')) as {
        name: string;
        media_type: string;
      };
      return { sha256, name: about.name, media_type: about.media_type, bytes: statSync(pathOf(sha256)).size };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  };
  const get = async (sha256: string): Promise<Buffer> => {
    let bytes: Buffer;
    try {
      bytes = await readSmallOrLarge(pathOf(sha256));
    } catch (error) {
      if (isMissing(error))
        throw new OperationError(
          'NotFound',
          `no artifact ${sha256}; is ARTIFACT_DIR shared with the host that wrote it?`,
        );
      throw error;
    }
    if (sha256Of(bytes) !== sha256)
      throw new OperationError('Internal', `artifact ${sha256} is damaged`, { retryable: false });
    return bytes;
  };
  return {
    dir,
    describe,
    get,
    getJson: async (sha256) => JSON.parse((await get(sha256)).toString('utf8')) as unknown,
    put: async (bytes, about) => {
      const sha256 = sha256Of(bytes);
      const known = await describe(sha256);
      if (known) return known;
      const path = pathOf(sha256);
      const description = JSON.stringify({ name: about.name, media_type: about.mediaType });
      await writeDurably([
        { path, bytes },
        { path: `${path}.json`, bytes: description },
      ]);
      return { sha256, name: about.name, media_type: about.mediaType, bytes: Buffer.byteLength(bytes) };
    },
    setRef: (key, value) => writeDurably([{ path: refPath(key), bytes: JSON.stringify(value) }]),
    stageRef: (key, value) => stage({ path: refPath(key), bytes: JSON.stringify(value) }),
    claimRef: async (key, value) => {
      try {
        await writeDurably([{ path: refPath(key), bytes: JSON.stringify(value) }], linkSync);
        return true;
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      }
    },
    getRef: async (key) => {
      try {
        return JSON.parse(readFileSync(refPath(key), 'utf8')) as unknown;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
  };
};

/**
 * Stores bytes in the store of `dir`, nameless: readable by everybody when this returns, durable when `durable`
 * resolves. For a hot path that has something else to wait for meanwhile; `get` finds them, `describe` does not.
 * A power cut before `durable` can leave them torn; `get` then says "damaged", and storing them again mends it.
 */
export const stageArtifact = (dir: string, bytes: Uint8Array | string): { sha256: string; durable: Promise<void> } => {
  const sha256 = sha256Of(bytes);
  return { sha256, durable: stage({ path: join(dir, sha256.slice(0, 2), sha256), bytes }) };
};
