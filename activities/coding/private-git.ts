import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runGit } from './git.ts';
import { excludeFileOf } from './repository.ts';
import type { Repository } from './repository.ts';

const readOr = async (path: string, otherwise: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return otherwise; // these files are optional in every repository
  }
};

/**
 * Makes a git folder of our own at `dir`: it borrows the repository's objects and none of its configuration, so that
 * nothing a job does can reach the user's index, refs, hooks or filters, and the user's `git gc` or `git worktree`
 * never see a session. New objects stay here until a branch is published. `exclude`: further lines for `info/exclude`.
 */
export const createPrivateGit = async (
  dir: string,
  repository: Repository,
  branch: string,
  exclude: readonly string[],
  signal: AbortSignal,
): Promise<void> => {
  const place = { gitDir: dir };
  await runGit({}, ['init', '--quiet', '--bare', '--template=', `--object-format=${repository.objectFormat}`, dir], {
    signal,
  });
  await runGit(place, ['config', 'core.bare', 'false'], { signal });
  await runGit(place, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], { signal });
  await mkdir(join(dir, 'info'), { recursive: true });
  await mkdir(join(dir, 'objects', 'info'), { recursive: true });
  await writeFile(join(dir, 'objects', 'info', 'alternates'), `${join(repository.commonDir, 'objects')}\n`);
  await writeFile(join(dir, 'info', 'exclude'), `${await readOr(excludeFileOf(repository), '')}\n`);
  await appendFile(join(dir, 'info', 'exclude'), exclude.map((line) => `${line}\n`).join(''));
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
