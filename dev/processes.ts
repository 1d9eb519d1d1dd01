import { readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { codeOf } from '../platform/errors.ts';

/** A running process, as a person would name it. */
export interface ProcessInfo {
  pid: number;
  /** Its command line, cut to 200 characters. */
  command: string;
}

/**
 * Reads below `/proc` may fail at any moment (the process ended, or is not ours), and other systems have no `/proc`:
 * both mean "nothing known", never an error.
 */
const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch (error) {
    if (codeOf(error)) return otherwise;
    throw error;
  }
};

const allPids = (): number[] =>
  attempt(() => readdirSync('/proc'), [])
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);

const commandOf = (pid: number): string =>
  attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
    .replaceAll('\0', ' ')
    .trim()
    .slice(0, 200);

/** The first process with an open descriptor that `/proc/<pid>/fd` shows as one of `targets`. */
const holderOf = (targets: ReadonlySet<string>): ProcessInfo | null => {
  if (targets.size === 0) return null;
  for (const pid of allPids()) {
    for (const fd of attempt(() => readdirSync(`/proc/${pid}/fd`), [])) {
      if (targets.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')))
        return { pid, command: commandOf(pid) };
    }
  }
  return null;
};

/** In `/proc/net/tcp`, state 0A is LISTEN; the local address ends in the port as four hexadecimal digits. */
const listeningSockets = (port: number): Set<string> => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    attempt(() => readFileSync(table, 'utf8'), '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted) && fields[3] === '0A')
      .map((fields) => fields[9]),
  );
  return new Set(inodes.map((inode) => `socket:[${inode}]`));
};

/** Who listens on a TCP port; null when nobody does, or when this system or our rights do not tell. */
export const portHolder = (port: number): ProcessInfo | null => holderOf(listeningSockets(port));

/** Who has a file open; null when nobody has, or when this system or our rights do not tell. */
export const fileHolder = (path: string): ProcessInfo | null => {
  const real = attempt(() => realpathSync(path), null);
  return real === null ? null : holderOf(new Set([real]));
};

const parentOf = (pid: number): number | null => {
  // The second field is the command in brackets and may hold anything, brackets and blanks included.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const parent = Number(
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(1),
  );
  return Number.isInteger(parent) && parent > 0 ? parent : null;
};

/** Children, grandchildren and so on of a process, whatever group or session they moved to; none where `/proc` is not. */
export const descendantsOf = (pid: number): number[] => {
  const childrenOf = new Map<number, number[]>();
  for (const candidate of allPids()) {
    const parent = parentOf(candidate);
    if (parent !== null) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), candidate]);
  }
  const found = [...(childrenOf.get(pid) ?? [])];
  for (const next of found) found.push(...(childrenOf.get(next) ?? []));
  return found;
};

/** Sends a signal to a process, or with a negative number to its group; one that has ended meanwhile is no error. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // EPERM: a group of zombies, as macOS puts it.
    if (!['ESRCH', 'EPERM'].includes(codeOf(error))) throw error;
  }
};
