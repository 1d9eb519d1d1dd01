import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSessionStore } from '../../../../activities/coding/session-store.ts';
import type { Environment } from '../../../../activities/environment.ts';
import {
  bash,
  call,
  closeJob,
  control,
  createRig,
  edit,
  git,
  JOB,
  openJob,
  PLAN,
  runCalls,
  sessionsOnDisk,
  stateOf,
  textOf,
  TRACE,
  writeFiles,
} from './coding-fixture.ts';
import type { Rig } from './coding-fixture.ts';

const FILES = { 'a.txt': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n', 'b.txt': 'b\n', '.gitignore': 'node_modules/\n' };
const jobNumber = (n: number): string => `${TRACE}-${n}`;

let rig: Rig;
let environment: Environment;
beforeEach(async () => {
  rig = createRig(FILES);
  environment = await rig.create();
});
afterEach(() => rig.dispose());

/** A whole job: edits, closed as succeeded. */
const runJob = async (jobId: string, edits: [string, string][], baseCommits: string[] = []): Promise<string> => {
  const session = await openJob(environment, { jobId, baseCommits });
  const calls = edits.map(([path, text]) => edit({ command: 'create', path, file_text: text }));
  const { checkpoint } = await runCalls(environment, session, 1, calls, { jobId });
  const { commit } = await closeJob(environment, { ...session, checkpoint }, 'succeeded', jobId);
  if (commit === null) throw new Error('no commit');
  return commit;
};

describe('a folder that cannot be worked in', () => {
  it.each([
    ['is not there', () => join(rig.folder, 'nowhere'), /no such folder/],
    ['is a file', () => join(rig.repository, 'a.txt'), /no such folder/],
    ['is no repository', () => rig.folder, /not a git repository; make it one: git init/],
    ['is bare', () => join(rig.folder, 'bare.git'), /bare repository/],
    ['is a .git folder', () => join(rig.repository, '.git'), /bare repository/],
    ['has no commits', () => join(rig.folder, 'empty'), /no commits yet/],
    ['is inside another repository', () => join(rig.repository, 'sub'), /inside the repository/],
  ])('%s: the job says so and leaves no session', async (_name, path, message) => {
    git(rig.folder, 'clone', '-q', '--bare', rig.repository, 'bare.git');
    mkdirSync(join(rig.folder, 'empty'));
    git(join(rig.folder, 'empty'), 'init', '-q');
    mkdirSync(join(rig.repository, 'sub'));
    const bad = await rig.create({ repository: path() });
    await expect(openJob(bad)).rejects.toMatchObject({
      type: 'BadInput',
      message: expect.stringMatching(message) as unknown,
    });
    await expect(openJob(bad)).rejects.toThrow('CODING_WORKING_DIRECTORY');
    expect(sessionsOnDisk(rig)).toEqual([]);
  });

  it('holds our data where its git would see it', async () => {
    const inside = await rig.create({ dataDir: join(rig.repository, 'sessions') });
    await expect(openJob(inside)).rejects.toThrow(/DATA_DIR .* lies inside CODING_WORKING_DIRECTORY/);
    writeFileSync(join(rig.repository, '.gitignore'), 'sessions/\n');
    expect((await openJob(inside)).checkpoint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has a recipe that is wrong', async () => {
    writeFiles(rig.repository, { '.dual/workspace.json': '{"setup": "npm ci"}' });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'recipe');
    await expect(openJob(environment)).rejects.toMatchObject({ type: 'BadInput' });
    await expect(openJob(environment)).rejects.toThrow('.dual/workspace.json: setup');
  });
});

it('a machine without bubblewrap is told what to type', async () => {
  const bare = await rig.create({ bwrapPath: join(rig.folder, 'bwrap') });
  await expect(openJob(bare)).rejects.toMatchObject({ type: 'EnvironmentUnavailable' });
  await expect(openJob(bare)).rejects.toThrow(/apt install bubblewrap/);
});

describe('the user’s checkout', () => {
  it('stays as it is, dirty or not, hooks and all', async () => {
    writeFiles(rig.repository, {
      'a.txt': 'changed by the user',
      'staged.txt': 'staged',
      'untracked.txt': 'untracked',
      '.git/hooks/post-checkout': '#!/bin/sh\ntouch hook-ran\n',
      '.git/hooks/reference-transaction': '#!/bin/sh\ntouch hook-ran\n',
    });
    git(rig.repository, 'add', 'staged.txt');
    const before = stateOf(rig.repository);
    const index = readFileSync(join(rig.repository, '.git/index'));

    const session = await openJob(environment);
    const { results, checkpoint } = await runCalls(environment, session, 1, [
      bash('cat a.txt; ls; git status --short'),
      edit({ command: 'create', path: 'a.txt', file_text: 'changed by the job' }),
    ]);
    expect(textOf(results[0])).toContain('one\ntwo');
    expect(textOf(results[0])).toMatch(
      /\[note: The repository has 3 uncommitted change\(s\) \(a.txt, staged.txt, untracked.txt\)/,
    );
    expect(textOf(results[0])).not.toContain('?? untracked.txt');
    expect(textOf(results[1])).not.toContain('uncommitted');
    expect(rig.logged.join('')).toContain('uncommitted change');
    await closeJob(environment, { ...session, checkpoint });

    expect(stateOf(rig.repository)).toEqual(before);
    expect(readFileSync(join(rig.repository, '.git/index')).equals(index)).toBe(true);
    expect(readFileSync(join(rig.repository, 'a.txt'), 'utf8')).toBe('changed by the user');
    expect(existsSync(join(rig.repository, 'hook-ran'))).toBe(false);
  });

  it('is worked from when it is a linked worktree on another branch', async () => {
    git(rig.repository, 'worktree', 'add', '-q', '-b', 'other', join(rig.folder, 'linked'));
    writeFiles(join(rig.folder, 'linked'), { 'only-here.txt': 'x' });
    git(join(rig.folder, 'linked'), 'add', '-A');
    git(join(rig.folder, 'linked'), 'commit', '-q', '-m', 'on other');
    const linked = await rig.create({ repository: join(rig.folder, 'linked') });
    const session = await openJob(linked);
    const { results, checkpoint } = await runCalls(linked, session, 1, [bash('ls; echo x > new.txt')]);
    expect(textOf(results[0])).toContain('only-here.txt');
    const { branch } = await closeJob(linked, { ...session, checkpoint });
    expect(git(rig.repository, 'show', `${branch}:new.txt`)).toBe('x');
  });

  it('may be a shallow clone', async () => {
    writeFiles(rig.repository, { 'second.txt': 'x' });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'second');
    git(rig.folder, 'clone', '-q', '--depth', '1', `file://${rig.repository}`, 'shallow');
    const shallow = await rig.create({ repository: join(rig.folder, 'shallow') });
    const session = await openJob(shallow);
    const { results, checkpoint } = await runCalls(shallow, session, 1, [
      bash('git log --oneline | wc -l; echo x > n'),
    ]);
    expect(textOf(results[0])).toContain('1\n[exit code 0]');
    expect((await closeJob(shallow, { ...session, checkpoint })).branch).toBe(`dual/${JOB}`);
  });
});

describe('where a job starts', () => {
  it('is the commit of the job it builds on', async () => {
    const first = await runJob(jobNumber(1), [['first.txt', 'first']]);
    const session = await openJob(environment, { jobId: jobNumber(2), baseCommits: [first] });
    const { results, checkpoint } = await runCalls(
      environment,
      session,
      1,
      [bash('cat first.txt; echo x > second.txt')],
      {
        jobId: jobNumber(2),
      },
    );
    expect(textOf(results[0])).toContain('first');
    const { commit } = await closeJob(environment, { ...session, checkpoint }, 'succeeded', jobNumber(2));
    expect(git(rig.repository, 'log', '-1', '--format=%P', commit ?? '')).toBe(first);
  });

  it('is the merge of several, the same on every host', async () => {
    const left = await runJob(jobNumber(1), [['left.txt', 'left']]);
    const right = await runJob(jobNumber(2), [['right.txt', 'right']]);
    const session = await openJob(environment, { jobId: jobNumber(3), baseCommits: [left, right] });
    const { results, checkpoint } = await runCalls(
      environment,
      session,
      1,
      [bash('cat left.txt right.txt; git rev-parse HEAD; echo x > third.txt')],
      { jobId: jobNumber(3) },
    );
    expect(textOf(results[0])).toContain('leftright');

    const elsewhere = await rig.create({ dataDir: join(rig.folder, 'other-host') });
    const again = await openJob(elsewhere, {
      jobId: jobNumber(3),
      baseCommits: [left, right],
      checkpoint,
      generation: 2,
    });
    const seen = await runCalls(elsewhere, again, 2, [bash('git rev-parse HEAD; cat third.txt')], {
      jobId: jobNumber(3),
    });
    const merge = /[0-9a-f]{40}/.exec(textOf(results[0]))?.[0] ?? '-';
    expect(textOf(seen.results[0])).toContain(`${merge}\nx`);
    const { commit } = await closeJob(elsewhere, again, 'succeeded', jobNumber(3));
    expect(git(rig.repository, 'log', '-1', '--format=%P', commit ?? '')).toBe(merge);
    expect(git(rig.repository, 'log', '-1', '--format=%P', merge)).toBe(`${left} ${right}`);
  });

  it('is nowhere when the jobs contradict each other', async () => {
    const left = await runJob(jobNumber(1), [['a.txt', 'left']]);
    const right = await runJob(jobNumber(2), [['a.txt', 'right']]);
    const opening = openJob(environment, { jobId: jobNumber(3), baseCommits: [left, right] });
    await expect(opening).rejects.toMatchObject({
      type: 'MergeConflict',
      message: expect.stringContaining('a.txt') as unknown,
    });
    expect(sessionsOnDisk(rig)).toEqual([]);
  });

  it('comes from a bundle on a host whose repository never saw the other job', async () => {
    git(rig.folder, 'clone', '-q', rig.repository, 'copy');
    const first = await runJob(jobNumber(1), [['first.txt', 'first']]);
    const second = await runJob(jobNumber(2), [['second.txt', 'second']], [first]);
    const copy = join(rig.folder, 'copy');
    expect(() => git(copy, 'cat-file', '-e', second)).toThrow();
    const elsewhere = await rig.create({ repository: copy, dataDir: join(rig.folder, 'other-host') });
    const session = await openJob(elsewhere, { jobId: jobNumber(3), baseCommits: [second] });
    const { results, checkpoint } = await runCalls(
      elsewhere,
      session,
      1,
      [bash('cat first.txt second.txt; echo x > third.txt')],
      {
        jobId: jobNumber(3),
      },
    );
    expect(textOf(results[0])).toContain('firstsecond');
    const { commit } = await closeJob(elsewhere, { ...session, checkpoint }, 'succeeded', jobNumber(3));
    expect(git(copy, 'log', '-1', '--format=%P', commit ?? '')).toBe(second);
    await expect(openJob(elsewhere, { jobId: jobNumber(4), baseCommits: ['f'.repeat(40)] })).rejects.toThrow(
      /not in this host's copy/,
    );
  });

  it('is the last checkpoint after a loss, though HEAD has moved on', async () => {
    const session = await openJob(environment);
    const { checkpoint } = await runCalls(environment, session, 1, [bash('echo x > done.txt; rm b.txt')]);
    writeFiles(rig.repository, { 'later.txt': 'later' });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'later');
    rmSync(rig.dataDir, { recursive: true });
    const fresh = await rig.create();
    const again = await openJob(fresh, { checkpoint, generation: 2 });
    expect(again.checkpoint).toBe(checkpoint);
    const { results } = await runCalls(fresh, again, 2, [bash('ls')]);
    expect(textOf(results[0])).toContain('a.txt\ndone.txt\n');
    await expect(runCalls(environment, session, 2, [bash('ls')])).rejects.toMatchObject({ type: 'SessionLost' });
  });
});

