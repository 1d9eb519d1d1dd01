import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ArtifactRef, Verification } from '../../contracts/task.ts';
import { ArtifactRef as ArtifactRefSchema, TestRun } from '../../contracts/task.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { sha256Of } from '../../platform/artifacts.ts';
import type { Control, VerifyRequest } from '../environment.ts';
import type { Scrub } from '../../platform/secrets.ts';
import { discardFolder } from './disk.ts';
import { enterWorkspace } from './enter-workspace.ts';
import type { EnterDependencies } from './enter-workspace.ts';
import { findTestCommand } from './recipe.ts';
import { runCommand } from './run-command.ts';
import type { Sandbox } from './sandbox.ts';
import type { Session } from './session.ts';
import { snapshotTree } from './snapshot.ts';
import { countTests } from './test-counts.ts';
import type { Workspace } from './workspace.ts';
import { layTree, readState, surroundingsOf, treePlaceOf, workspaceIn, writeState } from './workspace.ts';

/** One run of the tests: five minutes. Verifying is two runs and a setup; its activity has fifteen. */
const TEST_LIMIT_MS = 300_000;
/** Characters of output kept as an artifact. */
const OUTPUT_CHARS = 2_000_000;
const NOTE_CHARS = 4_000;

export interface VerifyDependencies extends EnterDependencies {
  artifacts: ArtifactStore;
  /** What tests print is kept as an artifact, and its end travels in the history. */
  scrub: Scrub;
}

interface RunOfTests {
  run: TestRun;
  text: string;
  timedOut: boolean;
}

const runTests = async (
  session: Session,
  workspace: Workspace,
  sandbox: Sandbox,
  command: string,
  signal: AbortSignal,
): Promise<RunOfTests> => {
  const launch = sandbox.launch(surroundingsOf(session, workspace), command, { network: false });
  const { exitCode, text, timedOut } = await runCommand(launch, {
    signal,
    timeoutMs: TEST_LIMIT_MS,
    maxChars: OUTPUT_CHARS,
    onStart: (group) => writeGroup(workspace, group),
  });
  writeGroup(workspace, null);
  return { run: { exit_code: exitCode, ...countTests(text) }, text, timedOut };
};

/** The base has no state of its own: its folder is removed with the session, its processes end with the worker. */
const writeGroup = (workspace: Workspace, group: Parameters<typeof writeState>[1]['group']): void => {
  if (workspace.number > 0) writeState(workspace, { ...readState(workspace), group });
};

const outputsKey = (jobId: string): string => `outputs/${jobId}`;

/** Test outputs of a job so far, oldest first. */
export const listOutputs = async (artifacts: ArtifactStore, jobId: string): Promise<ArtifactRef[]> => {
  const known = z.array(ArtifactRefSchema).safeParse(await artifacts.getRef(outputsKey(jobId)));
  return known.success ? known.data : [];
};

const keepOutput = async (deps: VerifyDependencies, jobId: string, name: string, text: string): Promise<void> => {
  const { artifacts } = deps;
  const stored = await artifacts.put(deps.scrub(text), { name, mediaType: 'text/plain' });
  const others = (await listOutputs(artifacts, jobId)).filter((output) => output.name !== name);
  await artifacts.setRef(outputsKey(jobId), [...others, { ...stored, name }]);
};

/** The tests on the base commit, in a tree of their own: run once for each commit, command and recipe. */
const runBefore = async (
  deps: VerifyDependencies,
  session: Session,
  command: string,
  control: Control,
  signal: AbortSignal,
): Promise<TestRun> => {
  const { record } = session;
  const key = `baselines/${sha256Of(JSON.stringify([record.base_commit, command, record.recipe]))}`;
  const known = TestRun.safeParse(await deps.artifacts.getRef(key));
  if (known.success) return known.data;
  const workspace = workspaceIn(join(session.dir, 'before'), 0);
  await discardFolder(workspace.dir, deps.trash); // of an attempt that died
  await mkdir(workspace.dir);
  try {
    await layTree(session, workspace, record.base_commit, deps.sandbox, {
      signal,
      progress: (message) => control.progress(message),
      onGroup: () => undefined,
    });
    control.progress(`before the change: ${command}`.slice(0, 120));
    const { run, text, timedOut } = await runTests(session, workspace, deps.sandbox, command, signal);
    await keepOutput(deps, record.job_id, `${record.job_id}-tests-before.txt`, text);
    if (!timedOut) await deps.artifacts.setRef(key, run);
    return run;
  } finally {
    await discardFolder(workspace.dir, deps.trash);
  }
};

const inWords = ({ exit_code: exit, passed, failed }: TestRun): string =>
  [`exit ${exit}`, passed === null ? '' : `${passed} passed`, failed === null ? '' : `${failed} failed`]
    .filter(Boolean)
    .join(', ');

const noteOf = (command: string, before: TestRun | null, after: RunOfTests): string => {
  const head =
    `\`${command}\` fails after your changes (${inWords(after.run)}${after.timedOut ? ', ended at the time limit' : ''})` +
    `${before ? `; before them: ${inWords(before)}` : ''}. The end of its output:\n`;
  const text = after.text.trimEnd();
  const room = NOTE_CHARS - head.length;
  return head + (text.length <= room ? text : `…${text.slice(text.length - room + 1)}`);
};

const statusOf = (before: TestRun | null, after: TestRun): Verification['status'] => {
  if (after.exit_code === 0) return 'passed';
  if (before === null || before.exit_code === 0) return 'failed';
  if (before.failed === null || after.failed === null || after.failed === 0) return 'failed'; // not counted: no comparing
  return after.failed <= before.failed ? 'not_worse' : 'failed';
};

/**
 * Runs the repository's own test command after the job's changes, and before them (once for each base commit). What
 * the tests themselves leave in the tree is no part of the job: the next batch starts from the checkpoint again.
 */
export const verifyChanges = async (
  deps: VerifyDependencies,
  session: Session,
  request: VerifyRequest,
  control: Control,
  signal: AbortSignal,
): Promise<{ verification: Verification; note: string }> => {
  const { record } = session;
  const none = { before: null, after: null, rounds: request.round };
  const { workspace } = await enterWorkspace(deps, session, null, request.checkpoint, signal, (message) =>
    control.progress(message),
  );
  const state = readState(workspace);
  const clean = (): void => writeState(workspace, { ...readState(workspace), phase: 'clean', group: null });
  if (state.tree === record.start_tree) {
    clean();
    return { verification: { status: 'unchanged', command: record.verify_command, ...none }, note: '' };
  }
  const place = { gitDir: session.gitDir };
  const command = record.verify_command ?? (await findTestCommand(place, state.tree, record.recipe, signal));
  if (command === null) {
    clean();
    return { verification: { status: 'no_command', command, ...none }, note: '' };
  }
  control.progress(`after the change: ${command}`.slice(0, 120));
  const after = await runTests(session, workspace, deps.sandbox, command, signal);
  await keepOutput(deps, record.job_id, `${record.job_id}-tests-after-${request.round}.txt`, after.text);
  const { tree } = await snapshotTree(treePlaceOf(session, workspace), record.gitlinks, signal);
  if (tree === state.tree) clean();
  // A command that only the change brought has no "before".
  const before = record.verify_command === null ? null : await runBefore(deps, session, command, control, signal);
  const status = statusOf(before, after.run);
  const note = status === 'failed' || status === 'not_worse' ? deps.scrub(noteOf(command, before, after)) : '';
  return { verification: { status, command, before, after: after.run, rounds: request.round }, note };
};
