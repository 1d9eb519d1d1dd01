import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import type { SessionStore, StoredSession } from './session-store.ts';
import { isHeld } from './session-store.ts';

/** How long an opening waits for a place before it answers "busy". */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;
/**
 * When every place is taken, a session that nobody used for an hour gives way: its workflow was terminated, or its job
 * waits for a person or a provider and goes on from its checkpoint in a new session. Twice as long as an approval may
 * take by default (30 minutes), and far less than the day that an opening waits for a place. The browser environment
 * says the same.
 */
const IDLE_MS = 60 * 60_000;

/** Nobody used it for an hour, and nobody works in it. */
export const isIdle = (stored: StoredSession, now: number): boolean =>
  now - stored.lastUsedAt > IDLE_MS && !isHeld(stored);

/**
 * Takes a place for a session of the job, at most `capacity` at once; sessions that an earlier process left count.
 * @throws OperationError EnvironmentBusy when none came free within `waitMs` (10 s).
 */
export const takeSlot = async (
  store: SessionStore,
  capacity: number,
  about: { jobId: string; generation: number; attempt: number },
  signal: AbortSignal,
  now: () => number,
  waitMs = WAIT_MS,
): Promise<{ id: string; dir: string }> => {
  for (const giveUpAt = Date.now() + waitMs; ; await delay(LOOK_EVERY_MS, signal)) {
    signal.throwIfAborted();
    const open = store.list();
    if (open.length < capacity) return store.begin(about); // nothing of this process runs between looking and taking
    const idle = open.filter((stored) => isIdle(stored, now())).sort((a, b) => a.lastUsedAt - b.lastUsedAt)[0];
    if (idle) await store.remove(idle.id);
    else if (Date.now() >= giveUpAt)
      throw new OperationError('EnvironmentBusy', `all ${capacity} coding sessions of this host are in use`, {
        retryAfterMs: 1_000,
      });
  }
};
