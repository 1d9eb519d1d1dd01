import { join } from 'node:path';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { OperationError } from '../../platform/errors.ts';
import { oneLine } from '../../platform/text.ts';
import type { BatchResult, Control, ToolBatch } from '../environment.ts';
import type { ToolCall, ToolResult } from '../models/model.ts';
import type { Terminal } from './commands.ts';
import { BashInput, COMMAND_LIMIT_MS, runBash, runSearch, SearchInput } from './commands.ts';
import { ToolProblem } from './confined-files.ts';
import type { Confinement } from './confined-files.ts';
import { EditorInput, runEditor } from './editor.ts';
import type { EffectClaims } from './effects.ts';
import { createEffectClaims, reachOf } from './effects.ts';
import type { EnterDependencies, Entered } from './enter-workspace.ts';
import { enterWorkspace } from './enter-workspace.ts';
import { runGit } from './git.ts';
import type { Session } from './session.ts';
import { readCheckpoint, restoreTree, saveCheckpoint, snapshotTree } from './snapshot.ts';
import { assertLatest, readState, surroundingsOf, treePlaceOf, writeState } from './workspace.ts';

export interface BatchDependencies extends EnterDependencies {
  artifacts: ArtifactStore;
  networkAllow: readonly string[];
  deployAllow: readonly string[];
}

/** All commands of one batch may take ten minutes: its activity has fifteen. */
const BATCH_LIMIT_MS = 600_000;

interface Running {
  deps: BatchDependencies;
  session: Session;
  entered: Entered;
  claims: EffectClaims;
  signal: AbortSignal;
  deadline: number;
}

interface Answer {
  text: string;
  summary: string;
  isError: boolean;
  unknown?: boolean;
}