describe('a recipe', () => {
  const commitRecipe = (recipe: unknown): void => {
    writeFiles(rig.repository, { '.dual/workspace.json': JSON.stringify(recipe) });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'recipe');
  };

  it('sets up, shares and names variables, as the base commit has it', async () => {
    commitRecipe({
      setup: ['echo made > made.txt', 'mkdir dist'],
      share: ['node_modules', 'absent'],
      env: { COLOUR: 'blue' },
    });
    writeFiles(rig.repository, { 'node_modules/x/index.js': 'shared' });
    writeFiles(rig.repository, { '.dual/workspace.json': '{"env": {"COLOUR": "red"}}' });
    const session = await openJob(environment);
    const { results } = await runCalls(environment, session, 1, [
      bash('cat made.txt node_modules/x/index.js; echo; echo $COLOUR; echo x > node_modules/y'),
      edit({ command: 'view', path: 'node_modules/x/index.js' }),
      edit({ command: 'create', path: 'node_modules/z', file_text: 'z' }),
      edit({ command: 'create', path: '.dual/workspace.json', file_text: '{"env": {"COLOUR": "green"}}' }),
      bash('echo $COLOUR; git status --short'),
    ]);
    expect(textOf(results[0])).toMatch(/made\nshared\nblue\n.*Read-only file system/);
    expect(textOf(results[1])).toContain('shared');
    expect(textOf(results[2])).toContain('read-only');
    expect(textOf(results[4])).toBe('blue\n M .dual/workspace.json\n?? made.txt\n[exit code 0]');
    expect(readdirSync(join(rig.repository, 'node_modules'))).toEqual(['x']);
  });

  it('shares nothing through a link that a job put in the way', async () => {
    commitRecipe({ share: ['packages/a/lib'] });
    writeFiles(rig.repository, { 'packages/a/lib/index.js': 'shared', '.gitignore': 'lib/\n' });
    const outside = join(rig.folder, 'outside');
    mkdirSync(outside);
    const session = await openJob(environment);
    const first = await runCalls(environment, session, 1, [
      bash(`cat packages/a/lib/index.js; mv packages/a packages/b; ln -s ${outside} packages/a`),
      bash('readlink packages/a'),
    ]);
    expect(textOf(first.results[0])).toContain('shared');
    expect(textOf(first.results[1])).toBe(`${outside}\n[exit code 0]`);
    const moved = { ...session, checkpoint: first.checkpoint };
    await runCalls(environment, moved, 2, [bash('echo x > changed.txt')]);
    const { results } = await runCalls(environment, moved, 2, [bash('readlink packages/a')], { attempt: 2 });
    expect(textOf(results[0])).toContain(outside);
    expect(readdirSync(outside)).toEqual([]);
  });

  it('that only sets up changes nothing that would be a result', async () => {
    commitRecipe({ setup: ['echo made > made.txt'] });
    const session = await openJob(environment);
    const { checkpoint } = await runCalls(environment, session, 1, [bash('ls')]);
    expect(await closeJob(environment, { ...session, checkpoint })).toEqual({
      artifacts: [],
      branch: null,
      commit: null,
    });
  });

  it('that fails says so', async () => {
    commitRecipe({ setup: ['echo "no such package"; exit 3'] });
    await expect(openJob(environment)).rejects.toThrow(/setup command .* failed \(exit 3\): no such package/);
    expect(sessionsOnDisk(rig)).toEqual([]);
  });

  it('shares copies when there is no sandbox', async () => {
    commitRecipe({ share: ['node_modules'] });
    writeFiles(rig.repository, { 'node_modules/x/index.js': 'shared' });
    const open = await rig.create({ sandbox: 'off' });
    const session = await openJob(open);
    const { results, checkpoint } = await runCalls(open, session, 1, [
      bash('cat node_modules/x/index.js; echo x > node_modules/y; git status --short'),
    ]);
    expect(textOf(results[0])).toContain('without a sandbox (CODING_SANDBOX=off)');
    expect(textOf(results[0])).toContain('shared\n[exit code 0]');
    expect(readdirSync(join(rig.repository, 'node_modules'))).toEqual(['x']);
    expect((await closeJob(open, { ...session, checkpoint })).branch).toBeNull();
    expect(rig.logged.join('')).toContain('CODING_SANDBOX is off');
  });
});

