import { rmSync } from 'node:fs';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { codeOf, OperationError } from '../../platform/errors.ts';
import { makeAccessible } from './disk.ts';
import type { GitPlace } from './git.ts';
import { askGit, GitError, runGit } from './git.ts';
import { CodingCheckpoint } from './session.ts';
import type { TreePlace } from './stage-tree.ts';
import { stageTree } from './stage-tree.ts';

/**
 * Records the tree as it is on disk: everything git does not ignore, with modes and links. Ignored files (build
 * output, installed packages) are no part of it. Nothing may write to the tree meanwhile.
 */
export const snapshotTree = async (
  place: TreePlace,
  gitlinks: readonly string[],
  signal: AbortSignal,
): Promise<{ tree: string; dissolved: string[] }> => {
  const record = async (): Promise<{ tree: string; dissolved: string[] }> => {
    const dissolved = await stageTree(place, gitlinks, signal);
    return { tree: await askGit(place, ['write-tree'], { signal }), dissolved };
  };
  try {
    return await record();
  } catch (error) {
    if (!(error instanceof GitError) && codeOf(error) !== 'EACCES') throw error;
    await makeAccessible(place.workTree); // a command took the right to read or enter from one of its files or folders
    return record();
  }
};

/** Difference of two trees as a patch that `git apply` takes back without loss: binary, modes, links, deletions. */
export const diffTrees = (place: GitPlace, from: string, to: string, signal: AbortSignal): Promise<Buffer> =>
  runGit(
    { gitDir: place.gitDir ?? '' },
    [
      'diff-tree',
      '-r',
      '-p',
      '--binary',
      '--full-index',
      '--no-renames',
      '--no-ext-diff',
      '--no-textconv',
      '--no-color',
      from,
      to,
    ],
    { signal },
  );

/**
 * Stores base and patch as artifacts; the same tree gives the same checkpoint.
 * @throws OperationError PayloadTooLarge when the changes exceed 64 MiB.
 */
export const saveCheckpoint = async (
  artifacts: ArtifactStore,
  place: GitPlace,
  about: { jobId: string; baseCommit: string; tree: string },
  signal: AbortSignal,
): Promise<string> => {
  const patch = await diffTrees(place, `${about.baseCommit}^{tree}`, about.tree, signal);
  const stored =
    patch.length === 0 ? null : await artifacts.put(patch, { name: `${about.jobId}.patch`, mediaType: 'text/x-diff' });
  const checkpoint: CodingCheckpoint = {
    v: 1,
    kind: 'coding',
    base_commit: about.baseCommit,
    patch: stored?.sha256 ?? null,
    tree: about.tree,
  };
  const ref = await artifacts.put(JSON.stringify(checkpoint), {
    name: 'coding-checkpoint.json',
    mediaType: 'application/json',
  });
  return ref.sha256;
};

/** @throws OperationError BadInput when the artifact is not a checkpoint of this environment. */
export const readCheckpoint = async (artifacts: ArtifactStore, sha256: string): Promise<CodingCheckpoint> => {
  const parsed = CodingCheckpoint.safeParse(await artifacts.getJson(sha256));
  if (!parsed.success) throw new OperationError('BadInput', `artifact ${sha256} is not a coding checkpoint`);
  return parsed.data;
};

/**
 * Makes sure that the checkpoint's tree is in the session's own objects: it is on the host that made it, elsewhere it
 * is rebuilt from base and patch. `scratchIndex` is a path to use. @throws OperationError Internal when it differs.
 */
export const restoreTree = async (
  artifacts: ArtifactStore,
  gitDir: string,
  checkpoint: CodingCheckpoint,
  scratchIndex: string,
  signal: AbortSignal,
): Promise<void> => {
  try {
    // Every object below it too: a tree whose files were never written here must be rebuilt.
    await runGit({ gitDir }, ['rev-list', '--objects', '--quiet', checkpoint.tree, '--not', checkpoint.base_commit], {
      signal,
    });
    return;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
  }
  const place = { gitDir, indexFile: scratchIndex };
  try {
    await runGit(place, ['read-tree', checkpoint.base_commit], { signal });
    if (checkpoint.patch !== null)
      await runGit(place, ['apply', '--cached', '--binary', '--whitespace=nowarn', '-'], {
        signal,
        input: await artifacts.get(checkpoint.patch),
      });
    const tree = await askGit(place, ['write-tree'], { signal });
    if (tree !== checkpoint.tree)
      throw new OperationError('Internal', 'the checkpoint does not give the tree it was made of', {
        retryable: false,
      });
  } finally {
    rmSync(scratchIndex, { force: true });
  }
};