const parse = <T>(
  schema: {
    safeParse(
      value: unknown,
    ): { success: true; data: T } | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } };
  },
  call: ToolCall,
): T => {
  const parsed = schema.safeParse(call.input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ToolProblem(
    `The input of ${call.name} is not valid: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
};

const terminalOf = ({ deps, session, entered, signal }: Running): Terminal => ({
  sandbox: deps.sandbox,
  surroundings: surroundingsOf(session, entered.workspace),
  signal,
  onGroup: (group) => writeState(entered.workspace, { ...readState(entered.workspace), group }),
});

const saveState = ({ deps, session, signal }: Running, tree: string): Promise<string> =>
  saveCheckpoint(
    deps.artifacts,
    { gitDir: session.gitDir },
    { jobId: session.record.job_id, baseCommit: session.record.base_commit, tree },
    signal,
  );

/** Runs a command that cannot be taken back: once, whatever happens around it. */
const runOnce = async (
  running: Running,
  call: ToolCall,
  place: number,
  work: () => Promise<Answer>,
): Promise<Answer> => {
  const { deps, claims, session, entered, signal } = running;
  const key = `${place}:${call.id}:${JSON.stringify(call.input)}`;
  const treePlace = treePlaceOf(session, entered.workspace);
  const claim = await claims.take(key);
  if (claim.state === 'unknown')
    return {
      text: 'This command was started before and interrupted. It may or may not have had its effect outside the workspace, so it was not repeated: find out before you go on.',
      summary: `unknown outcome: ${String(call.input['command'])}`,
      isError: true,
      unknown: true,
    };
  if (claim.state === 'done') {
    const { checkpoint, text, summary, is_error: isError } = claim.effect;
    const target = await readCheckpoint(deps.artifacts, checkpoint);
    await restoreTree(deps.artifacts, session.gitDir, target, join(session.dir, 'scratch-index'), signal);
    await snapshotTree(treePlace, session.record.gitlinks, signal); // what is not in the index would stay
    await runGit(treePlace, ['read-tree', '--reset', '-u', target.tree], { signal });
    return { text, summary, isError };
  }
  const answer = await work();
  const { tree } = await snapshotTree(treePlace, session.record.gitlinks, signal);
  const checkpoint = await saveState(running, tree);
  await claims.settle(key, { text: answer.text, summary: answer.summary, is_error: answer.isError, checkpoint });
  return answer;
};

/** Milliseconds for one command. @throws ToolProblem when those before it have used up the batch's time. */
const timeLeft = ({ deadline }: Running): number => {
  const left = deadline - Date.now();
  if (left <= 0)
    throw new ToolProblem('Not run: the commands of one answer may take ten minutes in all. Run it in the next one.');
  return Math.min(COMMAND_LIMIT_MS, left);
};

const runCall = async (running: Running, call: ToolCall, place: number): Promise<Answer> => {
  const { deps, session, entered } = running;
  const terminal = terminalOf(running);
  const confinement: Confinement = {
    tree: entered.workspace.tree,
    shares: deps.sandbox.kind === 'off' ? [] : session.record.shares, // without a sandbox they are copies in the tree
  };
  switch (call.name) {
    case 'str_replace_based_edit_tool': {
      const guard = (): void => {
        running.signal.throwIfAborted();
        assertLatest(session, entered.workspace);
      };
      return { ...(await runEditor(confinement, parse(EditorInput, call), guard)), isError: false };
    }
    case 'bash': {
      const input = parse(BashInput, call);
      const timeoutMs = timeLeft(running);
      const reach = reachOf(input.command, session.record.recipe, deps.sandbox, {
        network: deps.networkAllow,
        deploy: deps.deployAllow,
      });
      const work = async (): Promise<Answer> => {
        const { text, summary, exitCode } = await runBash(terminal, input, { network: reach.network, timeoutMs });
        return { text, summary, isError: exitCode !== 0 };
      };
      return reach.lasting ? runOnce(running, call, place, work) : work();
    }
    case 'search': {
      const { text, summary, exitCode } = await runSearch(terminal, parse(SearchInput, call), {
        timeoutMs: timeLeft(running),
      });
      return { text, summary, isError: exitCode !== 0 };
    }
    default:
      throw new ToolProblem(
        `There is no tool ${call.name} here; there are str_replace_based_edit_tool, bash and search.`,
      );
  }
};

/** A call for people, before it has an answer: "bash npm test", "view src/a.ts". */
const inWords = (call: ToolCall): string => {
  const { command, path, text } = call.input;
  const name = call.name === 'str_replace_based_edit_tool' ? '' : call.name;
  return oneLine([name, command, path, text].filter((word) => typeof word === 'string').join(' '), 100);
};

const answerCall = async (running: Running, call: ToolCall, place: number): Promise<Answer> => {
  try {
    return await runCall(running, call, place);
  } catch (error) {
    if (!(error instanceof ToolProblem)) throw error;
    return { text: error.message, summary: `${inWords(call)}: refused`, isError: true };
  }
};

/**
 * Runs a batch of tool calls in order, from the state of `batch.checkpoint`, and answers with the state after it.
 * An attempt that finds traces of another one starts over in a fresh tree, so that effects inside happen once.
 */
export const runBatch = async (
  deps: BatchDependencies,
  session: Session,
  batch: ToolBatch,
  control: Control,
  signal: AbortSignal,
): Promise<BatchResult> => {
  const order = { turn: batch.turn, attempt: control.attempt };
  const entered = await enterWorkspace(deps, session, order, batch.checkpoint, signal, (message) =>
    control.progress(message),
  );
  const { workspace } = entered;
  const running: Running = {
    deps,
    session,
    entered,
    claims: createEffectClaims(deps.artifacts, batch.jobId, batch.turn),
    signal,
    deadline: Date.now() + BATCH_LIMIT_MS,
  };
  const remarks = [...(entered.batches === 0 ? session.record.notices : []), ...entered.remarks];
  const results: ToolResult[] = [];
  for (const [place, call] of batch.calls.entries()) {
    signal.throwIfAborted();
    assertLatest(session, workspace);
    control.progress(inWords(call));
    const answer = await answerCall(running, call, place);
    const notes = place === 0 ? remarks.map((remark) => `[note: ${remark}]\n`).join('') : '';
    results.push({
      call_id: call.id,
      name: call.name,
      content: [{ type: 'text', text: notes + answer.text }],
      is_error: answer.isError,
      unknown: answer.unknown ?? false,
      summary: oneLine(answer.summary, 120),
      url: null,
      confirmed: batch.confirmed.includes(call.id),
    });
  }
  const { tree, dissolved } = await snapshotTree(treePlaceOf(session, workspace), session.record.gitlinks, signal);
  const last = results.at(-1);
  if (dissolved.length > 0 && last)
    last.content.push({
      type: 'text',
      text: `[note: git repositories inside the workspace are not kept as such; the .git of ${dissolved.slice(0, 5).join(', ')} was removed. Make test repositories in /tmp.]`,
    });
  const state = readState(workspace);
  const checkpoint = tree === state.tree ? state.checkpoint : await saveState(running, tree);
  signal.throwIfAborted();
  assertLatest(session, workspace);
  if (readState(workspace).attempt !== order.attempt)
    throw new OperationError('SessionLost', 'a newer attempt has taken over');
  writeState(workspace, { ...state, phase: 'clean', tree, checkpoint, group: null, batches: state.batches + 1 });
  return { checkpoint, results };
};
