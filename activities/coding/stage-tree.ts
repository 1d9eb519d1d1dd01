import { isUtf8 } from 'node:buffer';
import { lstatSync, rmSync } from 'node:fs';
import { OperationError } from '../../platform/errors.ts';
import { below, isPlainFolder } from './disk.ts';
import type { GitPlace } from './git.ts';
import { runGit } from './git.ts';

/** A tree on disk with the index that snapshots are made with. */
export interface TreePlace {
  gitDir: string;
  workTree: string;
  indexFile: string;
}

/** Repositories in repositories; more of them are no accident. */
const MAX_NESTED = 50;
const SLASH = 0x2f;
const GITLINK = '160000 ';

/** Entries of what git lists with `-z`, as bytes: a name need not be UTF-8. */
const entriesOf = (listed: Buffer): Buffer[] => {
  const entries: Buffer[] = [];
  for (let from = 0, end = listed.indexOf(0); end !== -1; from = end + 1, end = listed.indexOf(0, from))
    entries.push(listed.subarray(from, end));
  return entries;
};

/** Paths of the submodules in what `ls-tree` or `ls-files --stage` list with `-z`: `<mode> <more>\t<path>`. */
const gitlinksIn = (listed: Buffer): Buffer[] => {
  const paths: Buffer[] = [];
  for (let at = listed.indexOf(GITLINK); at !== -1; at = listed.indexOf(GITLINK, at + 1))
    if (at === 0 || listed[at - 1] === 0)
      paths.push(listed.subarray(listed.indexOf('\t', at) + 1, listed.indexOf(0, at)));
  return paths;
};

/**
 * Paths of submodules in a tree.
 * @throws OperationError BadInput for one that is not UTF-8: as text it would not be found again.
 */
export const listGitlinks = async (place: GitPlace, tree: string, signal: AbortSignal): Promise<string[]> =>
  gitlinksIn(await runGit(place, ['ls-tree', '-r', '-z', '--full-tree', tree], { signal })).map((path) => {
    if (isUtf8(path)) return path.toString();
    throw new OperationError('BadInput', `the path of the submodule ${path.toString()} is not UTF-8; rename it`);
  });

/**
 * Takes the `.git` of a folder in the tree; true when there was one. A job may have put a link to anywhere on the way:
 * only what is reached through plain folders is touched, and git looks no further either.
 */
const dissolve = (place: TreePlace, folder: Buffer): boolean => {
  if (!isPlainFolder(place.workTree, folder)) return false;
  const inner = below(below(place.workTree, folder), '.git');
  if (!lstatSync(inner, { throwIfNoEntry: false })) return false;
  rmSync(inner, { recursive: true, force: true }); // a link is removed, not followed
  return true;
};

const tooDeep = (): OperationError =>
  new OperationError('ToolFailed', `git repositories lie inside each other more than ${MAX_NESTED} deep`);

/** Takes the `.git` of every repository among the untracked folders; git would not add one without a commit at all. */
const dissolveUntracked = async (place: TreePlace, signal: AbortSignal): Promise<Buffer[]> => {
  const dissolved: Buffer[] = [];
  for (let round = 0; round <= MAX_NESTED; round += 1) {
    const listed = await runGit(place, ['ls-files', '-z', '--others', '--exclude-standard'], { signal });
    const nested = entriesOf(listed).filter((path) => path.at(-1) === SLASH);
    if (nested.length === 0) return dissolved;
    dissolved.push(...nested.map((path) => path.subarray(0, -1)).filter((folder) => dissolve(place, folder)));
  }
  throw tooDeep();
};

/**
 * Brings the index to what is on disk: everything git does not ignore, the files of repositories that a job made
 * inside its tree included. git itself would record such a repository as a submodule and drop its files, and with a
 * submodule in the index `git add` runs `git status` inside it, and so programs that its configuration names, on the
 * host. Therefore the index is looked at before and after: a submodule in it never has a `.git` when `git add` starts,
 * and none stays but `gitlinks`, those of the base.
 * @returns the folders whose `.git` was taken, for the model to know.
 * @throws OperationError ToolFailed when there is no end of them.
 */
export const stageTree = async (
  place: TreePlace,
  gitlinks: readonly string[],
  signal: AbortSignal,
): Promise<string[]> => {
  const dissolved: Buffer[] = [];
  const isOfBase = (path: Buffer): boolean => gitlinks.some((known) => path.equals(Buffer.from(known)));
  for (let round = 0; round <= MAX_NESTED; round += 1) {
    const inside = gitlinksIn(await runGit(place, ['ls-files', '-z', '--stage'], { signal }));
    dissolved.push(...inside.filter((path) => dissolve(place, path)));
    const made = inside.filter((path) => !isOfBase(path));
    if (round > 0 && made.length === 0) return dissolved.map((path) => path.toString());
    if (made.length > 0) {
      const input = Buffer.concat(made.flatMap((path) => [path, Buffer.from([0])]));
      await runGit(place, ['update-index', '--force-remove', '-z', '--stdin'], { signal, input });
    }
    dissolved.push(...(await dissolveUntracked(place, signal)));
    await runGit(place, ['add', '--all'], { signal });
  }
  throw tooDeep();
};
