import { randomUUID } from 'node:crypto';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { messageOf, OperationError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { ClosedSession, Control, Environment, OpenRequest } from '../environment.ts';
import { launchChromium } from './adapters/playwright.ts';
import { createClaims } from './claims.ts';
import type { Resolve } from './egress.ts';
import { systemResolve } from './egress.ts';
import { openSession } from './open-session.ts';
import type { BrowserProcess } from './page.ts';
import type { Session } from './session.ts';
import { createSlots } from './slots.ts';
import { makeWorkDir, noteProfile, removeWorkDir, sweepWorkDirs } from './work-dir.ts';

/** A context takes about 80 MB. */
const DEFAULT_CAPACITY = 4;
const SLOT_WAIT_MS = 10_000;
/**
 * A session nobody used for an hour gives way when a slot is needed: its workflow was terminated, or its job waits for a
 * person or a provider and goes on from its checkpoint in a new session. Twice as long as an approval may take by
 * default (30 minutes), and far less than the day that an opening waits for a slot. The coding environment says the same.
 */
const IDLE_MS = 60 * 60_000;
/** Closed and lost sessions that are remembered, for a `close` that comes later or again. */
const KEPT_SESSIONS = 50;

export interface BrowserEnvironmentOptions {
  /** null: Playwright's own download. */
  chromiumPath: string | null;
  artifacts: ArtifactStore;
  log: Log;
  /** Sessions open at once; default 4. */
  capacity?: number;
  /** Milliseconds; default `Date.now`. */
  now?: () => number;
  /** Addresses of a name; default the system's. */
  resolve?: Resolve;
}

/**
 * Browser sessions of this process: one Chromium, started with the first session, and one context with its own fence
 * around the network per session. A session lives and dies with its process.
 */
export const createBrowserEnvironment = async (options: BrowserEnvironmentOptions): Promise<Environment> => {
  const { artifacts, log, now = Date.now, resolve = systemResolve, capacity = DEFAULT_CAPACITY } = options;
  await sweepWorkDirs().catch((error: unknown) => {
    log.warn({ reason: messageOf(error) }, 'left-over browser folders were not swept');
  });
  const owner = randomUUID().slice(0, 13);
  const slots = createSlots(capacity);
  const claims = createClaims(artifacts);
  const opening = new Map<string, Promise<Session>>();
  /** Who asked last for a session that nobody was given yet; when that one has given up, nobody wants it. */
  const askers = new Map<string, AbortSignal>();
  const sessions = new Map<string, Session>();
  /** Sessions whose browser died: they hold no slot, but what they saw can still be stored. */
  const gone = new Map<string, Session>();
  const closed = new Map<string, ClosedSession>();
  const ending = new AbortController();
  let workDir: string | null = null;
  let browser: Promise<BrowserProcess> | null = null;

  const remember = <V>(map: Map<string, V>, id: string, value: V): void => {
    map.set(id, value);
    const [oldest] = map.keys();
    if (map.size > KEPT_SESSIONS && oldest !== undefined) map.delete(oldest);
  };
  const launch = async (): Promise<BrowserProcess> => {
    workDir ??= await makeWorkDir();
    const sandbox = process.getuid?.() !== 0;
    const started = await launchChromium({ chromiumPath: options.chromiumPath, workDir, sandbox });
    await noteProfile(workDir, started.pid);
    log.info({ chromiumPid: started.pid }, 'browser started');
    return started;
  };
  const running = (): Promise<BrowserProcess> => {
    if (browser) return browser;
    const starting = launch();
    const forget = (): void => {
      if (browser === starting) browser = null;
    };
    starting.then((started) => started.onGone(forget), forget);
    browser = starting;
    return starting;
  };
  const lose = (session: Session): void => {
    sessions.delete(session.id);
    void session.lose();
    remember(gone, session.id, session);
    if (!ending.signal.aborted) log.warn({ sessionId: session.id }, 'browser session lost');
  };
  const end = async (id: string): Promise<void> => {
    const session = sessions.get(id) ?? gone.get(id);
    if (!session) return;
    remember(closed, id, await session.close());
    sessions.delete(id);
    gone.delete(id);
  };
  const find = (id: string): Session => {
    const session = sessions.get(id);
    if (!session) throw new OperationError('SessionLost', 'this browser session is not in this process');
    return session;
  };
  /** Ends earlier sessions of the same job, and, when slots are short, what nobody uses any more. */
  const makeRoom = async (jobId: string, generation: number): Promise<void> => {
    for (const session of [...sessions.values()]) {
      const superseded = session.jobId === jobId && session.generation < generation;
      const idle = slots.free === 0 && now() - session.lastUsed() > IDLE_MS;
      if (superseded || idle) await end(session.id);
    }
  };
  const openNew = async (id: string, request: OpenRequest, control: Control): Promise<Session> => {
    await makeRoom(request.jobId, request.generation);
    const shared = { slots, running, resolve, artifacts, claims, log, now, onLost: lose };
    const session = await openSession({ ...shared, id, request, control, waitMs: SLOT_WAIT_MS });
    sessions.set(id, session);
    return session;
  };
  /** One session per job and generation, however often it is asked for: an attempt's answer may have been lost. */
  const openOnce = async (id: string, request: OpenRequest, control: Control): Promise<Session> => {
    const earlier = await opening.get(id)?.catch(() => null);
    control.signal.throwIfAborted();
    const known = earlier ?? sessions.get(id) ?? opening.get(id);
    if (known) return known;
    const mine = openNew(id, request, control).finally(() => opening.delete(id));
    opening.set(id, mine);
    return mine;
  };
  /** Ends a session that nobody was given; whoever asks for it meanwhile waits, and opens it anew. */
  const giveUp = async (id: string): Promise<void> => {
    const over = end(id)
      .then((): never => {
        throw new OperationError('SessionLost', 'nobody waited for this browser session any more');
      })
      .finally(() => opening.delete(id));
    opening.set(id, over);
    await over.catch(() => undefined);
  };
  /** After an attempt to open: a session that nobody was given, or will be, would keep its slot until it is idle. */
  const settle = async (id: string, mine: AbortSignal): Promise<void> => {
    const last = askers.get(id);
    if (opening.has(id) || (last !== mine && !last?.aborted)) return;
    askers.delete(id);
    if (last?.aborted) await giveUp(id);
  };

  return {
    name: 'browser',
    owner,
    capacity,
    open: async (request, given) => {
      if (ending.signal.aborted) throw new OperationError('EnvironmentUnavailable', 'this worker is shutting down');
      const control = { ...given, signal: AbortSignal.any([given.signal, ending.signal]) };
      const id = `browser-${owner}-${request.jobId}-${request.generation}`;
      askers.set(id, given.signal);
      try {
        const session = await openOnce(id, request, control);
        return { sessionId: id, checkpoint: await session.checkpoint(control.signal) };
      } finally {
        await settle(id, given.signal);
      }
    },
    runTools: async (batch, control) => find(batch.sessionId).runTools(batch, control),
    verify: async ({ sessionId }) => {
      find(sessionId);
      return null;
    },
    close: async ({ sessionId }) => {
      await end(sessionId);
      return closed.get(sessionId) ?? { artifacts: [], branch: null, commit: null };
    },
    dispose: async () => {
      ending.abort(new OperationError('EnvironmentUnavailable', 'this worker is shutting down'));
      await Promise.allSettled(opening.values());
      await (await browser?.catch(() => null))?.close();
      await Promise.all([...sessions.values(), ...gone.values()].map((session) => session.lose()));
      sessions.clear();
      if (workDir) await removeWorkDir(workDir);
    },
  };
};
