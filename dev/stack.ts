import type { BackoffOptions } from './backoff.ts';
import { bringUp } from './bring-up.ts';
import type { Ready } from './bring-up.ts';
import { createChild } from './child.ts';
import type { Child, ChildHooks } from './child.ts';
import { startGuardian } from './guardian.ts';
import { planStack } from './plan.ts';
import type { ChildRole, Programs } from './plan.ts';
import type { StackSettings } from './settings.ts';

export interface StackOptions {
  settings: StackSettings;
  programs: Programs;
  /** Path of `setpriv`, null where there is none. */
  setpriv: string | null;
  /** One line a child wrote. */
  output: (child: string, line: string) => void;
  /** What happens, for a person. */
  say: (text: string) => void;
  backoff?: BackoffOptions;
}

export interface Stack {
  /** Rejects when a child gives up or the signal aborts first. */
  readonly ready: Promise<Ready>;
  /** Rejects when a child gives up, at any time; never resolves. */
  readonly broken: Promise<never>;
  /** Ends all children, last started first, within 8 s. Repeatable. */
  stop(): Promise<void>;
  /** SIGKILL for everything, at once: for the moment this process exits. */
  killAll(): void;
}

/** All of ours but Temporal share this long to end; then SIGKILL. `make dev` promises 10 s for everything. */
const STOP_OURS_MS = 5_500;
/** What each of them gets in any case, also after one that used up the time of all. */
const STOP_EACH_MS = 300;
/** Temporal then closes its database, which takes about a second, on a busy machine three: it gets what is left. */
const STOP_ALL_MS = 7_500;

/** Starts everything at once. `signal` ends the waiting for `ready`, not the children: call `stop`. */
export const startStack = (options: StackOptions, signal: AbortSignal): Stack => {
  const { settings, programs, setpriv, output, say, backoff } = options;
  const guardian = startGuardian(setpriv);
  const ended = new AbortController();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const hooks: ChildHooks = {
    output,
    notice: say,
    givenUp: (error) => {
      ended.abort(error);
      broken.reject(error);
    },
  };

  const children = new Map<ChildRole, Child>();
  for (const planned of planStack(settings, programs))
    children.set(planned.role, createChild(planned, guardian, hooks, backoff));
  for (const child of children.values()) child.start();
  const ready = bringUp(settings, children, say, AbortSignal.any([signal, ended.signal]));
  ready.catch(() => undefined);

  const stopAll = async (): Promise<void> => {
    ended.abort(new Error('stopping'));
    const startedAt = performance.now();
    for (const [role, child] of [...children].reverse()) {
      const untilMs = startedAt + (role === 'temporal' ? STOP_ALL_MS : STOP_OURS_MS);
      await child.stop(Math.max(STOP_EACH_MS, untilMs - performance.now()));
    }
    guardian.close();
  };
  let stopped: Promise<void> | undefined;

  return {
    ready,
    broken: broken.promise,
    stop: () => (stopped ??= stopAll()),
    killAll: () => {
      for (const child of children.values()) child.kill();
    },
  };
};
