import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a child gets when the supervisor vanishes: KILL at once, or TERM first because it has a database to close. */
export type DeathSignal = 'KILL' | 'TERM';

/** Sees to it that nothing outlives the supervisor, not even after a kill -9. */
export interface Guardian {
  /** The command line that starts `command` so that the kernel ends it with us, where the system can do that. */
  wrap(command: string, args: readonly string[], deathSignal: DeathSignal): { command: string; args: string[] };
  /** Guards the group of a child that leads one. */
  guard(pid: number, deathSignal: DeathSignal): void;
  /** Forgets a group that has ended, before its number is given to somebody else. */
  release(pid: number): void;
  close(): void;
}

/** The full path of `setpriv` (util-linux), on Linux alone; null elsewhere. */
export const findSetpriv = (path: string, platform: NodeJS.Platform = process.platform): string | null =>
  platform === 'linux'
    ? (path
        .split(delimiter)
        .map((folder) => join(folder, 'setpriv'))
        .find((candidate) => existsSync(candidate)) ?? null)
    : null;

const SCRIPT = fileURLToPath(new URL('guardian.sh', import.meta.url));

/** Starts the guardian, a small shell script in a session of its own. `setpriv`: its path, null where there is none. */
export const startGuardian = (setpriv: string | null): Guardian => {
  const script = spawn('sh', [SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // A guardian somebody killed costs the guarantee after a kill -9, not the stack; writes to it then fail quietly.
  script.on('error', () => undefined);
  script.stdin.on('error', () => undefined);
  script.unref();
  return {
    wrap: (command, args, deathSignal) =>
      setpriv === null
        ? { command, args: [...args] }
        : { command: setpriv, args: ['--pdeathsig', deathSignal, '--', command, ...args] },
    guard: (pid, deathSignal) => void script.stdin.write(`${deathSignal === 'KILL' ? 'hard' : 'gentle'} ${pid}\n`),
    release: (pid) => void script.stdin.write(`end ${pid}\n`),
    close: () => void script.stdin.end(),
  };
};
