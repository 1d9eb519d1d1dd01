import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { codeOf } from '../../platform/errors.ts';
import { SANDBOX_ROOT } from './sandbox.ts';

/** What the model did wrong, in words for it. */
export class ToolProblem extends Error {
  override readonly name = 'ToolProblem';
}

/** The folder tools may touch, and folders they may read, which commands see at `path` of it. */
export interface Confinement {
  tree: string;
  shares: readonly { source: string; path: string }[];
}

/** A path inside the workspace, taken apart; `[]` is the workspace itself. */
export type Parts = readonly string[];

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Largest file the editor opens: 10 MiB. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

const hasCode = (error: unknown, ...codes: string[]): boolean => codes.includes(codeOf(error));

/**
 * Takes a path as models write them: relative, `/workspace/…` or absolute inside the tree.
 * @throws ToolProblem when it leads out of the workspace or into `.git`.
 */
export const partsOf = (confinement: Confinement, path: string): Parts => {
  if (path.includes('\0')) throw new ToolProblem('A path cannot hold a NUL character.');
  let inside = path;
  for (const root of [SANDBOX_ROOT, confinement.tree])
    if (path === root || path.startsWith(`${root}/`)) inside = `.${path.slice(root.length)}`;
  const clean = posix.normalize(inside);
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../'))
    throw new ToolProblem(`${path} is outside the workspace. Paths are relative to it.`);
  const parts = clean.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.some((part) => part.toLowerCase() === '.git'))
    throw new ToolProblem(`${path} is git's own; tools cannot open or make it.`);
  return parts;
};

export const shownAs = (parts: Parts): string => parts.join('/') || '.';

/** A name in an open folder: the kernel starts at the descriptor, so nobody can swap a folder above it for a link. */
const at = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

const explain = async (folder: FileHandle, name: string, shown: string, error: unknown): Promise<never> => {
  if (hasCode(error, 'ENOENT')) throw new ToolProblem(`${shown} does not exist.`);
  if (hasCode(error, 'ELOOP', 'ENOTDIR')) {
    let target: string | null = null;
    try {
      target = await readlink(at(folder, name));
    } catch {
      // not a link: a file where a folder is meant
    }
    throw new ToolProblem(
      target === null
        ? `${shown} is not a folder.`
        : `${shown} is a symbolic link to ${target}; use the path it leads to.`,
    );
  }
  if (hasCode(error, 'EACCES', 'EPERM')) throw new ToolProblem(`${shown}: permission denied.`);
  if (hasCode(error, 'ENAMETOOLONG')) throw new ToolProblem(`${shown}: the name is too long.`);
  throw error;
};

/** Where a path starts: the tree, or a shared folder (read-only). */
const rootOf = (confinement: Confinement, parts: Parts): { root: string; rest: Parts; shared: boolean } => {
  for (const { source, path } of confinement.shares) {
    const prefix = path.split('/');
    if (prefix.every((part, index) => parts[index] === part))
      return { root: source, rest: parts.slice(prefix.length), shared: true };
  }
  return { root: confinement.tree, rest: parts, shared: false };
};

/** Opens folder after folder without following a link. The caller closes the handle. */
const openFolder = async (root: string, parts: Parts, make: boolean): Promise<FileHandle> => {
  let folder = await open(root, FOLDER);
  for (const [index, name] of parts.entries()) {
    const above = folder;
    try {
      if (make)
        await mkdir(at(above, name)).catch((error: unknown) => {
          if (!hasCode(error, 'EEXIST')) throw error;
        });
      folder = await open(at(above, name), FOLDER);
    } catch (error) {
      await explain(above, name, shownAs(parts.slice(0, index + 1)), error);
    } finally {
      await above.close();
    }
  }
  return folder;
};

const inFolder = async <T>(
  root: string,
  parts: Parts,
  make: boolean,
  work: (folder: FileHandle, name: string) => Promise<T>,
): Promise<T> => {
  const folder = await openFolder(root, parts.slice(0, -1), make);
  try {
    return await work(folder, parts.at(-1) ?? '.');
  } finally {
    await folder.close();
  }
};

