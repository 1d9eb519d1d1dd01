import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Environment, OpenedSession } from '../../../../activities/environment.ts';
import {
  bash,
  closeJob,
  control,
  createRig,
  git,
  JOB,
  openJob,
  PLAN,
  runCalls,
  sessionsOnDisk,
  stateOf,
} from './coding-fixture.ts';
import type { Rig } from './coding-fixture.ts';

const BRANCH = `dual/${JOB}`;
let rig: Rig;
let environment: Environment;
let session: OpenedSession;

beforeEach(async () => {
  rig = createRig({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  environment = await rig.create();
  session = await openJob(environment);
});
afterEach(() => rig.dispose());

const change = async (command = 'echo changed > a.txt; rm b.txt; echo new > c.txt'): Promise<OpenedSession> => {
  const { checkpoint } = await runCalls(environment, session, 1, [bash(command)]);
  return { ...session, checkpoint };
};
const branches = (): string => git(rig.repository, 'for-each-ref', '--format=%(refname:short)');

describe('closing', () => {
  it.each(['succeeded', 'failed'] as const)(
    'a job that %s leaves one commit on a branch, and the patch',
    async (outcome) => {
      const before = stateOf(rig.repository);
      const head = git(rig.repository, 'rev-parse', 'HEAD');
      const closed = await closeJob(environment, await change(), outcome);
      expect(closed).toMatchObject({ branch: BRANCH, commit: git(rig.repository, 'rev-parse', BRANCH) });
      expect(git(rig.repository, 'log', '--format=%P|%an <%ae>|%cn|%s|%b', `${head}..${BRANCH}`)).toBe(
        `${head}|dual orchestrator <orchestrator@localhost>|dual orchestrator|change the code|Job: ${JOB}\n`.trimEnd(),
      );
      expect(git(rig.repository, 'diff', '--name-status', head, BRANCH)).toBe('M\ta.txt\nD\tb.txt\nA\tc.txt');
      expect(stateOf(rig.repository)).toEqual(before);
      expect(branches()).toBe(`${BRANCH}\nmain`);

      const [patch] = closed.artifacts;
      expect(patch).toMatchObject({ name: `${JOB}.patch`, media_type: 'text/x-diff' });
      const text = await rig.artifacts.get(patch?.sha256 ?? '');
      execFileSync('git', ['apply', '--check', '-'], { cwd: rig.repository, input: text });
      expect(git(rig.repository, 'fsck', '--full')).not.toContain('missing');
      expect(sessionsOnDisk(rig)).toEqual([]);
      expect(readdirSync(join(rig.dataDir, 'coding/trash'))).toEqual([]);
    },
  );

  it('a cancelled job keeps its patch and makes no branch', async () => {
    const closed = await closeJob(environment, await change(), 'cancelled');
    expect(closed).toMatchObject({ branch: null, commit: null, artifacts: [{ name: `${JOB}.patch` }] });
    expect(branches()).toBe('main');
    expect(sessionsOnDisk(rig)).toEqual([]);
  });

  it('an unchanged one leaves nothing', async () => {
    expect(await closeJob(environment, session)).toEqual({ artifacts: [], branch: null, commit: null });
    expect(branches()).toBe('main');
  });

  it('takes the last checkpoint, not what an unfinished batch did after it', async () => {
    const done = await change();
    await expect(
      runCalls(environment, done, 2, [bash('echo unfinished > d.txt')], { signal: AbortSignal.timeout(1) }),
    ).rejects.toThrow();
    await closeJob(environment, done);
    expect(git(rig.repository, 'ls-tree', '--name-only', BRANCH)).toBe('a.txt\nc.txt');
  });

  it('again answers the same, also from another process and when the session folder is gone', async () => {
    const done = await change();
    const first = await closeJob(environment, done);
    expect(await closeJob(environment, done)).toEqual(first);
    expect(await closeJob(await rig.create(), done)).toEqual(first);
    expect(branches()).toBe(`${BRANCH}\nmain`);
  });

  it('again after a death between branch and answer finds the branch it made', async () => {
    const done = await change();
    const first = await closeJob(environment, done);
    rmSync(join(rig.dataDir, 'coding/closed'), { recursive: true });
    const next = await rig.create();
    expect(await closeJob(next, done)).toMatchObject({ branch: BRANCH, commit: first.commit });
    expect(branches()).toBe(`${BRANCH}\nmain`);
  });

  it('keeps the work of a session whose folder was lost', async () => {
    const done = await change();
    rmSync(join(rig.dataDir, 'coding/open'), { recursive: true });
    const next = await rig.create();
    const closed = await closeJob(next, done);
    expect(closed.branch).toBe(BRANCH);
    expect(git(rig.repository, 'show', `${BRANCH}:a.txt`)).toBe('changed');
  });

  it('leaves other work on a branch of that name alone', async () => {
    git(rig.repository, 'branch', BRANCH);
    const closed = await closeJob(environment, await change());
    expect(closed.branch).toBe(`${BRANCH}-2`);
    expect(git(rig.repository, 'rev-parse', BRANCH)).toBe(git(rig.repository, 'rev-parse', 'HEAD'));
  });

  it('without room for the branch still gives the patch, and says so', async () => {
    git(rig.repository, 'branch', 'dual');
    const closed = await closeJob(environment, await change());
    expect(closed).toMatchObject({ branch: null, commit: null, artifacts: [{ name: `${JOB}.patch` }] });
    expect(rig.logged.join('')).toContain('the branch could not be made');
  });

  it('without the repository still gives the patch, and says so', async () => {
    const done = await change();
    renameSync(rig.repository, `${rig.repository}-moved`);
    // The session's own folder borrows objects from there: the patch was stored when the batch ended.
    const closed = await closeJob(environment, done);
    expect(closed).toMatchObject({ branch: null, artifacts: [{ name: `${JOB}.patch` }] });
    expect(rig.logged.join('')).toContain('no repository to put a branch into');
  });

  it('runs no hook of the repository', async () => {
    for (const hook of ['reference-transaction', 'post-receive', 'update', 'pre-receive', 'post-update'])
      execFileSync(
        'sh',
        [
          '-c',
          `printf '#!/bin/sh\\ntouch ${rig.folder}/sprung\\nexit 1\\n' > .git/hooks/${hook}; chmod +x .git/hooks/${hook}`,
        ],
        { cwd: rig.repository },
      );
    expect((await closeJob(environment, await change())).branch).toBe(BRANCH);
    expect(readdirSync(rig.folder)).not.toContain('sprung');
  });

  it('says in the commit what was asked, in one line', async () => {
    const done = await change();
    const plan = { ...PLAN, instruction: `  ${'very '.repeat(40)}long\nsecond line` };
    await environment.close({ ...done, jobId: JOB, plan, outcome: 'succeeded' }, control());
    const subject = git(rig.repository, 'log', '-1', '--format=%s', BRANCH);
    expect(subject).toHaveLength(72);
    expect(subject).toMatch(/^very very .*…$/);
  });

  it('gives every kind of change to the branch exactly', async () => {
    const done = await change(
      "printf 'x\\r\\ny' > crlf.txt; head -c 3000 /dev/urandom > bin; chmod +x a.txt; ln -s a.txt link; mkdir -p 'd e/f'; echo x > 'd e/f/ü.txt'; rm b.txt",
    );
    await closeJob(environment, done);
    const tree = ((await rig.artifacts.getJson(done.checkpoint ?? '')) as { tree: string }).tree;
    expect(git(rig.repository, 'rev-parse', `${BRANCH}^{tree}`)).toBe(tree);
    expect(git(rig.repository, 'ls-tree', BRANCH, 'a.txt', 'link')).toMatch(/^100755 .*\n120000 /);
  });
});
