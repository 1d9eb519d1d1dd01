import { join } from 'node:path';
import type { Problem } from '../contracts/replies.ts';
import type { SpoolDisk } from './spool-disk.ts';

/** Refused finals that are kept for a person to look at; the oldest goes first. */
const MAX_REFUSED = 200;
/** Unreadable files that are set aside; more stay where they are. None is ever deleted. */
const MAX_BAD = 1_000;

const NUMBERED = /^(\d{8})-/;
const numberOf = (name: string): number => Number(NUMBERED.exec(name)?.[1] ?? 0);

export interface SetAside {
  /** What cannot be read goes to `bad/`; false: it stays where it is. */
  bad(path: string, name: string): Promise<boolean>;
  /** What the gateway refused goes to `refused/`, why beside it. `text`: it is on no disk yet. */
  refused(final: { path: string; name: string; text: string | null }, problem: Problem): Promise<void>;
}

/** Places beside the spool for what is not delivered. Names are numbered, so that age needs no clock. */
export const createSetAside = (dir: string, disk: SpoolDisk): SetAside => {
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: the next number is read from the folder. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  };
  const enter = async (folder: string): Promise<{ names: string[]; next: number }> => {
    await disk.makeFolder(folder);
    const names = (await disk.list(folder)).filter((name) => NUMBERED.test(name));
    return { names, next: Math.max(0, ...names.map(numberOf)) + 1 };
  };
  const numbered = (number: number, name: string): string => `${String(number).padStart(8, '0')}-${name}`;

  return {
    bad: (path, name) =>
      inTurn(async () => {
        const folder = join(dir, 'bad');
        const { names, next } = await enter(folder);
        if (names.length >= MAX_BAD) return false;
        await disk.move(path, join(folder, numbered(next, name)));
        return true;
      }),
    refused: ({ path, name, text }, problem) =>
      inTurn(async () => {
        const folder = join(dir, 'refused');
        const { names, next } = await enter(folder);
        const kept = join(folder, numbered(next, name));
        if (text === null) await disk.move(path, kept);
        else await disk.write(kept, text);
        await disk.write(kept.replace(/\.json$/, '.problem.json'), `${JSON.stringify(problem, null, 2)}\n`);
        for (const old of names) if (numberOf(old) <= next - MAX_REFUSED) await disk.remove(join(folder, old));
      }),
  };
};
