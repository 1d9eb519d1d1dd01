import type { ArtifactStore } from '../../platform/artifacts.ts';
import { supersededBy } from './fence.ts';
import { endGroup, endMarked, SELF } from './processes.ts';
import type { Sandbox } from './sandbox.ts';
import type { Order, Session } from './session.ts';
import { isOlder } from './session.ts';
import { readCheckpoint, restoreTree } from './snapshot.ts';
import type { Workspace } from './workspace.ts';
import { latestWorkspace, makeWorkspace, readState, writeState } from './workspace.ts';
import { join } from 'node:path';

export interface EnterDependencies {
  artifacts: ArtifactStore;
  sandbox: Sandbox;
  trash: string;
}

export interface Entered {
  workspace: Workspace;
  /** Batches finished before. */
  batches: number;
  /** What the model should know of a fresh start. */
  remarks: string[];
}

/**
 * Gets the workspace in the state of `checkpoint` (null: as the session began) and marks it as ours. It is used as it
 * is when the last attempt left it finished in that very state; in any other case whatever still runs is ended and a
 * fresh tree is laid out. `order` null: after whatever was there, in the same turn.
 * @throws OperationError SessionLost when a newer attempt was here, or is.
 */
export const enterWorkspace = async (
  deps: EnterDependencies,
  session: Session,
  order: Order | null,
  checkpoint: string | null,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<Entered> => {
  const wanted = checkpoint ?? session.record.start_checkpoint;
  const latest = latestWorkspace(session);
  const state = readState(latest);
  const ours = order ?? { turn: state.turn, attempt: state.attempt };
  if (isOlder(ours, state)) throw supersededBy('a newer attempt');
  if (state.group) await endGroup(state.group);
  if (state.phase === 'clean' && state.checkpoint === wanted) {
    writeState(latest, { ...state, ...ours, phase: 'running', holder: SELF, group: null });
    return { workspace: latest, batches: state.batches, remarks: [] };
  }
  endMarked(session.record.session_id);
  progress('putting the workspace back to its last checkpoint');
  const target = await readCheckpoint(deps.artifacts, wanted);
  await restoreTree(deps.artifacts, session.gitDir, target, join(session.dir, 'scratch-index'), signal);
  const workspace = await makeWorkspace(
    session,
    { order: ours, checkpoint: wanted, tree: target.tree, batches: state.batches, trash: deps.trash },
    deps.sandbox,
    signal,
    progress,
  );
  writeState(workspace, { ...readState(workspace), phase: 'running' });
  return {
    workspace,
    batches: state.batches,
    remarks: [
      'The workspace was put back to its last checkpoint after an interruption: files that git ignores (build output) and /tmp are as new.',
    ],
  };
};
