import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { copyFile, cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, OperationError } from '../../platform/errors.ts';
import { discardFolder, isPlainFolder, readJson, writeJson } from './disk.ts';
import { supersededBy } from './fence.ts';
import { GitError, runGit } from './git.ts';
import { SELF } from './processes.ts';
import type { ProcessId } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Sandbox, Surroundings } from './sandbox.ts';
import type { Order, Session } from './session.ts';
import { WorkspaceState } from './session.ts';
import { workspaceNumbers } from './session-store.ts';
import type { TreePlace } from './stage-tree.ts';

/**
 * A tree with its index and /tmp, in a numbered folder of its session. An attempt that has to start over gets a new
 * one: an attempt that was thought dead and wakes up again goes on writing into a folder nobody looks at.
 */
export interface Workspace {
  number: number;
  dir: string;
  tree: string;
  tmp: string;
}

/** Setup commands of one tree may take 4 minutes in all: opening a session has ten. */
const SETUP_LIMIT_MS = 240_000;

export const workspaceIn = (dir: string, number: number): Workspace => ({
  number,
  dir,
  tree: join(dir, 'tree'),
  tmp: join(dir, 'tmp'),
});

export const treePlaceOf = (session: Session, workspace: Workspace): TreePlace => ({
  gitDir: session.gitDir,
  workTree: workspace.tree,
  indexFile: join(workspace.dir, 'index'),
});

/** @throws OperationError SessionLost when there is none. */
export const latestWorkspace = (session: Session): Workspace => {
  const number = workspaceNumbers(session.dir)[0];
  if (number === undefined) throw new OperationError('SessionLost', 'this session has no workspace (any more)');
  return workspaceIn(join(session.dir, String(number)), number);
};

export const readState = (workspace: Workspace): WorkspaceState => {
  const state = WorkspaceState.safeParse(readJson(join(workspace.dir, 'state.json')));
  if (!state.success) throw new OperationError('SessionLost', 'this session has no workspace (any more)');
  return state.data;
};

/** Number of the newest workspace, complete or not. @throws OperationError SessionLost when the session was closed. */
export const newestNumber = (session: Session): number => {
  try {
    return Math.max(0, ...readdirSync(session.dir).map(Number).filter(Number.isInteger));
  } catch {
    throw new OperationError('SessionLost', 'this session was closed');
  }
};

/** @throws OperationError SessionLost when another attempt has moved on to a newer workspace, or closed the session. */
export const assertLatest = (session: Session, workspace: Workspace): void => {
  if (newestNumber(session) > workspace.number) throw supersededBy('a newer attempt');
};

export const writeState = (workspace: Workspace, state: WorkspaceState): void =>
  writeJson(join(workspace.dir, 'state.json'), state);

export const surroundingsOf = (session: Session, workspace: Workspace): Surroundings => ({
  sessionId: session.record.session_id,
  tree: workspace.tree,
  tmp: workspace.tmp,
  gitDir: session.gitDir,
  objects: session.record.objects,
  alternatesFile: join(session.dir, 'alternates'),
  emptyFile: join(session.dir, 'empty'),
  shares: session.record.shares,
  env: session.record.recipe.env,
});

/**
 * Lays out `treeish` in the workspace's folder: files, git pointer, shared folders, setup commands.
 * @throws OperationError BadInput when a setup command fails.
 */
export const layTree = async (
  session: Session,
  workspace: Workspace,
  treeish: string,
  sandbox: Sandbox,
  about: { signal: AbortSignal; progress: (message: string) => void; onGroup: (group: ProcessId | null) => void },
): Promise<void> => {
  const { signal } = about;
  const place = treePlaceOf(session, workspace);
  await mkdir(join(workspace.tmp, 'home'), { recursive: true, mode: 0o700 });
  await mkdir(workspace.tree, { recursive: true });
  await runGit(place, ['read-tree', '--reset', '-u', treeish], { signal });
  // Right on the host (<session>/<number>/tree) and in the sandbox (/workspace, with the git folder at /git).
  writeFileSync(join(workspace.tree, '.git'), 'gitdir: ../../git\n');
  for (const { source, path } of session.record.shares) {
    const target = join(workspace.tree, path);
    if (!isPlainFolder(workspace.tree, path, true)) continue; // a job put a link or a file in its way
    // Without a sandbox a copy: through a link commands could write to the user's own folder.
    if (sandbox.kind === 'off') await cp(source, target, { recursive: true, verbatimSymlinks: true });
  }
  const giveUpAt = Date.now() + SETUP_LIMIT_MS;
  for (const command of session.record.recipe.setup) {
    about.progress(`setup: ${command}`.slice(0, 120));
    const launch = sandbox.launch(surroundingsOf(session, workspace), command, { network: false });
    const { exitCode, text } = await runCommand(launch, {
      signal,
      timeoutMs: Math.max(1, giveUpAt - Date.now()),
      maxChars: 2_000,
      onStart: about.onGroup,
    });
    about.onGroup(null);
    if (exitCode !== 0)
      throw new OperationError('BadInput', `setup command "${command}" failed (exit ${exitCode}): ${text.trim()}`);
  }
};

/** The index `git status` in the sandbox reads: what the base has, so that it shows all the job's changes. */
const layStatusIndex = async (session: Session, workspace: Workspace, signal: AbortSignal): Promise<void> => {
  const fresh = join(workspace.dir, 'status-index');
  const place = { ...treePlaceOf(session, workspace), indexFile: fresh };
  await runGit(place, ['read-tree', session.record.base_commit], { signal });
  try {
    await runGit(place, ['update-index', '-q', '--refresh'], { signal });
  } catch (error) {
    if (!(error instanceof GitError)) throw error; // "needs update": the tree differs from the base
  }
  await copyFile(fresh, join(session.gitDir, 'index'));
  await rm(fresh, { force: true });
};

/**
 * Makes the next workspace of a session with the tree of a checkpoint, and removes those before it.
 * @throws OperationError SessionLost when another attempt made it first.
 */
export const makeWorkspace = async (
  session: Session,
  about: { order: Order; checkpoint: string; tree: string; batches: number; trash: string },
  sandbox: Sandbox,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<Workspace> => {
  const number = newestNumber(session) + 1;
  const workspace = workspaceIn(join(session.dir, String(number)), number);
  try {
    mkdirSync(workspace.dir, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw supersededBy('another attempt');
    if (codeOf(error) === 'ENOENT') throw new OperationError('SessionLost', 'this session was closed');
    throw error;
  }
  const state: WorkspaceState = {
    v: 1,
    ...about.order,
    phase: 'running',
    checkpoint: about.checkpoint,
    tree: about.tree,
    holder: SELF,
    group: null,
    batches: about.batches,
  };
  writeState(workspace, state);
  const onGroup = (group: ProcessId | null): void => writeState(workspace, { ...state, group });
  await layTree(session, workspace, about.tree, sandbox, { signal, progress, onGroup });
  await layStatusIndex(session, workspace, signal);
  writeState(workspace, { ...state, phase: 'clean' });
  for (const older of readdirSync(session.dir)) {
    if (!/^[1-9]\d*$/.test(older) || Number(older) >= number) continue;
    await discardFolder(join(session.dir, older), about.trash);
  }
  return workspace;
};
