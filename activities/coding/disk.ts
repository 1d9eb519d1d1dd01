import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

/** Written whole or not at all. Synchronous, so that nothing of ours runs between a look at the disk and the write. */
export const writeJson = (path: string, value: unknown): void => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
  renameSync(temporary, path);
};

/** null when it is not there or not JSON. */
export const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return null;
  }
};

/** `path` below `folder`, byte by byte: a name on Linux need not be UTF-8. */
export const below = (folder: string | Buffer, path: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(path)]);

/**
 * True when `path` below `root` is a folder reached through folders alone: no link on the way can lead elsewhere.
 * `make`: what is missing is made.
 */
export const isPlainFolder = (root: string, path: string | Buffer, make = false): boolean => {
  let folder: Buffer = Buffer.from(root);
  for (const name of Buffer.from(path).toString('latin1').split('/')) {
    folder = below(folder, Buffer.from(name, 'latin1'));
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found ? !found.isDirectory() : !make) return false;
    if (!found) mkdirSync(folder);
  }
  return true;
};

/** Gives the owner back the right to enter, read and write, which a command may have taken from itself. */
export const makeAccessible = (folder: string): Promise<void> =>
  new Promise((resolve) => {
    execFile('chmod', ['-R', 'u+rwX', '--', folder], () => resolve()); // what still fails shows in what comes next
  });

/** Removes a folder whatever modes a job left in it; symbolic links are removed, not followed. */
export const removeFolder = async (folder: string): Promise<void> => {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await makeAccessible(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
};

/**
 * Takes a folder out of sight, in the same instant as whatever look at the disk allowed it.
 * @returns where it is now, to be removed: a crash before that leaves it in `trash`, which is swept; null: it was not there.
 */
export const hideFolder = (folder: string, trash: string): string | null => {
  mkdirSync(trash, { recursive: true });
  const doomed = join(trash, `${basename(folder)}-${randomUUID()}`);
  try {
    renameSync(folder, doomed);
    return doomed;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

/** Takes a folder out of sight at once, then removes it. */
export const discardFolder = async (folder: string, trash: string): Promise<void> => {
  const doomed = hideFolder(folder, trash);
  if (doomed !== null) await removeFolder(doomed);
};
