import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { excludeFileOf } from './repository.ts';
import type { Repository } from './repository.ts';

const readOr = async (path: string, otherwise: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return otherwise; // these files are optional in every repository
  }
};

/** What `git init` would write, for a folder that has its tree beside it. */
const configText = (objectFormat: string): string =>
  objectFormat === 'sha1'
    ? '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n'
    : `[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = false\n[extensions]\n\tobjectformat = ${objectFormat}\n`;

/**
 * Makes a git folder of our own at `dir`: it borrows the repository's objects and none of its configuration, so that
 * nothing a job does can reach the user's index, refs, hooks or filters, and the user's `git gc` or `git worktree`
 * never see a session. New objects stay here until a branch is published.
 */
export const createPrivateGit = async (dir: string, repository: Repository, branch: string): Promise<void> => {
  for (const folder of ['info', 'objects/info', 'objects/pack', 'refs/heads'])
    await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, 'HEAD'), `ref: refs/heads/${branch}\n`);
  await writeFile(join(dir, 'config'), configText(repository.objectFormat));
  await writeFile(join(dir, 'objects', 'info', 'alternates'), `${join(repository.commonDir, 'objects')}\n`);
  await writeFile(join(dir, 'info', 'exclude'), `${await readOr(excludeFileOf(repository), '')}\n`);
  try {
    await copyFile(join(repository.commonDir, 'shallow'), join(dir, 'shallow'));
  } catch {
    // not a shallow clone
  }
};

/** Object folders a repository reads from, its own first; alternates may have alternates. */
export const objectFoldersOf = async (repository: Repository): Promise<string[]> => {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    if (found.includes(folder) || found.length >= 10) return; // git itself stops at five levels
    found.push(folder);
    const lines = (await readOr(join(folder, 'info', 'alternates'), '')).split('\n');
    for (const line of lines) if (line && !line.startsWith('#')) await visit(resolve(folder, line));
  };
  await visit(join(repository.commonDir, 'objects'));
  return found;
};
