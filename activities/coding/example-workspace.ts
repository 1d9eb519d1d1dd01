import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationError } from '../../platform/errors.ts';
import { removeFolder } from './disk.ts';
import { askGit, AUTHOR, GitError, runGit } from './git.ts';
import type { GitPlace } from './git.ts';

/** The example as a tree in `gitDir`, without what its .gitignore names. */
const treeOf = async (source: string, gitDir: string, signal: AbortSignal): Promise<string> => {
  const indexFile = join(gitDir, `example-${randomUUID()}`);
  const place = { gitDir, workTree: source, indexFile };
  try {
    await runGit(place, ['add', '--all'], { signal });
    return await askGit(place, ['write-tree'], { signal });
  } finally {
    await rm(indexFile, { force: true });
  }
};

const commitTree = async (place: GitPlace, tree: string, parent: string | null, signal: AbortSignal): Promise<void> => {
  const parents = parent === null ? [] : ['-p', parent];
  const message = parent === null ? 'The example workspace' : 'Bring the example up to date';
  const commit = await askGit(place, ['commit-tree', tree, ...parents, '-m', message], { signal });
  await runGit(place, ['read-tree', '--reset', '-u', tree], { signal });
  await runGit(place, ['update-ref', 'HEAD', commit], { signal });
};

const makeRepository = async (source: string, target: string, signal: AbortSignal): Promise<void> => {
  const place = { gitDir: join(target, '.git'), workTree: target };
  await mkdir(target, { recursive: true });
  await runGit({ workTree: target }, ['init', '--quiet', '--template=', '--initial-branch=main', target], { signal });
  await commitTree(place, await treeOf(source, place.gitDir, signal), null, signal);
};

/** True when nobody but us has worked in it: our commit, on main, nothing uncommitted. */
const isUntouched = async (place: GitPlace, signal: AbortSignal): Promise<boolean> => {
  try {
    const head = await askGit(place, ['symbolic-ref', '--quiet', 'HEAD'], { signal });
    const author = await askGit(place, ['log', '-1', '--format=%ae'], { signal });
    const changes = await askGit(place, ['status', '--porcelain'], { signal });
    return head === 'refs/heads/main' && author === AUTHOR.email && changes === '';
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
};

/**
 * Makes the shipped example a git repository of its own at `target`, brings it up to date when the example changed,
 * and leaves one alone that a person has changed or committed to. @returns its real path.
 * @throws OperationError BadInput when something else is in the way.
 */
export const prepareExampleWorkspace = async (options: {
  source: string;
  target: string;
  signal: AbortSignal;
}): Promise<string> => {
  const { source, target, signal } = options;
  if (!existsSync(join(target, '.git'))) {
    if (existsSync(target) && (await readdir(target)).length > 0)
      throw new OperationError(
        'BadInput',
        `${target} is in the way: it is not empty and not a git repository; move it away`,
      );
    await mkdir(dirname(target), { recursive: true });
    const draft = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
    try {
      await makeRepository(source, draft, signal);
      await rename(draft, target).catch((error: unknown) => {
        if (!existsSync(join(target, '.git'))) throw error; // otherwise another process was quicker
      });
    } finally {
      await removeFolder(draft);
    }
    return realpath(target);
  }
  const place = { gitDir: join(target, '.git'), workTree: target };
  if (await isUntouched(place, signal)) {
    const head = await askGit(place, ['rev-parse', 'HEAD'], { signal });
    const tree = await treeOf(source, place.gitDir, signal);
    if (tree !== (await askGit(place, ['rev-parse', 'HEAD^{tree}'], { signal })))
      await commitTree(place, tree, head, signal);
  }
  return realpath(target);
};
