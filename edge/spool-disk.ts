import * as nodeFiles from 'node:fs/promises';
import { codeOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';

/** What is used of `node:fs/promises`; a test hands in calls that fail. */
export type FileCalls = Pick<
  typeof nodeFiles,
  'mkdir' | 'open' | 'readFile' | 'readdir' | 'rename' | 'rm' | 'rmdir' | 'stat'
>;

/** The little of a disk the spool needs. All reject with Node's own errors. */
export interface SpoolDisk {
  /** With its parents, for its owner alone; nothing happens when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Names in it; none when it is missing. */
  list(path: string): Promise<string[]>;
  /** Bytes. */
  sizeOf(path: string): Promise<number>;
  read(path: string): Promise<string>;
  /** For its owner alone; on the platter when it resolves. Replaces what is there. Nothing is left when it rejects. */
  write(path: string, text: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Nothing happens when it is missing. */
  remove(path: string): Promise<void>;
  /** Only an empty one; false: something is in it. */
  removeFolder(path: string): Promise<boolean>;
  /** What was moved and made in it survives a power cut. */
  flushFolder(path: string): Promise<void>;
}

/** A file that a scanner or an indexer holds open is free again within this, milliseconds between tries. */
const BUSY_TRIES_MS = [20, 40, 80, 160, 320];
/** How Windows says that somebody else has the file open. */
const BUSY = ['EBUSY', 'EPERM', 'EACCES'];
/** File systems that cannot flush a folder say it thus. */
const NO_FOLDER_FLUSH = ['EINVAL', 'ENOTSUP', 'ENOSYS'];
/** Windows cannot open a folder as a file. */
const NO_FOLDER_OPEN = ['EPERM', 'EISDIR', 'EACCES', 'EBADF'];

export interface SpoolDiskOptions {
  files?: FileCalls;
  platform?: NodeJS.Platform;
}

/**
 * The disk of this machine. Modes are 0600 and 0700; Windows knows none, there a file is as private as the folder it
 * is made in: below the user's profile that is the user, administrators and the system.
 */
export const createSpoolDisk = ({
  files = nodeFiles,
  platform = process.platform,
}: SpoolDiskOptions = {}): SpoolDisk => {
  const windows = platform === 'win32';

  /** On Windows again while somebody else has it open. */
  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    for (const waitMs of windows ? BUSY_TRIES_MS : []) {
      try {
        return await work();
      } catch (error) {
        if (!BUSY.includes(codeOf(error))) throw error;
      }
      await delay(waitMs);
    }
    return work();
  };
  const remove = (path: string): Promise<void> => patiently(() => files.rm(path, { force: true }));

  return {
    remove,
    makeFolder: async (path) => {
      await files.mkdir(path, { recursive: true, mode: 0o700 });
    },
    list: async (path) => {
      try {
        return await files.readdir(path);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      }
    },
    sizeOf: async (path) => (await files.stat(path)).size,
    read: (path) => patiently(() => files.readFile(path, 'utf8')),
    write: async (path, text) => {
      const file = await patiently(() => files.open(path, 'w', 0o600));
      try {
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
      } catch (error) {
        await remove(path).catch(() => undefined);
        throw error;
      }
    },
    move: (from, to) => patiently(() => files.rename(from, to)),
    removeFolder: async (path) => {
      try {
        await patiently(() => files.rmdir(path));
        return true;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return true;
        if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false;
        throw error;
      }
    },
    flushFolder: async (path) => {
      try {
        const folder = await files.open(path, 'r');
        try {
          await folder.sync();
        } finally {
          await folder.close();
        }
      } catch (error) {
        const tolerated = windows ? [...NO_FOLDER_FLUSH, ...NO_FOLDER_OPEN] : NO_FOLDER_FLUSH;
        if (!tolerated.includes(codeOf(error))) throw error;
      }
    },
  };
};