describe('places', () => {
  it('are limited, counted over restarts, and free again after closing', async () => {
    const small = await rig.create({ capacity: 2 });
    const first = await openJob(small, { jobId: jobNumber(1) });
    await openJob(small, { jobId: jobNumber(2) });
    await small.dispose();
    const next = await rig.create({ capacity: 2 });
    expect(next.owner).toBe(small.owner);
    expect(next.owner).toMatch(/^[a-z0-9-]{1,60}$/);
    const waiting = openJob(next, { jobId: jobNumber(3) });
    await closeJob(next, first, 'succeeded', jobNumber(1));
    expect((await waiting).sessionId).toMatch(new RegExp(`^${jobNumber(3)}-g1-a1-[0-9a-f]{16}$`));
    expect(sessionsOnDisk(rig)).toHaveLength(2);
  });

  it('all taken: an opening waits, until it is aborted', async () => {
    const small = await rig.create({ capacity: 1 });
    await openJob(small, { jobId: jobNumber(1) });
    const controller = new AbortController();
    const request = {
      traceId: TRACE,
      jobId: jobNumber(2),
      plan: PLAN,
      generation: 1,
      checkpoint: null,
      baseCommits: [],
    };
    const waiting = small.open(request, control(1, controller.signal));
    controller.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
  });

  it('are taken back from sessions nobody used for an hour', async () => {
    let now = Date.now();
    const small = await rig.create({ capacity: 1, now: () => now });
    const idle = await openJob(small, { jobId: jobNumber(1) });
    now += 3_700_000;
    await openJob(small, { jobId: jobNumber(2) });
    await expect(runCalls(small, idle, 1, [bash('ls')], { jobId: jobNumber(1) })).rejects.toMatchObject({
      type: 'SessionLost',
    });
  });

  it('opening the same job again closes its older session', async () => {
    const first = await openJob(environment);
    const second = await openJob(environment, { generation: 2, attempt: 3 });
    expect(second.sessionId).toContain('-g2-a3-');
    expect(sessionsOnDisk(rig)).toEqual([second.sessionId]);
    await expect(runCalls(environment, first, 1, [bash('ls')])).rejects.toMatchObject({ type: 'SessionLost' });
  });
});