/** null when there is nothing; a link is described, not followed. */
export const describePath = async (confinement: Confinement, parts: Parts): Promise<Stats | null> => {
  const { root, rest } = rootOf(confinement, parts);
  return inFolder(root, rest, false, async (folder, name) => {
    try {
      return await lstat(at(folder, name));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      return explain(folder, name, shownAs(parts), error);
    }
  });
};

/** A file's bytes. @throws ToolProblem when it is not there, not a plain file, a link, or larger than 10 MiB. */
export const readFileIn = async (confinement: Confinement, parts: Parts): Promise<{ bytes: Buffer; mode: number }> => {
  const { root, rest } = rootOf(confinement, parts);
  return inFolder(root, rest, false, async (folder, name) => {
    let file: FileHandle;
    try {
      file = await open(at(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK); // a pipe would wait for a writer
    } catch (error) {
      return explain(folder, name, shownAs(parts), error);
    }
    try {
      const about = await file.stat();
      if (about.isDirectory()) throw new ToolProblem(`${shownAs(parts)} is a folder.`);
      if (!about.isFile()) throw new ToolProblem(`${shownAs(parts)} is not a plain file.`);
      if (about.size > MAX_FILE_BYTES)
        throw new ToolProblem(
          `${shownAs(parts)} has ${about.size} bytes; use bash (sed, head, grep) for files over 10 MiB.`,
        );
      return { bytes: await file.readFile(), mode: about.mode & 0o777 };
    } finally {
      await file.close();
    }
  });
};

/**
 * Replaces or makes a file, folders above it included: whole or not at all. `guard` runs last, right before the file
 * appears, and may throw to stop it. @throws ToolProblem for links, folders and shared places.
 */
export const writeFileIn = async (
  confinement: Confinement,
  parts: Parts,
  bytes: Uint8Array | string,
  guard: () => void,
): Promise<void> => {
  const { root, rest, shared } = rootOf(confinement, parts);
  if (shared) throw new ToolProblem(`${shownAs(parts)} is in a shared folder, which is read-only.`);
  if (rest.length === 0) throw new ToolProblem('The workspace itself is a folder.');
  await inFolder(root, rest, true, async (folder, name) => {
    const known = await lstat(at(folder, name)).catch(() => null);
    if (known?.isSymbolicLink()) {
      const target = await readlink(at(folder, name));
      throw new ToolProblem(`${shownAs(parts)} is a symbolic link to ${target}; use the path it leads to.`);
    }
    if (known && !known.isFile()) throw new ToolProblem(`${shownAs(parts)} is a folder or not a plain file.`);
    const temporary = at(folder, `.${randomUUID()}.tmp`);
    try {
      const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(bytes);
        await file.chmod(known ? known.mode & 0o777 : 0o644);
      } finally {
        await file.close();
      }
      guard();
      await rename(temporary, at(folder, name));
    } catch (error) {
      await rm(temporary, { force: true });
      if (codeOf(error) === '') throw error;
      await explain(folder, name, shownAs(parts), error);
    }
  });
};

/** Names in a folder, sorted; folders end in `/`, links show where they lead. `.git` is left out. */
export const listFolder = async (confinement: Confinement, parts: Parts): Promise<string[]> => {
  const { root, rest } = rootOf(confinement, parts);
  const folder = await openFolder(root, rest, false);
  try {
    const entries = await readdir(`/proc/self/fd/${folder.fd}/`, { withFileTypes: true });
    const names: string[] = [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === '.git') continue;
      if (entry.isDirectory()) names.push(`${entry.name}/`);
      else if (entry.isSymbolicLink()) names.push(`${entry.name} -> ${await readlink(at(folder, entry.name))}`);
      else names.push(entry.name);
    }
    return names;
  } finally {
    await folder.close();
  }
};
