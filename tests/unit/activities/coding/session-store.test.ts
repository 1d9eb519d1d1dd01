import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeJson } from '../../../../activities/coding/disk.ts';
import { identify, isAlive, SELF } from '../../../../activities/coding/processes.ts';
import type { ProcessId } from '../../../../activities/coding/processes.ts';
import type { SessionRecord, WorkspaceState } from '../../../../activities/coding/session.ts';
import { createSessionStore } from '../../../../activities/coding/session-store.ts';
import type { SessionStore } from '../../../../activities/coding/session-store.ts';
import { makeFolder, TRACE, until } from './coding-fixture.ts';

const DAY_MS = 86_400_000;

let folder: string;
let store: SessionStore;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = makeFolder();
  store = createSessionStore(folder);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const folderOf = (id: string): string => join(folder, 'open', id);
const isThere = (id: string): boolean => existsSync(folderOf(id));

const writeState = (id: string, about: Partial<WorkspaceState>): void => {
  const state: WorkspaceState = {
    v: 1,
    turn: 1,
    attempt: 1,
    phase: 'clean',
    checkpoint: 'c'.repeat(64),
    tree: 'd'.repeat(40),
    holder: SELF,
    group: null,
    batches: 1,
    ...about,
  };
  mkdirSync(join(folderOf(id), '1'), { recursive: true });
  writeJson(join(folderOf(id), '1', 'state.json'), state);
};

/** A session that nobody works in, unused for `idleMs`. */
const makeSession = (n: number, idleMs: number, about: Partial<WorkspaceState> = {}): string => {
  const { id } = store.begin({ jobId: `${TRACE}-${n}`, generation: 1, attempt: 1 });
  const record: SessionRecord = {
    v: 1,
    session_id: id,
    job_id: `${TRACE}-${n}`,
    generation: 1,
    opened_at: 0,
    repository_root: '/nowhere',
    base_commit: 'a'.repeat(40),
    start_tree: 'b'.repeat(40),
    start_checkpoint: 'c'.repeat(64),
    roots: [],
    gitlinks: [],
    objects: [],
    shares: [],
    recipe: { setup: [], share: [], env: {}, network: [] },
    verify_command: null,
    notices: [],
  };
  writeState(id, about);
  store.complete(record);
  const past = new Date(Date.now() - idleMs);
  for (const file of ['session.json', '1/state.json']) utimesSync(join(folderOf(id), file), past, past);
  return id;
};

const startProcess = (env: Record<string, string> = {}): ProcessId => {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin', ...env } });
  children.push(child);
  const id = identify(child.pid ?? 0);
  if (id === null) throw new Error('no process');
  return id;
};

describe('a sweep beside another worker', () => {
  it('removes nothing that the other began to work in after the list was made', async () => {
    const ids = [1, 2, 3].map((n) => makeSession(n, 2 * DAY_MS));
    const sweeping = store.sweep(Date.now(), DAY_MS); // waits with the first of them
    const left = ids.filter(isThere);
    for (const id of left) writeState(id, { phase: 'running', holder: SELF });
    await sweeping;
    expect(left.length).toBeGreaterThanOrEqual(2);
    expect(ids.filter(isThere)).toEqual(left);
  });

  it('ends what a dead worker left running, and nothing that the other starts meanwhile', async () => {
    const left = startProcess();
    const id = makeSession(1, 1_000, { phase: 'running', holder: { ...SELF, start: '1' }, group: left });
    const sweeping = store.sweep(Date.now(), DAY_MS); // waits until the left group is gone
    const started = startProcess({ DUAL_SESSION: id });
    writeState(id, { phase: 'running', holder: SELF, group: started });
    expect(await sweeping).toEqual({ kept: 1, removed: 0 });
    await new Promise((resolve) => setTimeout(resolve, 100)); // a process that was killed takes a moment to end
    expect([isAlive(left), isAlive(started)]).toEqual([false, true]);
  });

  it('ends what left its group, in a session that nobody works in', async () => {
    const id = makeSession(1, 1_000, { phase: 'running', holder: { ...SELF, start: '1' } });
    const marked = startProcess({ DUAL_SESSION: id });
    await until(() => {
      void store.sweep(Date.now(), DAY_MS); // the mark shows once the program runs
      return !isAlive(marked);
    });
  });

  it('leaves a closing at work in the trash alone, and takes what is old there', async () => {
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of ['close-now', 'close-dead', 'session']) mkdirSync(join(folder, 'trash', name));
    utimesSync(join(folder, 'trash', 'close-dead'), old, old);
    await store.sweep(Date.now(), DAY_MS);
    expect(readdirSync(join(folder, 'trash'))).toEqual(['close-now']);
  });
});

it('a session that is removed is out of sight at once, before anybody can begin to work in it', async () => {
  const id = makeSession(1, 0, { group: startProcess() });
  const removing = store.remove(id);
  expect(store.list()).toEqual([]);
  await removing;
  expect(readdirSync(join(folder, 'trash'))).toEqual([]);
});

it('a session says which opening made it', () => {
  const { id } = store.begin({ jobId: `${TRACE}-12`, generation: 3, attempt: 41 });
  expect(store.list()).toMatchObject([{ id, jobId: `${TRACE}-12`, generation: 3, attempt: 41 }]);
});
