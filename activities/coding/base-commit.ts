import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { OperationError } from '../../platform/errors.ts';
import { askGit, GitError, runGit } from './git.ts';
import { hasCommit } from './repository.ts';

/** How another host gets a job's commit: a git bundle that builds on `roots`, commits of the user's own. */
const PublishedCommit = z.strictObject({ bundle: z.string(), roots: z.array(z.string()) });

const keyOf = (commit: string): string => `commits/${commit}`;

/** Remembers how to make `commit` elsewhere. `branch` points to it in `gitDir`. */
export const publishBundle = async (
  artifacts: ArtifactStore,
  gitDir: string,
  about: { branch: string; commit: string; roots: readonly string[] },
  signal: AbortSignal,
): Promise<void> => {
  const not = about.roots.map((root) => `^${root}`);
  const bundle = await runGit({ gitDir }, ['bundle', 'create', '--quiet', '-', `refs/heads/${about.branch}`, ...not], {
    signal,
  });
  const stored = await artifacts.put(bundle, {
    name: `${about.branch.replace('/', '-')}.bundle`,
    mediaType: 'application/octet-stream',
  });
  await artifacts.setRef(keyOf(about.commit), { bundle: stored.sha256, roots: about.roots });
};

/**
 * Makes sure that `commit` is in `gitDir`, from its bundle when another host made it.
 * @returns the user's own commits it builds on. @throws OperationError BadInput when it cannot be had.
 */
export const importCommit = async (
  artifacts: ArtifactStore,
  gitDir: string,
  commit: string,
  signal: AbortSignal,
): Promise<string[]> => {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) throw new OperationError('BadInput', 'a base commit must be a commit id');
  const published = PublishedCommit.safeParse(await artifacts.getRef(keyOf(commit)));
  if (await hasCommit({ gitDir }, commit, signal)) return published.success ? published.data.roots : [commit];
  const refuse = (why: string): OperationError =>
    new OperationError('BadInput', `commit ${commit} is not in this host's copy of the repository, and ${why}`);
  if (!published.success) throw refuse('no job left it; fetch it here first');
  const file = join(gitDir, `import-${commit}.bundle`);
  await writeFile(file, await artifacts.get(published.data.bundle));
  try {
    await runGit({ gitDir }, ['bundle', 'unbundle', file], { signal });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw refuse(`it builds on ${published.data.roots.join(', ')}, which is not here either; fetch that first`);
  } finally {
    await rm(file, { force: true });
  }
  return published.data.roots;
};

const dateOf = async (gitDir: string, commit: string, signal: AbortSignal): Promise<number> =>
  Number(await askGit({ gitDir }, ['log', '-1', '--format=%ct', commit], { signal }));

/**
 * Merges commits in their order on `branch` of `gitDir`, in the empty folder `tree`. The same commits give the same
 * merge on every host: author and date do not depend on where or when.
 * @throws OperationError MergeConflict naming the files.
 */
export const mergeCommits = async (
  gitDir: string,
  branch: string,
  commits: readonly string[],
  tree: string,
  signal: AbortSignal,
): Promise<string> => {
  const [first = '', ...others] = commits;
  const place = { gitDir, workTree: tree, indexFile: `${tree}.index` };
  await runGit(place, ['update-ref', `refs/heads/${branch}`, first], { signal });
  if (others.length > 0) await runGit(place, ['read-tree', '--reset', '-u', first], { signal });
  let dateSeconds = await dateOf(gitDir, first, signal);
  for (const other of others) {
    dateSeconds = Math.max(dateSeconds, await dateOf(gitDir, other, signal));
    try {
      await runGit(place, ['merge', '--quiet', '--no-edit', '--no-verify', '-m', `merge ${other}`, other], {
        signal,
        dateSeconds,
      });
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const files = (await askGit(place, ['diff', '--name-only', '--diff-filter=U'], { signal }))
        .split('\n')
        .filter(Boolean);
      if (files.length === 0)
        throw new OperationError('BadInput', `commits ${commits.join(' and ')} cannot be merged: ${error.message}`);
      throw new OperationError(
        'MergeConflict',
        `the jobs this one builds on changed the same lines: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ', …' : ''}`,
      );
    }
  }
  return askGit(place, ['rev-parse', '--verify', `refs/heads/${branch}`], { signal });
};
