import { appendFile, mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { OperationError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Scrub } from '../../platform/secrets.ts';
import type { Control, OpenedSession, OpenRequest } from '../environment.ts';
import { importCommit, mergeCommits } from './base-commit.ts';
import { listUncommitted } from './dirty.ts';
import { removeFolder } from './disk.ts';
import { mayDeploy } from './effects.ts';
import { askGit, runGit } from './git.ts';
import { createPrivateGit, objectFoldersOf } from './private-git.ts';
import { findTestCommand, readRecipe } from './recipe.ts';
import type { Recipe } from './recipe.ts';
import type { Repository } from './repository.ts';
import { inspectRepository, isSeenByGit } from './repository.ts';
import type { Sandbox } from './sandbox.ts';
import { alternatesText } from './sandbox.ts';
import type { SessionRecord } from './session.ts';
import { branchOf, sessionAt } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { readCheckpoint, restoreTree, saveCheckpoint, snapshotTree } from './snapshot.ts';
import { listGitlinks } from './stage-tree.ts';
import { makeWorkspace, readState, treePlaceOf, writeState } from './workspace.ts';

export interface OpenDependencies {
  repository: string;
  dataDir: string;
  store: SessionStore;
  sandbox: Sandbox;
  artifacts: ArtifactStore;
  log: Log;
  /** For what a repository's own commands print: it is kept, and told to the model. */
  scrub: Scrub;
  networkAllow: readonly string[];
  deployAllow: readonly string[];
  now: () => number;
}

/** Where the job starts: from a checkpoint, from the jobs it depends on, or from the repository's HEAD. */
const settleBase = async (
  deps: OpenDependencies,
  repository: Repository,
  gitDir: string,
  scratch: string,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<{ base: string; roots: string[] }> => {
  const branch = branchOf(request.jobId);
  const commits = [...new Set(request.baseCommits)];
  const checkpoint = request.checkpoint === null ? null : await readCheckpoint(deps.artifacts, request.checkpoint);
  if (commits.length === 0 && checkpoint === null) return { base: repository.head, roots: [repository.head] };
  if (commits.length === 0 && checkpoint !== null) {
    const roots = await importCommit(deps.artifacts, gitDir, checkpoint.base_commit, signal);
    return { base: checkpoint.base_commit, roots };
  }
  const roots: string[] = [];
  for (const commit of commits) roots.push(...(await importCommit(deps.artifacts, gitDir, commit, signal)));
  await mkdir(scratch);
  const base = await mergeCommits(gitDir, branch, commits, scratch, signal);
  await removeFolder(scratch);
  if (checkpoint !== null && checkpoint.base_commit !== base)
    throw new OperationError('BadInput', `the checkpoint builds on ${checkpoint.base_commit}, the job on ${base}`);
  return { base, roots: [...new Set(roots)] };
};

/** Shared folders that are there: inside the checkout, real, and not what git itself holds. */
const findShares = async (
  repository: Repository,
  recipe: Recipe,
  place: { gitDir: string },
  base: string,
  signal: AbortSignal,
): Promise<{ source: string; path: string }[]> => {
  const shares: { source: string; path: string }[] = [];
  for (const path of recipe.share) {
    let source: string;
    try {
      source = await realpath(join(repository.root, path));
      if (!(await stat(source)).isDirectory()) continue;
    } catch {
      continue; // nothing to share yet, e.g. before the first npm ci
    }
    if (!source.startsWith(`${repository.root}/`)) continue;
    const tracked = await askGit(place, ['ls-tree', '-d', '--name-only', base, path], { signal });
    if (tracked === '') shares.push({ source, path });
  }
  return shares;
};

const noticesOf = (deps: OpenDependencies, recipe: Recipe, base: string, uncommitted: string[] | null): string[] => {
  const notices: string[] = [];
  if (uncommitted !== null && uncommitted.length > 0)
    notices.push(
      `The repository has ${uncommitted.length} uncommitted change(s) (${uncommitted.slice(0, 5).join(', ')}${uncommitted.length > 5 ? ', …' : ''}). This job works from commit ${base.slice(0, 12)} and does not see them; say so in the report.`,
    );
  if (deps.sandbox.kind === 'off')
    notices.push('Commands run without a sandbox (CODING_SANDBOX=off): stay inside the working directory.');
  const wanted = recipe.network.filter((target) => deps.networkAllow.includes(target));
  if (wanted.length > 0 && deps.sandbox.kind === 'bubblewrap')
    notices.push(
      `The workspace recipe asks for the network (${wanted.join(', ')}) and the operator allows it, but the sandbox cannot let single addresses through: commands have no network.`,
    );
  return notices;
};

/** What a job that is to deploy has to know; nothing goes wrong, so it is in no log. */
const deployNoticeOf = (deps: OpenDependencies, recipe: Recipe): string[] => {
  if (recipe.deploy === undefined) return [];
  return mayDeploy(recipe, deps.deployAllow)
    ? [`Where the request is to deploy: the recipe's command \`${recipe.deploy}\` is allowed here, alone in its call.`]
    : [
        `The recipe's deploy command \`${recipe.deploy}\` is not allowed on this worker (CODING_DEPLOY_ALLOW does not name it) and would run without network: do not run it.`,
      ];
};

/** Makes a session in the slot `id`/`dir`. The caller takes the slot back when this throws. */
export const openSession = async (
  deps: OpenDependencies,
  request: OpenRequest,
  slot: { id: string; dir: string },
  control: Control,
  signal: AbortSignal,
): Promise<OpenedSession> => {
  const { artifacts, sandbox } = deps;
  await sandbox.check(signal);
  const repository = await inspectRepository(deps.repository, signal);
  if (await isSeenByGit(repository, deps.dataDir, signal))
    throw new OperationError(
      'BadInput',
      `DATA_DIR (${deps.dataDir}) lies inside CODING_WORKING_DIRECTORY where git sees it; move one, or add it to .gitignore`,
    );
  const gitDir = join(slot.dir, 'git');
  const branch = branchOf(request.jobId);
  await createPrivateGit(gitDir, repository, branch);
  await runGit({ gitDir }, ['update-ref', `refs/heads/${branch}`, repository.head], { signal });
  const uncommitted = await listUncommitted(repository, gitDir, signal);
  const { base, roots } = await settleBase(deps, repository, gitDir, join(slot.dir, 'merge'), request, signal);
  await runGit({ gitDir }, ['update-ref', `refs/heads/${branch}`, base], { signal });

  const recipe = await readRecipe({ gitDir }, base, signal);
  const shares = await findShares(repository, recipe, { gitDir }, base, signal);
  await appendFile(join(gitDir, 'info', 'exclude'), shares.map(({ path }) => `/${path}\n`).join(''));
  const objects = await objectFoldersOf(repository);
  await writeFile(join(slot.dir, 'alternates'), alternatesText(objects));
  await writeFile(join(slot.dir, 'empty'), '');
  const notices = noticesOf(deps, recipe, base, uncommitted);
  for (const notice of notices) deps.log.warn({ jobId: request.jobId, notice }, 'coding session');

  const baseTree = await askGit({ gitDir }, ['rev-parse', `${base}^{tree}`], { signal });
  const start = request.checkpoint === null ? null : await readCheckpoint(artifacts, request.checkpoint);
  if (start) await restoreTree(artifacts, gitDir, start, join(slot.dir, 'scratch-index'), signal);
  const draft: SessionRecord = {
    v: 1,
    session_id: slot.id,
    job_id: request.jobId,
    generation: request.generation,
    opened_at: deps.now(),
    repository_root: repository.root,
    base_commit: base,
    start_tree: baseTree,
    start_checkpoint: request.checkpoint ?? '0'.repeat(64),
    roots,
    gitlinks: await listGitlinks({ gitDir }, base, signal),
    objects,
    shares,
    recipe,
    verify_command: await findTestCommand({ gitDir }, base, recipe, signal),
    notices: [...notices, ...deployNoticeOf(deps, recipe)],
  };
  const session = sessionAt(slot.dir, draft);
  const order = { turn: 0, attempt: control.attempt };
  const tree = start?.tree ?? baseTree;
  const workspace = await makeWorkspace(
    session,
    { order, checkpoint: draft.start_checkpoint, tree, batches: 0, trash: deps.store.trash },
    sandbox,
    signal,
    (message) => control.progress(message),
  );
  let checkpoint = request.checkpoint;
  if (checkpoint === null) {
    const made =
      recipe.setup.length === 0
        ? baseTree
        : (await snapshotTree(treePlaceOf(session, workspace), draft.gitlinks, signal)).tree;
    checkpoint = await saveCheckpoint(
      artifacts,
      { gitDir },
      { jobId: request.jobId, baseCommit: base, tree: made },
      signal,
    );
    draft.start_tree = made;
    draft.start_checkpoint = checkpoint;
    writeState(workspace, { ...readState(workspace), checkpoint, tree: made });
  }
  signal.throwIfAborted();
  deps.store.complete(draft);
  return { sessionId: slot.id, checkpoint };
};
