import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { OperationError } from '../../platform/errors.ts';
import { makeAccessible } from './disk.ts';
import type { GitPlace } from './git.ts';
import { askGit, GitError, runGit } from './git.ts';
import { CodingCheckpoint } from './session.ts';

/** A tree on disk with the index that snapshots are made with. */
export interface TreePlace {
  gitDir: string;
  workTree: string;
  indexFile: string;
}

/** Paths of submodules in a tree. */
export const listGitlinks = async (place: GitPlace, tree: string, signal: AbortSignal): Promise<string[]> =>
  (await runGit(place, ['ls-tree', '-r', '-z', '--full-tree', tree], { signal }))
    .toString('utf8')
    .split('\0')
    .filter((entry) => entry.startsWith('160000 '))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1));

/**
 * Takes the `.git` of repositories that a job made inside its tree. git would record only their commit and drop their
 * files, and would run programs that their configuration names. @returns the folders, for the model to know.
 */
const dissolveNestedRepositories = async (
  place: TreePlace,
  gitlinks: readonly string[],
  signal: AbortSignal,
): Promise<string[]> => {
  const dissolved: string[] = [];
  const dissolve = (folder: string): void => {
    rmSync(join(place.workTree, folder, '.git'), { recursive: true, force: true });
    dissolved.push(folder);
  };
  for (const path of gitlinks) if (existsSync(join(place.workTree, path, '.git'))) dissolve(path);
  for (let depth = 0; depth < 20; depth += 1) {
    const listed = await runGit(place, ['ls-files', '-z', '--others', '--exclude-standard'], { signal });
    const nested = listed
      .toString('utf8')
      .split('\0')
      .filter((path) => path.endsWith('/'));
    if (nested.length === 0) break;
    for (const path of nested) dissolve(path.slice(0, -1));
  }
  return dissolved;
};

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
    const dissolved = await dissolveNestedRepositories(place, gitlinks, signal);
    await runGit(place, ['add', '--all'], { signal });
    return { tree: await askGit(place, ['write-tree'], { signal }), dissolved };
  };
  try {
    return await record();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    await makeAccessible(place.workTree); // a command took the right to read from one of its files
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