describe('an opening that comes late', () => {
  it.each([
    ['a newer attempt', { generation: 1, attempt: 2 }, { generation: 1, attempt: 1 }],
    ['a newer generation', { generation: 2, attempt: 1 }, { generation: 1, attempt: 9 }],
  ])('leaves the session of %s alone, and opens none', async (_of, newer, late) => {
    const session = await openJob(environment, newer);
    const frozen = await rig.create();
    await expect(openJob(frozen, late)).rejects.toMatchObject({
      type: 'EnvironmentBusy',
      message: 'a newer attempt has a session of this job',
    });
    expect(sessionsOnDisk(rig)).toEqual([session.sessionId]);
    const { results } = await runCalls(environment, session, 1, [bash('cat b.txt')]);
    expect(textOf(results[0])).toBe('b\n[exit code 0]');
  });

  it('takes itself back when the newer one began meanwhile', async () => {
    const small = await rig.create({ capacity: 2 });
    const others = [await openJob(small, { jobId: jobNumber(7) }), await openJob(small, { jobId: jobNumber(8) })];
    const late = openJob(small, { attempt: 1 });
    const refused = expect(late).rejects.toMatchObject({ type: 'EnvironmentBusy' });
    const elsewhere = createSessionStore(join(rig.dataDir, 'coding'));
    const newer = elsewhere.begin({ jobId: JOB, generation: 1, attempt: 2 });
    await closeJob(small, others[0] ?? { sessionId: '', checkpoint: null }, 'cancelled', jobNumber(7));
    await closeJob(small, others[1] ?? { sessionId: '', checkpoint: null }, 'cancelled', jobNumber(8));
    await refused;
    expect(sessionsOnDisk(rig)).toEqual([newer.id]);
  });

  it('is let in once the other is idle: the job was run again from its history', async () => {
    let now = Date.now();
    const worker = await rig.create({ now: () => now });
    await openJob(worker, { generation: 3 });
    await expect(openJob(worker)).rejects.toMatchObject({ type: 'EnvironmentBusy', retryable: true });
    now += 3_700_000;
    const session = await openJob(worker, { attempt: 2 });
    expect(sessionsOnDisk(rig)).toEqual([session.sessionId]);
  });
});

