import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/task.ts';
import { ArtifactRef as ArtifactRefSchema } from '../../contracts/task.ts';
import { OperationError, messageOf } from '../../platform/errors.ts';
import type { ClosedSession, CloseRequest } from '../environment.ts';
import { importCommit, publishBundle } from './base-commit.ts';
import { discardFolder } from './disk.ts';
import type { OpenDependencies } from './open-session.ts';
import { createPrivateGit } from './private-git.ts';
import type { Published } from './publish.ts';
import { publishBranch } from './publish.ts';
import type { Repository } from './repository.ts';
import { inspectRepository } from './repository.ts';
import type { CodingCheckpoint, Session } from './session.ts';
import { branchOf } from './session.ts';
import { SCRATCH } from './session-store.ts';
import { readCheckpoint, restoreTree } from './snapshot.ts';
import { listOutputs } from './verify-changes.ts';

/** Artifacts a closing may list. */
const MAX_ARTIFACTS = 18;

const ClosedRecord = z.strictObject({
  artifacts: z.array(ArtifactRefSchema),
  branch: z.string().nullable(),
  commit: z.string().nullable(),
});

const loadOrNull = (deps: OpenDependencies, request: CloseRequest): Session | null => {
  try {
    return deps.store.load(request.sessionId, request.jobId);
  } catch (error) {
    if (error instanceof OperationError && error.type === 'SessionLost') return null;
    throw error;
  }
};

/** Publishes from the session's own git folder, or from one made for the purpose when the session is gone. */
const publish = async (
  deps: OpenDependencies,
  repository: Repository,
  session: Session | null,
  request: CloseRequest,
  checkpoint: CodingCheckpoint,
  signal: AbortSignal,
): Promise<Published | null> => {
  const folder = join(deps.store.trash, `${SCRATCH}${randomUUID()}`);
  const gitDir = session?.gitDir ?? join(folder, 'git');
  try {
    await mkdir(folder, { recursive: true });
    if (session === null) await createPrivateGit(gitDir, repository, branchOf(request.jobId));
    const roots = session?.record.roots ?? (await importCommit(deps.artifacts, gitDir, checkpoint.base_commit, signal));
    await restoreTree(deps.artifacts, gitDir, checkpoint, join(folder, 'scratch-index'), signal);
    const published = await publishBranch(
      repository,
      gitDir,
      {
        jobId: request.jobId,
        tree: checkpoint.tree,
        base: checkpoint.base_commit,
        roots,
        message: request.plan.instruction.trim().split('\n')[0] ?? '',
        dateSeconds: Math.floor((session?.record.opened_at ?? deps.now()) / 1000),
      },
      deps.log,
      signal,
    );
    if (published)
      await publishBundle(
        deps.artifacts,
        gitDir,
        { branch: branchOf(request.jobId), commit: published.commit, roots },
        signal,
      );
    return published;
  } finally {
    await discardFolder(folder, deps.store.trash);
  }
};

const inspectOrNull = async (deps: OpenDependencies, signal: AbortSignal): Promise<Repository | null> => {
  try {
    return await inspectRepository(deps.repository, signal);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    deps.log.error({ reason: messageOf(error) }, 'no repository to put a branch into; the patch artifact has the work');
    return null;
  }
};

/**
 * Ends a session: its last checkpoint becomes a patch artifact and, unless the job was cancelled, a branch. A failed
 * job's work is kept on a branch too, so that a person can go on from it; of a cancelled one only the patch is kept.
 * What happened after the last checkpoint is left out. Repeatable: the second closing answers as the first.
 */
export const closeSession = async (
  deps: OpenDependencies,
  request: CloseRequest,
  signal: AbortSignal,
): Promise<ClosedSession> => {
  if (!request.sessionId.startsWith(`${request.jobId}-g`)) return { artifacts: [], branch: null, commit: null };
  const known = ClosedRecord.safeParse(deps.store.readClosed(request.sessionId));
  const session = loadOrNull(deps, request);
  if (known.success) {
    await deps.store.remove(request.sessionId); // in case the first closing died before it came to this
    return known.data;
  }
  const artifacts: ArtifactRef[] = [];
  let published: Published | null = null;
  const at = request.checkpoint ?? session?.record.start_checkpoint ?? null;
  const checkpoint = at === null ? null : await readCheckpoint(deps.artifacts, at);
  const changed = checkpoint !== null && checkpoint.patch !== null && checkpoint.tree !== session?.record.start_tree;
  if (changed && checkpoint.patch !== null) {
    const patch = await deps.artifacts.describe(checkpoint.patch);
    if (patch) artifacts.push({ ...patch, name: `${request.jobId}.patch`, media_type: 'text/x-diff' });
    const repository = request.outcome === 'cancelled' ? null : await inspectOrNull(deps, signal);
    if (repository) published = await publish(deps, repository, session, request, checkpoint, signal);
  }
  artifacts.push(...(await listOutputs(deps.artifacts, request.jobId)).slice(-(MAX_ARTIFACTS - artifacts.length)));
  const closed: ClosedSession = { artifacts, branch: published?.branch ?? null, commit: published?.commit ?? null };
  if (session !== null || checkpoint !== null) deps.store.recordClosed(request.sessionId, closed);
  await deps.store.remove(request.sessionId);
  return closed;
};
