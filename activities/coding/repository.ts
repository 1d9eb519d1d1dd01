import { realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { OperationError } from '../../platform/errors.ts';
import type { GitPlace } from './git.ts';
import { askGit, GitError, runGit } from './git.ts';

/** The user's repository: read from, and given a branch at the end; its checkout, index and HEAD are never touched. */
export interface Repository {
  /** Real path of the checkout. */
  root: string;
  gitDir: string;
  /** Shared by all worktrees of the repository: objects, refs, info/. */
  commonDir: string;
  objectFormat: string;
  /** The commit its HEAD is at now. */
  head: string;
}

const refuse = (path: string, problem: string): OperationError =>
  new OperationError('BadInput', `CODING_WORKING_DIRECTORY (${path}): ${problem}`);

/**
 * Looks at what is to be changed.
 * @throws OperationError BadInput saying what to do: no such folder, no repository, bare, no commits, inside another one.
 */
export const inspectRepository = async (path: string, signal: AbortSignal): Promise<Repository> => {
  let root: string;
  try {
    root = await realpath(path);
    if (!(await stat(root)).isDirectory()) throw new Error('not a folder');
  } catch (error) {
    throw new OperationError('BadInput', `CODING_WORKING_DIRECTORY (${path}): there is no such folder`, {
      cause: error,
    });
  }
  const here = (args: string[]): Promise<string> => askGit({ workTree: root }, args, { signal });
  let answer: string;
  try {
    answer = await here(['rev-parse', '--is-bare-repository', '--is-inside-git-dir']);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw refuse(path, 'not a git repository; make it one: git init && git add -A && git commit -m "first"');
  }
  if (answer.includes('true'))
    throw refuse(path, 'a bare repository (or a .git folder); give the folder of a checkout, e.g. made by git clone');
  const [top = '', gitDir = '', commonDir = '', objectFormat = ''] = (
    await here([
      'rev-parse',
      '--path-format=absolute',
      '--show-toplevel',
      '--git-dir',
      '--git-common-dir',
      '--show-object-format',
    ])
  ).split('\n');
  if ((await realpath(top)) !== root)
    throw refuse(
      path,
      `a folder inside the repository ${top}, not a repository of its own; give ${top} or run git init`,
    );
  let head: string;
  try {
    head = await here(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw refuse(path, 'no commits yet; make one: git add -A && git commit -m "first"');
  }
  return { root, gitDir, commonDir, objectFormat, head };
};

/** True when `folder` is in the checkout in a place git sees: worktrees there would show up as the user's own changes. */
export const isSeenByGit = async (repository: Repository, folder: string, signal: AbortSignal): Promise<boolean> => {
  const path = relative(repository.root, folder);
  if (path.startsWith('..')) return false;
  if (path === '') return true;
  try {
    await runGit({ workTree: repository.root }, ['check-ignore', '--quiet', '--', path], { signal });
    return false;
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return true;
    throw error;
  }
};

/** True when the commit is in the object store that `place` sees. */
export const hasCommit = async (place: GitPlace, commit: string, signal: AbortSignal): Promise<boolean> => {
  try {
    await runGit(place, ['cat-file', '-e', `${commit}^{commit}`], { signal });
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
};

/** A file's text as a commit holds it; null when it is not there or larger than 1 MiB. */
export const readCommittedFile = async (
  place: GitPlace,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<string | null> => {
  try {
    return (
      await runGit(place, ['cat-file', 'blob', `${commit}:${path}`], { signal, maxBytes: 1024 * 1024 })
    ).toString();
  } catch (error) {
    if (error instanceof GitError || (error instanceof OperationError && error.type === 'PayloadTooLarge')) return null;
    throw error;
  }
};

export const excludeFileOf = (repository: Repository): string => join(repository.commonDir, 'info', 'exclude');
