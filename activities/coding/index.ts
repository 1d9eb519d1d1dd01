import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { sha256Of } from '../../platform/artifacts.ts';
import { OperationError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Scrub } from '../../platform/secrets.ts';
import type { Environment } from '../environment.ts';
import { closeSession } from './close-session.ts';
import { createFence } from './fence.ts';
import type { OpenDependencies } from './open-session.ts';
import { openSession } from './open-session.ts';
import { runBatch } from './run-batch.ts';
import { findRuntime, SYSTEM_PATH } from './runtime.ts';
import { createSandbox } from './sandbox.ts';
import { createSessionStore } from './session-store.ts';
import type { StoredSession } from './session-store.ts';
import { isIdle, takeSlot } from './slots.ts';
import { verifyChanges } from './verify-changes.ts';

export { prepareExampleWorkspace } from './example-workspace.ts';

export interface CodingEnvironmentOptions {
  /** CODING_WORKING_DIRECTORY: the git repository that jobs change. Looked at when a session opens, not before. */
  repository: string;
  /** Where sessions live, e.g. data/sessions; made when missing, readable by its owner only. */
  dataDir: string;
  sandbox: 'bubblewrap' | 'off';
  /** null: bwrap is looked for in the system's folders. */
  bwrapPath: string | null;
  artifacts: ArtifactStore;
  log: Log;
  scrub: Scrub;
  /** Sessions open at once; 4 by default. */
  capacity?: number;
  /** `host:port` that a workspace recipe may ask for. */
  networkAllow: string[];
  /** Deploy commands that a workspace recipe may name, each as written there; `*`: any. */
  deployAllow: string[];
  /** PATH of the worker's process, where npm is looked for when it is not beside Node. */
  path?: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** A session nobody used for a day is swept when a worker starts. */
const MAX_AGE_MS = 24 * 3_600_000;

/** The same for every worker process on this host and data directory: what one left, the next goes on with. */
const ownerOf = (dataDir: string): string => {
  let machine = '';
  try {
    machine = readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    // not every container has one; the host's name and the folder must do
  }
  return sha256Of(`${hostname()}\n${machine}\n${dataDir}`).slice(0, 16);
};

/** Git worktrees of one repository, each in a sandbox of its own. */
export const createCodingEnvironment = async (options: CodingEnvironmentOptions): Promise<Environment> => {
  const { artifacts, log } = options;
  const now = options.now ?? Date.now;
  const capacity = options.capacity ?? 4;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(options.dataDir);
  const store = createSessionStore(join(dataDir, 'coding'));
  const runtime = findRuntime(process.execPath, options.path ?? SYSTEM_PATH);
  const sandbox = createSandbox(options.sandbox, { runtime, bwrapPath: options.bwrapPath });
  const fence = createFence();
  const deps: OpenDependencies = {
    repository: resolve(options.repository),
    dataDir,
    store,
    sandbox,
    artifacts,
    log,
    scrub: options.scrub,
    networkAllow: options.networkAllow,
    deployAllow: options.deployAllow,
    now,
  };
  const tools = { ...deps, trash: store.trash };
  if (options.sandbox === 'off')
    log.warn('CODING_SANDBOX is off: commands of the model run with all rights of this process, network included');
  const swept = await store.sweep(now(), MAX_AGE_MS);
  if (swept.kept + swept.removed > 0) log.info(swept, 'coding sessions found on disk');

  /**
   * Sessions of the job that this opening takes the place of. An attempt that was frozen and wakes up late finds that
   * of a newer one: it is refused, and nobody hears of that. A job that was run again from its history counts from the
   * start and is refused likewise; its opening is tried again until the session of its former run is idle.
   * @throws OperationError EnvironmentBusy when a newer attempt has a session.
   */
  const sessionsBefore = (about: { jobId: string; generation: number; attempt: number }): StoredSession[] => {
    const all = store.list().filter(({ jobId }) => jobId === about.jobId);
    const isNewer = ({ generation, attempt }: StoredSession): boolean =>
      generation > about.generation || (generation === about.generation && attempt > about.attempt);
    if (all.some((stored) => isNewer(stored) && !isIdle(stored, now())))
      throw new OperationError('EnvironmentBusy', 'a newer attempt has a session of this job', {
        retryAfterMs: 5_000,
      });
    return all;
  };

  return {
    name: 'coding',
    owner: ownerOf(dataDir),
    capacity,

    open: (request, control) =>
      fence.run(
        `open ${request.jobId}`,
        { turn: request.generation, attempt: control.attempt },
        control.signal,
        async (signal) => {
          const about = { jobId: request.jobId, generation: request.generation, attempt: control.attempt };
          for (const older of sessionsBefore(about))
            await fence.run(older.id, null, signal, () => store.remove(older.id));
          const slot = await takeSlot(store, capacity, about, signal, now);
          try {
            const opened = await openSession(deps, request, slot, control, signal);
            sessionsBefore(about);
            return opened;
          } catch (error) {
            await store.remove(slot.id);
            throw error;
          }
        },
      ),

    runTools: (batch, control) =>
      fence.run(batch.sessionId, { turn: batch.turn, attempt: control.attempt }, control.signal, (signal) =>
        runBatch(tools, store.load(batch.sessionId, batch.jobId), batch, control, signal),
      ),

    verify: (request, control) =>
      fence.run(request.sessionId, null, control.signal, (signal) =>
        verifyChanges(tools, store.load(request.sessionId, request.jobId), request, control, signal),
      ),

    close: (request, control) =>
      fence.run(request.sessionId, null, control.signal, (signal) => closeSession(deps, request, signal)),

    dispose: () => fence.stop(),
  };
};
