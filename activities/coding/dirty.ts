import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';
import { GitError, runGit } from './git.ts';
import type { Repository } from './repository.ts';

/**
 * What the user has not committed, as paths; null when it cannot be told. Looked at through `gitDir` (whose HEAD is
 * the user's) and a copy of the index: neither the user's index nor any configured filter or monitor is touched.
 */
export const listUncommitted = async (
  repository: Repository,
  gitDir: string,
  signal: AbortSignal,
): Promise<string[] | null> => {
  const copy = join(gitDir, 'users-index');
  try {
    await copyFile(join(repository.gitDir, 'index'), copy);
    const listed = await runGit(
      { gitDir, workTree: repository.root, indexFile: copy },
      ['status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules=all', '--untracked-files=normal'],
      { signal },
    );
    return listed
      .toString('utf8')
      .split('\0')
      .filter(Boolean)
      .map((entry) => entry.slice(3));
  } catch (error) {
    if (error instanceof GitError || codeOf(error) !== '') return null; // e.g. a split index
    throw error;
  } finally {
    await rm(copy, { force: true });
  }
};
