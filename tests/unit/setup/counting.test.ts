import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { collect } from './room.ts';
import type { Ended } from './room.ts';

let folder = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'dual-count-')));
  await cp(join(REPOSITORY_ROOT, 'setup'), join(folder, 'setup'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = async (name: string, content: string): Promise<void> => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
  await chmod(join(folder, name), 0o755);
};
const run = (file: string, args: string[], environment: Record<string, string> = {}): Promise<Ended> => {
  const { DUAL_TALLY_FILE: _, ...rest } = process.env;
  return collect(
    spawn(file, args, { cwd: folder, env: { ...rest, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
};
const lines = (text: string): string[] => text.trimEnd().split('\n');
/** What another program takes for a closing line. */
const CLOSING = /^(\w+: )?\d+ passed, \d+ failed(, \d+ skipped)?$/;

describe('make test counts', () => {
  const addTest = (name: string, body: string): Promise<void> =>
    write(`tests/${name}.test.ts`, `import { it, expect } from '@jest/globals';\n${body}\n`);
  beforeEach(async () => {
    await symlink(join(REPOSITORY_ROOT, 'node_modules'), join(folder, 'node_modules'));
    await cp(join(REPOSITORY_ROOT, 'jest.config.js'), join(folder, 'jest.config.js'));
    await write('package.json', '{"type": "module"}');
    await addTest(
      'unit/good',
      `it('a', () => {}); it('b', () => {}); it.skip('needs a moon', () => {}); it.todo('c');`,
    );
  });

  it('over all runs, naming what was skipped, and keeps a person`s keys out', async () => {
    await addTest('integration/real', `it('d', () => expect(process.env.ANTHROPIC_API_KEY).toBeUndefined());`);
    await addTest('chaos/kill', `it('e', () => {});`);
    const ended = await run(process.execPath, ['setup/test.mjs'], { ANTHROPIC_API_KEY: 'a real key' });
    expect(lines(ended.stdout).filter((line) => CLOSING.test(line))).toEqual(['4 passed, 0 failed, 2 skipped']);
    expect(lines(ended.stdout).at(-1)).toBe('4 passed, 0 failed, 2 skipped');
    expect(ended.stdout).toContain('SKIPPED, so not proven here (2):\n  tests/unit/good.test.ts: needs a moon');
    expect(ended.code).toBe(0);
  });

  it('a failing test, and a file that cannot be loaded, as failures', async () => {
    await addTest('unit/bad', `it('f', () => expect(1).toBe(2));`);
    await addTest('e2e/broken', `import './not-there.ts'; it('g', () => {});`);
    const ended = await run(process.execPath, ['setup/test.mjs']);
    expect(lines(ended.stdout).at(-1)).toBe('2 passed, 2 failed, 2 skipped');
    expect(ended.code).toBe(1);
  });

  it('a test that leaves something running as a failure, instead of waiting for it', async () => {
    await addTest(
      'e2e/leaves',
      `import net from 'node:net'; it('h', (done) => { net.createServer().listen(0, '127.0.0.1', () => done()); });`,
    );
    const ended = await run(process.execPath, ['setup/test.mjs']);
    expect(ended.stdout).toContain('one left something running');
    expect(lines(ended.stdout).at(-1)).toBe('3 passed, 1 failed, 2 skipped');
    expect(ended.code).toBe(1);
  });

  it('a run without any test as a failure', async () => {
    const ended = await run(process.execPath, ['setup/test.mjs', 'tests/unit/nothing-of-that-name']);
    expect(lines(ended.stdout).at(-1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(ended.code).toBe(1);
  });
});

describe('make check', () => {
  const tool = (name: string, code: number): Promise<void> =>
    write(`node_modules/.bin/${name}`, `#!/bin/sh\necho "$(basename "$0") $*" >>"${folder}/calls"\nexit ${code}\n`);
  beforeEach(async () => {
    for (const name of ['prettier', 'eslint', 'tsc', 'depcruise']) await tool(name, 0);
    await write('contracts/names.ts', '');
    await write('bench/results/one.json', '');
  });

  it('runs its four parts, the compiler twice, and directions over the rooms that hold code', async () => {
    const ended = await run(process.execPath, ['setup/check.mjs']);
    expect(lines(await readFile(join(folder, 'calls'), 'utf8'))).toEqual([
      'prettier --check --log-level warn .',
      'eslint . --max-warnings 0',
      'tsc -p .',
      'tsc -p workflows',
      'depcruise --config .dependency-cruiser.cjs contracts',
    ]);
    expect(lines(ended.stdout).at(-1)).toBe('4 passed, 0 failed, 0 skipped');
    expect(ended.code).toBe(0);
  });

  it('goes on after a part that failed', async () => {
    await tool('prettier', 1);
    await tool('tsc', 2);
    const ended = await run(process.execPath, ['setup/check.mjs']);
    expect(lines(await readFile(join(folder, 'calls'), 'utf8'))).toHaveLength(5);
    expect(lines(ended.stdout).at(-1)).toBe('2 passed, 2 failed, 0 skipped');
    expect(ended.code).toBe(1);
  });
});

describe('.ci/run', () => {
  /** `make` of a machine where each target does what this says. */
  const runWith = async (make: string): Promise<Ended> => {
    await cp(join(REPOSITORY_ROOT, '.ci'), join(folder, '.ci'), { recursive: true });
    await write('bin/make', `#!/bin/sh\necho "make $1"\n${make}\n`);
    return run('bash', [join(folder, '.ci', 'run')], { PATH: `${folder}/bin:${process.env['PATH']}`, CI: 'true' });
  };
  const COUNT = 'export TALLY="$DUAL_TALLY_FILE";';

  it('adds up both parts and closes with exactly one line', async () => {
    const ended = await runWith(`${COUNT} [ $1 = check ] && echo '4 0 0' >>"$TALLY" || echo '120 0 3' >>"$TALLY"`);
    expect(lines(ended.stdout)).toEqual(['make check', 'make test', '124 passed, 0 failed, 3 skipped']);
    expect(ended.code).toBe(0);
  });

  it('runs the tests though the check failed, and fails', async () => {
    const ended = await runWith(
      `${COUNT} [ $1 = check ] && { echo '3 1 0' >>"$TALLY"; exit 2; }; echo '7 0 0' >>"$TALLY"`,
    );
    expect(lines(ended.stdout).at(-1)).toBe('10 passed, 1 failed, 0 skipped');
    expect(ended.stdout).toContain('make test');
    expect(ended.code).toBe(1);
  });

  it('counts a part that ended before it could count as one failure', async () => {
    const ended = await runWith(`${COUNT} [ $1 = check ] && echo '4 0 0' >>"$TALLY" || exit 1`);
    expect(lines(ended.stdout).at(-1)).toBe('4 passed, 1 failed, 0 skipped');
    expect(ended.code).toBe(1);
  });

  it('uses the file it names only inside: the parts print no closing line of their own', async () => {
    await write(
      'one.mjs',
      `import { closeWith } from './setup/tally.mjs'; closeWith({ passed: 1, failed: 0, skipped: 0 });`,
    );
    const inside = await run(process.execPath, ['one.mjs'], { DUAL_TALLY_FILE: join(folder, 'tally') });
    expect(inside.stdout).toBe('');
    expect(await readFile(join(folder, 'tally'), 'utf8')).toBe('1 0 0\n');
    expect((await run(process.execPath, ['one.mjs'])).stdout).toBe('1 passed, 0 failed, 0 skipped\n');
  });
});
