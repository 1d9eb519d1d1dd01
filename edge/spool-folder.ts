import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { temporaryName } from './spool-final.ts';

/** The folder of one start of the edge. */
export interface SpoolFolder {
  /** Made, if the disk lets us; null, or why not, for people. */
  prepare(): Promise<string | null>;
  /** null: the file is there, whole, and survives a power cut; else why not, for people. */
  write(name: string, text: string): Promise<string | null>;
  /** If nothing is in it. */
  remove(): Promise<void>;
}

const WHY: Record<string, string> = {
  ENOSPC: ', the disk is full',
  EDQUOT: ', the quota is used up',
  EROFS: ', the disk is read-only',
  EACCES: ', no right to write there',
  EPERM: ', no right to write there',
};

/** Writes beside, flushes, renames, flushes the folder: a crash leaves a file whole or not at all. */
export const createSpoolFolder = (dir: string, own: string, disk: SpoolDisk): SpoolFolder => {
  const folder = join(dir, own);
  const because = (error: unknown): string =>
    `sentences cannot be written to ${dir} (${codeOf(error) || messageOf(error)}${WHY[codeOf(error)] ?? ''}): they are kept in memory, and lost if the edge ends before the gateway has them`;

  let durable = false;
  /** Every time: somebody may have tidied up. */
  const make = async (): Promise<void> => {
    await disk.makeFolder(folder);
    if (durable) return;
    await disk.flushFolder(dir);
    await disk.flushFolder(dirname(dir));
    durable = true;
  };

  return {
    prepare: () =>
      make().then(
        () => null,
        (error: unknown) => because(error),
      ),
    write: async (name, text) => {
      const temporary = join(folder, temporaryName(name));
      try {
        await make();
        await disk.write(temporary, text);
        await disk.move(temporary, join(folder, name));
        await disk.flushFolder(folder);
        return null;
      } catch (error) {
        await disk.remove(temporary).catch(() => undefined);
        return because(error);
      }
    },
    remove: async () => {
      await disk.removeFolder(folder).catch(() => false);
    },
  };
};
