import type { Log } from '../../platform/log.ts';
import { messageOf } from '../../platform/errors.ts';
import { oneLine } from '../../platform/text.ts';
import { askGit, GitError, runGit } from './git.ts';
import type { GitPlace } from './git.ts';
import type { Repository } from './repository.ts';
import { branchOf } from './session.ts';

export interface Published {
  branch: string;
  commit: string;
}

const lookUp = async (place: GitPlace, ref: string, signal: AbortSignal): Promise<string | null> => {
  try {
    return await askGit(place, ['rev-parse', '--verify', '--quiet', ref], { signal });
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
};

/** How many names are tried when `dual/<job_id>` holds other work, as after a job was run again from its history. */
const NAMES_TRIED = 20;

/**
 * Makes one commit of `tree` on `base` and puts it on `dual/<job_id>` in the user's repository: two plumbing commands
 * (unpack objects, set a new ref) that touch neither checkout, index nor HEAD and run no hook. A branch of that name
 * with other work stays; the next free name (`-2`, ...) is taken.
 * @returns null when git will not make the branch, e.g. because one named `dual` is in its way.
 */
export const publishBranch = async (
  repository: Repository,
  gitDir: string,
  about: { jobId: string; tree: string; base: string; roots: readonly string[]; message: string; dateSeconds: number },
  log: Log,
  signal: AbortSignal,
): Promise<Published | null> => {
  const own = { gitDir };
  const users = { gitDir: repository.commonDir };
  const subject = oneLine(about.message, 72) || 'Work of a coding job';
  const commit = await askGit(own, ['commit-tree', about.tree, '-p', about.base, '-F', '-'], {
    signal,
    dateSeconds: about.dateSeconds,
    input: `${subject}\n\nJob: ${about.jobId}\n`,
  });
  await runGit(own, ['update-ref', `refs/heads/${branchOf(about.jobId)}`, commit], { signal });
  const objects = await runGit(own, ['pack-objects', '--revs', '--stdout', '-q', '--delta-base-offset'], {
    signal,
    maxBytes: 1024 * 1024 * 1024,
    input: [commit, '--not', ...about.roots].map((line) => `${line}\n`).join(''),
  });
  await runGit(users, ['unpack-objects', '-q'], { signal, input: objects });
  for (let number = 1; number <= NAMES_TRIED; number += 1) {
    const branch = branchOf(about.jobId) + (number === 1 ? '' : `-${number}`);
    const there = await lookUp(users, `refs/heads/${branch}^{commit}`, signal);
    if (there === commit) return { branch, commit };
    if (there !== null) {
      const same =
        (await lookUp(users, `${there}^{tree}`, signal)) === about.tree &&
        (await lookUp(users, `${there}^`, signal)) === about.base;
      if (same) {
        await runGit(own, ['update-ref', `refs/heads/${branchOf(about.jobId)}`, there], { signal });
        return { branch, commit: there };
      }
      continue;
    }
    try {
      await runGit(users, ['update-ref', '--create-reflog', `refs/heads/${branch}`, commit, ''], { signal });
      return { branch, commit };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      log.error(
        { jobId: about.jobId, branch, reason: messageOf(error) },
        'the branch could not be made; the patch artifact has the work',
      );
      return null;
    }
  }
  log.error({ jobId: about.jobId }, 'every branch name of this job holds other work; the patch artifact has this one');
  return null;
};
