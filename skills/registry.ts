import type { Agent } from '../contracts/agent.ts';
import type { Skill } from '../contracts/skill.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { fingerprintOf, loadSnapshot } from './load.ts';

/** A file that is not served, relative to the skills folder, and why, in words a person can act on. */
export interface Quarantined {
  file: string;
  reason: string;
}

/** Everything the folder says at one moment. A pure function of its files: the same files give the same snapshot. */
export interface RegistrySnapshot {
  /** Hash of the skills, agents and instructions that are served; quarantined files do not count. */
  readonly version: string;
  /** Enabled and valid, and their agent is known; in order of file name. */
  readonly skills: readonly Skill[];
  readonly agents: readonly Agent[];
  /** The agent's prose files, joined. @throws OperationError NotFound */
  instructionsOf: (agentName: string) => string;
  readonly quarantined: readonly Quarantined[];
}

export interface Registry {
  /** The snapshot in force; it never changes, a reload makes a new one. */
  current(): RegistrySnapshot;
  /** Called after each reload that changed something. Returns how to stop listening. */
  onChange(listener: (snapshot: RegistrySnapshot) => void): () => void;
  /** Stops watching; repeatable. */
  close(): void;
}

export interface RegistryOptions {
  /** Every top-level `*.json` is a skill, `agents/*.json` are agents. Without an `agents` folder the shipped agents are used. */
  dir: string;
  log: Log;
  /** Reload when files change. */
  watch: boolean;
  /** How often to look, in milliseconds; default 300. A change is loaded once two looks agree, so within 600. */
  pollMs?: number;
}

/** Looking at names, sizes and times costs well under a millisecond and works on every file system, `/mnt/c` included. */
const POLL_MS = 300;

/**
 * Reads the folder once, then follows its changes. A bad file is quarantined and the rest keep working. What is bad
 * now is not served, even if it was good a moment ago: a skill whose approval was just tightened with a typing mistake
 * must not go on under its old, laxer rules.
 * @throws ConfigError when the folder cannot be read at all.
 */
export const openRegistry = async (options: RegistryOptions): Promise<Registry> => {
  const { dir, log } = options;
  const listeners = new Set<(snapshot: RegistrySnapshot) => void>();
  let loaded = await fingerprintOf(dir);
  let seen = loaded;
  let snapshot = await loadSnapshot(dir);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const report = (): void => {
    for (const { file, reason } of snapshot.quarantined) log.warn({ file, reason }, 'skill file quarantined');
  };
  const publish = (next: RegistrySnapshot): void => {
    const before = snapshot;
    snapshot = next;
    if (before.version === next.version && JSON.stringify(before.quarantined) === JSON.stringify(next.quarantined))
      return;
    log.info(
      { version: next.version, skills: next.skills.length, quarantined: next.quarantined.length },
      'skills reloaded',
    );
    report();
    for (const listener of listeners) {
      try {
        listener(next);
      } catch (error) {
        log.error({ error: messageOf(error) }, 'a listener of the skill registry failed');
      }
    }
  };
  const look = async (): Promise<void> => {
    const now = await fingerprintOf(dir);
    const quiet = now === seen;
    seen = now;
    if (!quiet || now === loaded) return;
    const next = await loadSnapshot(dir);
    loaded = now;
    if (!closed) publish(next);
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      look()
        .catch((error: unknown) =>
          log.error({ error: messageOf(error) }, 'skills folder unreadable; the last snapshot stays'),
        )
        .finally(() => {
          if (!closed) schedule();
        });
    }, options.pollMs ?? POLL_MS);
    timer.unref();
  };

  report();
  if (options.watch) schedule();
  return {
    current: () => snapshot,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
    },
  };
};
