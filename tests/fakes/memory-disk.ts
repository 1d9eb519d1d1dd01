import { dirname, join } from 'node:path';
import type { SpoolDisk } from '../../edge/spool-disk.ts';
import type { TakeName } from '../../edge/spool-owner.ts';

export type DiskCall = Exclude<keyof SpoolDisk, 'fault'>;

export interface MemoryDisk extends SpoolDisk {
  /** What is on it, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Asked before every call: a code makes it fail as Node would. */
  fault: (call: DiskCall, path: string) => string | null;
  put(path: string, text: string): void;
}

const errorOf = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

/** A disk that is full, read-only or slow when a test says so. */
export const createMemoryDisk = (): MemoryDisk => {
  const files = new Map<string, string>();
  const folders = new Set<string>();
  const make = (path: string): void => {
    for (let at = path; at !== dirname(at); at = dirname(at)) folders.add(at);
  };
  const inside = (path: string): string[] =>
    [...files.keys(), ...folders].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
  const call = async <T>(name: DiskCall, path: string, work: () => T): Promise<T> => {
    await Promise.resolve();
    const code = disk.fault(name, path);
    if (code !== null) throw errorOf(code, path);
    return work();
  };
  const textOf = (path: string): string => {
    const text = files.get(path);
    if (text === undefined) throw errorOf('ENOENT', path);
    return text;
  };
  const disk: MemoryDisk = {
    files,
    fault: () => null,
    put: (path, text) => {
      make(dirname(path));
      files.set(path, text);
    },
    makeFolder: (path) => call('makeFolder', path, () => make(path)),
    list: (path) => call('list', path, () => inside(path)),
    sizeOf: (path) => call('sizeOf', path, () => Buffer.byteLength(textOf(path))),
    read: (path) => call('read', path, () => textOf(path)),
    write: (path, text) =>
      call('write', path, () => {
        if (!folders.has(dirname(path))) throw errorOf('ENOENT', path);
        files.set(path, text);
      }),
    move: (from, to) =>
      call('move', from, () => {
        files.set(to, textOf(from));
        files.delete(from);
      }),
    remove: (path) => call('remove', path, () => void files.delete(path)),
    removeFolder: (path) =>
      call('removeFolder', path, () => {
        if (inside(path).length > 0) return false;
        folders.delete(path);
        return true;
      }),
    flushFolder: (path) => call('flushFolder', path, () => undefined),
  };
  return disk;
};

/** Names as the operating system gives them to processes; `kill` frees those that one of them holds. */
export const createNames = (): { process(): { takeName: TakeName; kill(): void } } => {
  const held = new Set<string>();
  return {
    process: () => {
      const mine = new Set<string>();
      const free = (name: string): void => {
        mine.delete(name);
        held.delete(name);
      };
      return {
        takeName: async (name) => {
          if (held.has(name)) return null;
          held.add(name);
          mine.add(name);
          return async () => free(name);
        },
        kill: () => mine.forEach(free),
      };
    },
  };
};

/** The finals a folder of a memory disk holds, in the order of their names, each as `<folder>/<file>`. */
export const spooledNames = (disk: MemoryDisk, dir: string): string[] =>
  [...disk.files.keys()]
    .filter((path) => /^\d{8}-[0-9a-f]{16}$/.test(dirname(path).slice(dir.length + 1)))
    .map((path) => path.slice(join(dir, '/').length))
    .sort();
