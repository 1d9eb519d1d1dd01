import { join } from 'node:path';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { SetAside } from './spool-aside.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { decodeFinal, parseFileName, parseFolderName } from './spool-final.ts';
import type { ReleaseName, TakeName } from './spool-owner.ts';

/** A final that an edge left behind that lives no more. */
export interface LeftFile {
  folder: string;
  name: string;
  key: string;
  bytes: number;
}

export interface LeftoverOptions {
  dir: string;
  /** The folder of this start, which nobody left. */
  own: string;
  disk: SpoolDisk;
  takeName: TakeName;
  aside: SetAside;
  log: Pick<Log, 'warn'>;
}

export interface Leftovers {
  /**
   * What edges that ended left behind, oldest start first, from now on this one's; ends behind the folder with which
   * `room` files are found.
   */
  adopt(room: number): Promise<LeftFile[]>;
  /** Removes the folders that were taken over and of which `isDone`. */
  clear(isDone: (folder: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** Takes over what dead edges left. A living one holds its name, so two never deliver each other's finals. */
export const createLeftovers = ({ dir, own, disk, takeName, aside, log }: LeftoverOptions): Leftovers => {
  const taken = new Map<string, ReleaseName>();

  /** One whose writing was cut may be whole: then it counts. */
  const finish = async (folder: string, found: string, name: string): Promise<boolean> => {
    const path = join(dir, folder, found);
    if (!decodeFinal(await disk.read(path))) return false;
    await disk.move(path, join(dir, folder, name));
    return true;
  };

  const look = async (folder: string, found: string): Promise<LeftFile[]> => {
    const path = join(dir, folder, found);
    try {
      const parsed = parseFileName(found);
      if (parsed && (parsed.whole || (await finish(folder, found, parsed.name)))) {
        const { name, key } = parsed;
        return [{ folder, name, key, bytes: await disk.sizeOf(join(dir, folder, name)) }];
      }
      const moved = await aside.bad(path, `${folder}-${found.replace(/^\./, '')}`);
      log.warn({ file: path, moved }, 'a file in the spool is no final: set aside');
    } catch (error) {
      log.warn({ file: path, error: messageOf(error) }, 'a file in the spool cannot be looked at: left alone');
    }
    return [];
  };

  /** The names in a folder whose edge is dead, which it now is not any more; none while it lives. */
  const take = async (folder: string): Promise<string[]> => {
    const parsed = parseFolderName(folder);
    if (!parsed || folder === own || taken.has(folder)) return [];
    let release: ReleaseName | null = null;
    try {
      release = await takeName(parsed.life);
      if (!release) return [];
      const names = (await disk.list(join(dir, folder))).sort();
      taken.set(folder, release);
      return names;
    } catch (error) {
      log.warn({ folder, error: messageOf(error) }, 'what an earlier edge left cannot be taken over: tried again');
      await release?.();
      return [];
    }
  };

  /** Of a final that is there, what a failed attempt to write it left. */
  const isRemnant = (found: string, names: readonly string[]): boolean => {
    const parsed = parseFileName(found);
    return parsed !== null && !parsed.whole && names.includes(parsed.name);
  };

  return {
    adopt: async (room) => {
      const found: LeftFile[] = [];
      for (const folder of (await disk.list(dir)).sort()) {
        if (found.length >= room) break;
        const names = await take(folder);
        for (const name of names) {
          if (isRemnant(name, names)) await disk.remove(join(dir, folder, name)).catch(() => undefined);
          else found.push(...(await look(folder, name)));
        }
      }
      return found;
    },
    clear: async (isDone) => {
      for (const [folder, release] of taken) {
        if (!isDone(folder)) continue;
        const gone = await disk.removeFolder(join(dir, folder)).catch(() => false);
        if (!gone) continue;
        taken.delete(folder);
        await release();
      }
    },
    close: async () => {
      for (const release of taken.values()) await release();
      taken.clear();
    },
  };
};
