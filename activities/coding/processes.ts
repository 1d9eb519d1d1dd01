import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { delay } from '../../platform/lifecycle.ts';

/** A process that cannot be mistaken for a later one with the same number. */
export const ProcessId = z.strictObject({
  pid: z.number().int().positive(),
  /** Clock ticks from boot to its start. */
  start: z.string(),
  boot: z.string(),
});
export type ProcessId = z.infer<typeof ProcessId>;

const BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Fields of /proc/<pid>/stat after the name, which may itself hold blanks and brackets; null when it is not there. */
const statOf = (pid: number | string): string[] | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // ended between being listed and being read
  }
};

/** null when there is no such process. */
export const identify = (pid: number): ProcessId | null => {
  const start = statOf(pid)?.[19];
  return start === undefined ? null : { pid, start, boot: BOOT };
};

/** This very process. */
export const SELF: ProcessId = identify(process.pid) ?? { pid: process.pid, start: '0', boot: BOOT };

/** A zombie has ended: it only waits to be counted. */
export const isAlive = (id: ProcessId): boolean => {
  const stat = statOf(id.pid);
  return id.boot === BOOT && stat?.[19] === id.start && stat[0] !== 'Z' && stat[0] !== 'X';
};

const hasMembers = (group: number): boolean =>
  readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const stat = statOf(name);
    return stat !== null && Number(stat[2]) === group && stat[0] !== 'Z' && stat[0] !== 'X';
  });

/** How long a killed group may take to vanish; the promise is nothing left after two seconds. */
const GONE_WITHIN_MS = 2_000;

/**
 * Ends the process group that `leader` leads (its own pid), also when the leader itself has ended before, and waits
 * until nothing of it is left. A later process with the same number is let be.
 */
export const endGroup = async (leader: ProcessId): Promise<void> => {
  if (leader.boot !== BOOT) return;
  const now = identify(leader.pid);
  if (now !== null && now.start !== leader.start) return;
  for (const giveUpAt = Date.now() + GONE_WITHIN_MS; Date.now() < giveUpAt && hasMembers(leader.pid); await delay(10)) {
    try {
      process.kill(-leader.pid, 'SIGKILL');
    } catch {
      return; // no such group any more
    }
  }
};

/** Ends whatever carries `DUAL_SESSION=<marker>` in its environment: what left its group, where there is no sandbox. */
export const endMarked = (marker: string): void => {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`DUAL_SESSION=${marker}`)) continue;
      process.kill(Number(name), 'SIGKILL');
    } catch {
      // ended meanwhile, or another user's: not ours
    }
  }
};