describe('a worker that starts again', () => {
  it('goes on with the sessions it finds', async () => {
    const session = await openJob(environment);
    const { checkpoint } = await runCalls(environment, session, 1, [bash('echo x > kept.txt; echo y > /tmp/kept')]);
    await environment.dispose();
    const next = await rig.create();
    const { results } = await runCalls(next, { ...session, checkpoint }, 2, [bash('cat kept.txt /tmp/kept')]);
    expect(textOf(results[0])).toBe('x\ny\n[exit code 0]');
    expect(rig.logged.join('')).toContain('coding sessions found on disk');
  });

  it('sweeps what nobody will ask for: old, broken, half-opened by the dead', async () => {
    const old = await openJob(environment, { jobId: jobNumber(1) });
    const broken = await openJob(environment, { jobId: jobNumber(2) });
    const kept = await openJob(environment, { jobId: jobNumber(3) });
    const open = join(rig.dataDir, 'coding', 'open');
    const past = new Date(Date.now() - 25 * 3_600_000);
    for (const file of ['session.json', '1/state.json']) utimesSync(join(open, old.sessionId, file), past, past);
    rmSync(join(open, broken.sessionId, '1'), { recursive: true });
    mkdirSync(join(open, 'half'));
    const dead = { pid: process.pid, start: '1', boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
    writeFileSync(join(open, 'half', 'opening.json'), JSON.stringify({ job_id: jobNumber(4), holder: dead }));
    mkdirSync(join(rig.dataDir, 'coding', 'trash', 'left'));
    await rig.create();
    expect(sessionsOnDisk(rig)).toEqual([kept.sessionId]);
    expect(readdirSync(join(rig.dataDir, 'coding', 'trash'))).toEqual([]);
  });

  it('keeps its folders to itself', async () => {
    await openJob(environment);
    expect(statSync(rig.dataDir).mode & 0o077).toBe(0);
    expect(statSync(join(rig.dataDir, 'coding/open')).mode & 0o077).toBe(0);
  });
});

it('an unknown session or one of another job is lost, and closing it is no error', async () => {
  const session = await openJob(environment);
  for (const [sessionId, jobId] of [
    ['nonsense', JOB],
    ['../../etc', JOB],
    [session.sessionId, jobNumber(9)],
  ] as const)
    await expect(
      runCalls(environment, { sessionId, checkpoint: null }, 1, [bash('ls')], { jobId }),
    ).rejects.toMatchObject({ type: 'SessionLost' });
  expect(await closeJob(environment, { sessionId: 'nonsense', checkpoint: null })).toEqual({
    artifacts: [],
    branch: null,
    commit: null,
  });
  const request = { sessionId: 'nonsense', jobId: JOB, round: 1, checkpoint: null };
  await expect(environment.verify(request, control())).rejects.toMatchObject({ type: 'SessionLost' });
});

it('unknown tools and bad inputs are answered, not thrown', async () => {
  const session = await openJob(environment);
  const { results } = await runCalls(environment, session, 1, [
    call('teleport', {}),
    call('bash', {}),
    call('bash', { restart: true }),
    call('bash', { command: 7 }),
    call('search', { text: '' }),
    edit({ command: 'undo_edit', path: 'a.txt' }),
    edit({ command: 'view', path: '/etc/passwd' }),
    bash(`echo ${'x'.repeat(200_000)}`),
  ]);
  expect(results.map((result) => result.is_error)).toEqual([true, true, false, true, true, true, true, true]);
  expect(results.every((result) => result.summary.length <= 120 && !result.unknown)).toBe(true);
  expect(textOf(results[0])).toContain('There is no tool teleport here');
});
