import { afterEach, describe, expect, it } from '@jest/globals';
import { createChild } from '../../../dev/child.ts';
import type { Child } from '../../../dev/child.ts';
import type { Guardian } from '../../../dev/guardian.ts';
import { until } from '../../fakes/until.ts';

/** Wraps nothing and notes who is guarded. */
const noted: string[] = [];
const guardian: Guardian = {
  wrap: (command, args) => ({ command, args: [...args] }),
  guard: (pid, deathSignal) => void noted.push(`guard ${pid} ${deathSignal}`),
  release: (pid) => void noted.push(`release ${pid}`),
  close: () => undefined,
};

const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill();
    await child.stop(1_000);
  }
  noted.length = 0;
});

const shell = (script: string) => {
  const lines: string[] = [];
  const notices: string[] = [];
  const givenUp: Error[] = [];
  const child = createChild(
    { name: 'child', command: '/bin/sh', args: ['-c', script], env: { PATH: '/bin:/usr/bin' }, deathSignal: 'KILL' },
    guardian,
    {
      output: (_name, line) => lines.push(line),
      notice: (text) => notices.push(text),
      givenUp: (error) => givenUp.push(error),
    },
    { baseMs: 5, capMs: 20 },
  );
  children.push(child);
  child.start();
  return { child, lines, notices, givenUp };
};

describe('a supervised child', () => {
  it('is heard: announcements apart, all else line by line', async () => {
    const { child, lines } = shell(`echo '{"msg":"log"}'; echo '{"listening":"http://h"}'; echo plain >&2; sleep 60`);
    expect(await child.announced).toEqual({ listening: 'http://h' });
    await until(() => (lines.length === 2 ? true : undefined));
    expect([...lines].sort()).toEqual(['plain', '{"msg":"log"}']);
  });

  it('is given up after five deaths before it was ever ready', async () => {
    const { givenUp, notices } = shell('exit 7');
    await until(() => givenUp[0]);
    expect(givenUp[0]?.message).toMatch(/child ended with code 7, 5 times before it was ready/);
    expect(notices).toHaveLength(4);
    expect(notices[0]).toBe('child ended with code 7; starting it again now');
  });

  it('is given up at once when a setting is wrong, but never once it was ready', async () => {
    const wrong = shell('exit 2');
    await until(() => wrong.givenUp[0]);
    expect(wrong.notices).toEqual([]);
    const later = shell('sleep 0.2; exit 2');
    later.child.markReady();
    await until(() => (later.notices.length >= 6 ? true : undefined));
    expect(later.givenUp).toEqual([]);
  });

  it('says so when it cannot be started at all', async () => {
    const notices: string[] = [];
    const hooks = {
      output: () => undefined,
      notice: (text: string) => void notices.push(text),
      givenUp: () => undefined,
    };
    const plan = { name: 'child', command: '/nowhere/at/all', args: [], env: {}, deathSignal: 'KILL' as const };
    const child = createChild(plan, guardian, hooks, { baseMs: 60_000 });
    children.push(child);
    child.start();
    expect(await until(() => notices[0])).toMatch(/child cannot be started \(.*ENOENT.*\); starting it again now/);
  });

  it('stays down once stopped, also when it was about to be started again', async () => {
    const { child, notices } = shell('exit 1');
    await until(() => (notices.length >= 2 ? true : undefined));
    await child.stop(1_000);
    const heard = notices.length;
    await child.stop(1_000);
    expect([child.pid, notices.length]).toEqual([undefined, heard]);
  });

  it('is asked first, then killed with everything below it, and guarded exactly while it lives', async () => {
    const { child, notices } = shell(`trap '' TERM; sleep 61 & echo '{"ready":true}'; while :; do sleep 1; done`);
    await child.announced;
    const { pid } = child;
    await child.stop(100);
    expect(notices).toEqual(['child did not end within 0.1 s: killed']);
    expect(noted).toEqual([`guard ${pid} KILL`, `release ${pid}`]);
  });
});
