import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../../platform/log.ts';
import { openJournal, reportDead } from '../../../workers/journal.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const quiet = createLog(
  'test',
  (text) => text,
  'info',
  () => undefined,
);
const info = (taskQueue: string) => ({
  taskToken: Buffer.from(`token of ${taskQueue}`),
  activityType: 'runTools',
  taskQueue,
});
const reports = async (): Promise<string[]> => {
  const seen: string[] = [];
  await reportDead(
    dir,
    async ({ token, queue }) => void seen.push(`${queue}: ${Buffer.from(token).toString()}`),
    quiet,
  );
  return seen;
};

/** A folder as a process leaves it that was killed in the middle of two activities. */
const leaveBehind = (life: string): void => {
  mkdirSync(join(dir, life));
  for (const [at, queue] of ['q1', 'q2'].entries())
    writeFileSync(
      join(dir, life, `${at}.json`),
      JSON.stringify({ token: Buffer.from(`token of ${queue}`).toString('base64'), activity: 'runTools', queue }),
    );
};

describe('the journal of running activities', () => {
  it('holds what runs, and nothing of what is over', () => {
    const journal = openJournal(dir);
    const held = (): string[] => {
      const life = join(dir, readdirSync(dir)[0] ?? '');
      const texts = readdirSync(life).map((file) => readFileSync(join(life, file), 'utf8'));
      return texts.flatMap((text) => (text ? [(JSON.parse(text) as { queue: string }).queue] : [])).sort();
    };
    const endLong = journal.begin(info('a queue with a long name'));
    const endOther = journal.begin(info('q2'));
    expect(held()).toEqual(['a queue with a long name', 'q2']);
    endLong();
    expect(held()).toEqual(['q2']);
    const endThird = journal.begin(info('q3')); // in a file that held more
    expect(held()).toEqual(['q2', 'q3']);
    endOther();
    endThird();
    expect(held()).toEqual([]);
    journal.close();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('reports what a dead process left running, once', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const start = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    leaveBehind(`${child.pid}-${start}`);
    expect(await reports()).toEqual([]); // it lives: its activities are its own
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await reports()).toEqual(['q1: token of q1', 'q2: token of q2']);
    expect(await reports()).toEqual([]);
  });

  it('is not fooled by a process that got the same number', async () => {
    leaveBehind(`${process.pid}-1`);
    expect(await reports()).toHaveLength(2);
  });

  it('goes on when Temporal refuses a report or a file is torn', async () => {
    leaveBehind('999999999-1');
    writeFileSync(join(dir, '999999999-1', '2.json'), '{"tok');
    const count = await reportDead(
      dir,
      async ({ queue }) => (queue === 'q1' ? Promise.reject(new Error('not found')) : undefined),
      quiet,
    );
    expect(count).toBe(1);
    expect(existsSync(join(dir, '999999999-1'))).toBe(false);
  });

  it('needs no folder to be there', async () => {
    rmSync(dir, { recursive: true });
    expect(await reports()).toEqual([]);
  });
});
