import type { ArtifactStore } from '../../platform/artifacts.ts';
import { messageOf, OperationError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Control, OpenRequest } from '../environment.ts';
import { allowListOf } from './allow-list.ts';
import type { Claims } from './claims.ts';
import { openEgress } from './egress.ts';
import type { Egress, EgressProblem, Resolve } from './egress.ts';
import type { BrowserProcess, BrowserWindow } from './page.ts';
import { Checkpoint, createSession, startOf } from './session.ts';
import type { Session } from './session.ts';
import type { Slots } from './slots.ts';

/** Reasons of the proxy that are kept. */
const KEPT_PROBLEMS = 200;

export interface OpenSessionOptions {
  id: string;
  request: OpenRequest;
  control: Control;
  slots: Slots;
  waitMs: number;
  running: () => Promise<BrowserProcess>;
  resolve: Resolve;
  artifacts: ArtifactStore;
  claims: Claims;
  log: Log;
  now: () => number;
  /** The browser died under the session. */
  onLost: (session: Session) => void;
}

/**
 * Takes a slot and opens a fenced window on the checkpoint's page, or on the first target. A site that does not answer
 * is no error here: the model sees the browser's error page.
 * @throws OperationError BadInput when the job has no target, EnvironmentBusy when no slot came free.
 */
export const openSession = async (options: OpenSessionOptions): Promise<Session> => {
  const { request, control, artifacts, log } = options;
  const { signal } = control;
  const allow = allowListOf(request.plan.targets);
  const stored = request.checkpoint ? Checkpoint.safeParse(await artifacts.getJson(request.checkpoint)) : null;
  if (stored?.success === false)
    log.warn({ jobId: request.jobId, checkpoint: request.checkpoint }, 'not a browser checkpoint; starting afresh');
  const checkpoint = stored?.data ?? null;
  const start = startOf(checkpoint, allow);
  if (start === null) throw new OperationError('BadInput', 'this job names no site to open');
  const free = await options.slots.take(options.waitMs, signal);
  const problems: EgressProblem[] = [];
  let egress: Egress | null = null;
  let window: BrowserWindow | null = null;
  try {
    control.progress('starting the browser');
    const browser = await options.running();
    signal.throwIfAborted();
    egress = await openEgress({
      allow,
      resolve: options.resolve,
      onProblem: (problem) => {
        problems.push(problem);
        if (problems.length > KEPT_PROBLEMS) problems.shift();
        log.info(
          { jobId: request.jobId, host: problem.host, port: problem.port, kind: problem.kind },
          'address not reached',
        );
      },
    });
    window = await browser.openWindow({
      proxyUrl: egress.url,
      permits: (url) => allow.permits(url),
      storageState: checkpoint?.storage_state ?? null,
    });
    control.progress(`opening ${start}`);
    await window.goto(start, signal);
    await window.settle(signal);
    let unsubscribe = (): void => undefined;
    const session = createSession({
      id: options.id,
      jobId: request.jobId,
      generation: request.generation,
      window,
      egress,
      initial: checkpoint ?? { v: 1, kind: 'browser', url: start, storage_state: { cookies: [], origins: [] } },
      problems,
      allow,
      artifacts,
      claims: options.claims,
      log,
      now: options.now,
      onEnd: () => {
        unsubscribe();
        free();
      },
    });
    unsubscribe = browser.onGone(() => options.onLost(session));
    return session;
  } catch (error) {
    await window?.close().catch(() => undefined);
    await egress?.close();
    free();
    if (signal.aborted || error instanceof OperationError) throw error;
    throw new OperationError('Internal', `the browser session was not opened: ${messageOf(error)}`, { cause: error });
  }
};
