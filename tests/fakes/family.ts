import { readdirSync, readFileSync } from 'node:fs';
import { identify, isAlive } from '../../activities/coding/processes.ts';
import type { ProcessId } from '../../activities/coding/processes.ts';
import { descendantsOf } from '../../dev/processes.ts';
import { until } from './until.ts';

/** A process as it was seen, told from a later one with the same number by its start. */
export interface Seen extends ProcessId {
  command: string;
}

/** A file of a process below `/proc`, its parts separated by blanks; empty when the process ended in between. */
const told = (pid: number, file: 'cmdline' | 'environ'): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
};

/** Processes that left the tree (a daemon's parent ends on purpose) still carry what their variables say. */
const markedWith = (mark: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => told(pid, 'environ').includes(mark));

/**
 * Children, grandchildren and so on of a process, as they are now. `mark`: and whatever holds this text in its
 * environment, a folder of one's own for example.
 */
export const familyOf = (pid: number, mark?: string): Seen[] =>
  [...new Set([...descendantsOf(pid), ...(mark === undefined ? [] : markedWith(mark))])]
    .filter((member) => member !== pid)
    .flatMap((member) => {
      const id = identify(member);
      return id ? [{ ...id, command: told(member, 'cmdline') }] : [];
    });

/** Resolves when none of them runs any more. @throws with those that do after `withinMs`. */
export const allGone = async (family: readonly Seen[], withinMs: number): Promise<void> => {
  const left = (): Seen[] => family.filter(isAlive);
  await until(() => left().length === 0 || undefined, withinMs).catch((error: unknown) => {
    const words = left().map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`);
    throw new Error(`still running after ${withinMs} ms:\n${words.join('\n')}`, { cause: error });
  });
};
