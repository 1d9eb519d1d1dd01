import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareExampleWorkspace } from '../../../../activities/coding/index.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { bash, closeJob, control, createRig, git, JOB, makeFolder, openJob, runCalls } from './coding-fixture.ts';

const SHIPPED = join(REPOSITORY_ROOT, 'examples/workspace');
const { signal } = new AbortController();
let folder: string;
let source: string;
let target: string;

beforeEach(() => {
  folder = makeFolder();
  source = join(folder, 'source');
  target = join(folder, 'data', 'example-workspace');
  cpSync(SHIPPED, source, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const prepare = (): Promise<string> => prepareExampleWorkspace({ source, target, signal });
const count = (): string => git(target, 'rev-list', '--count', 'main');

describe('the example as a repository', () => {
  it('is made once, with everything but what it ignores', async () => {
    writeFileSync(join(source, 'coverage'), 'not a folder, so not ignored');
    cpSync(join(source, 'src'), join(source, 'node_modules', 'x'), { recursive: true });
    expect(await prepare()).toBe(target);
    expect(await prepare()).toBe(target);
    expect(count()).toBe('1');
    expect(git(target, 'status', '--porcelain')).toBe('');
    expect(git(target, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(git(target, 'log', '-1', '--format=%an|%s')).toBe('dual orchestrator|The example workspace');
    expect(existsSync(join(target, 'src/app.ts'))).toBe(true);
    expect(existsSync(join(target, 'node_modules'))).toBe(false);
    expect(readdirSync(join(folder, 'data'))).toEqual(['example-workspace']);
  });

  it('is made whole when several start at once', async () => {
    expect(await Promise.all([prepare(), prepare(), prepare()])).toEqual([target, target, target]);
    expect(count()).toBe('1');
    expect(readdirSync(join(folder, 'data'))).toEqual(['example-workspace']);
  });

  it('follows the example with a further commit, deletions included', async () => {
    await prepare();
    writeFileSync(join(source, 'NEW.md'), 'new');
    rmSync(join(source, 'README.md'));
    await prepare();
    expect(count()).toBe('2');
    expect(git(target, 'status', '--porcelain')).toBe('');
    expect(existsSync(join(target, 'NEW.md'))).toBe(true);
    expect(existsSync(join(target, 'README.md'))).toBe(false);
  });

  it.each([
    ['uncommitted changes', () => writeFileSync(join(target, 'README.md'), 'mine')],
    ['new files', () => writeFileSync(join(target, 'mine.txt'), 'mine')],
    ['a commit of their own', () => git(target, 'commit', '-q', '--allow-empty', '-m', 'mine')],
    ['another branch', () => git(target, 'checkout', '-q', '-b', 'mine')],
  ])('is left alone when a person has %s', async (_name, change) => {
    await prepare();
    change();
    const before = [git(target, 'rev-parse', 'HEAD'), git(target, 'status', '--porcelain')];
    writeFileSync(join(source, 'NEW.md'), 'new');
    expect(await prepare()).toBe(target);
    expect([git(target, 'rev-parse', 'HEAD'), git(target, 'status', '--porcelain')]).toEqual(before);
  });

  it('does not take a folder that is something else', async () => {
    cpSync(source, target, { recursive: true });
    await expect(prepare()).rejects.toMatchObject({ type: 'BadInput' });
  });
});

it('the shipped example fails in exactly one assertion, and rounding right mends it', async () => {
  const rig = createRig({ unused: 'x' });
  try {
    const repository = await prepareExampleWorkspace({ source: SHIPPED, target: join(rig.folder, 'example'), signal });
    const environment = await rig.create({ repository });
    const session = await openJob(environment);
    const { results, checkpoint } = await runCalls(environment, session, 1, [
      bash('npm test'),
      bash("sed -i 's/Math.floor(/Math.round(/' src/pricing.ts"),
    ]);
    expect(JSON.stringify(results[0]?.content)).toMatch(/ℹ pass 11\\nℹ fail 1\\n/);
    const found = await environment.verify(
      { sessionId: session.sessionId, jobId: JOB, round: 1, checkpoint },
      control(),
    );
    expect(found?.verification).toEqual({
      status: 'passed',
      command: 'npm test',
      before: { exit_code: 1, passed: 11, failed: 1 },
      after: { exit_code: 0, passed: 12, failed: 0 },
      rounds: 1,
    });
    const { branch } = await closeJob(environment, { ...session, checkpoint });
    expect(git(repository, 'diff', '--stat', 'main', branch ?? '')).toContain('src/pricing.ts | 2 +-');
  } finally {
    await rig.dispose();
  }
});
