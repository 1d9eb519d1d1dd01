import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Environment, OpenedSession } from '../../../../activities/environment.ts';
import type { Verification } from '../../../../contracts/task.ts';
import {
  bash,
  closeJob,
  control,
  createRig,
  edit,
  git,
  JOB,
  openJob,
  runCalls,
  SECRET_OF_OURS,
  textOf,
  until,
  writeFiles,
} from './coding-fixture.ts';
import type { Rig } from './coding-fixture.ts';

const TEST = `import { it } from 'node:test';
import assert from 'node:assert/strict';
import { a, b } from './code.js';
it('a', () => assert.equal(a, 1));
it('b', () => assert.equal(b, 2));
`;
/** `b` is wrong: one test passes, one fails. */
const FILES = {
  'package.json': '{"type": "module", "scripts": {"test": "node --test"}}',
  'code.js': 'export const a = 1;\nexport const b = 1;\n',
  'code.test.js': TEST,
};

let rig: Rig;
let environment: Environment;
let session: OpenedSession;
afterEach(() => rig.dispose());

const start = async (files: Record<string, string>): Promise<void> => {
  rig = createRig(files);
  environment = await rig.create();
  session = await openJob(environment);
};
const verify = async (round = 1): Promise<{ verification: Verification; note: string }> => {
  const found = await environment.verify(
    { sessionId: session.sessionId, jobId: JOB, round, checkpoint: session.checkpoint },
    control(),
  );
  if (!found) throw new Error('nothing verified');
  return found;
};
const write = async (turn: number, path: string, text: string): Promise<void> => {
  const { checkpoint } = await runCalls(environment, session, turn, [
    edit({ command: 'create', path, file_text: text }),
  ]);
  session = { ...session, checkpoint };
};

describe('verifying a change', () => {
  beforeEach(() => start(FILES));

  it('runs nothing when nothing changed', async () => {
    expect(await verify()).toEqual({
      verification: { status: 'unchanged', command: 'npm test', before: null, after: null, rounds: 1 },
      note: '',
    });
  });

  it('passes, with the failing run before it as evidence', async () => {
    await write(1, 'code.js', 'export const a = 1;\nexport const b = 2;\n');
    expect(await verify()).toEqual({
      verification: {
        status: 'passed',
        command: 'npm test',
        before: { exit_code: 1, passed: 1, failed: 1 },
        after: { exit_code: 0, passed: 2, failed: 0 },
        rounds: 1,
      },
      note: '',
    });
    const { artifacts } = await closeJob(environment, session);
    expect(artifacts.map(({ name }) => name)).toEqual([
      `${JOB}.patch`,
      `${JOB}-tests-after-1.txt`,
      `${JOB}-tests-before.txt`,
    ]);
    const before = await rig.artifacts.get(artifacts[2]?.sha256 ?? '');
    expect(before.toString()).toContain('1 !== 2');
  });

  it('is not worse when as much fails as before', async () => {
    await write(1, 'notes.txt', 'nothing to do with it');
    const { verification, note } = await verify();
    expect(verification.status).toBe('not_worse');
    expect(note).toContain('1 passed, 1 failed');
  });

  it('fails when more fails than before, and says what; mended, it passes in the next round', async () => {
    await write(1, 'code.js', 'export const a = 0;\nexport const b = 0;\n');
    const { verification, note } = await verify();
    expect(verification).toMatchObject({
      status: 'failed',
      before: { failed: 1 },
      after: { exit_code: 1, passed: 0, failed: 2 },
    });
    expect(note).toMatch(
      /^`npm test` fails after your changes \(exit 1, 0 passed, 2 failed\); before them: exit 1, 1 passed, 1 failed\./,
    );
    expect(note).toContain('0 !== 1');
    expect(note.length).toBeLessThanOrEqual(4_000);
    await write(2, 'code.js', 'export const a = 1;\nexport const b = 2;\n');
    expect((await verify(2)).verification).toMatchObject({ status: 'passed', rounds: 2 });
  });

  it('keeps the end of a long output for the model', async () => {
    await write(1, 'package.json', `{"type": "module", "scripts": {"test": "seq 20000; echo the end; exit 1"}}`);
    const { note } = await verify();
    expect(note).toHaveLength(4_000);
    expect(note).toMatch(/the end$/);
  });

  it('tells and keeps no secret of ours that a test prints', async () => {
    const print = `console.log('${SECRET_OF_OURS}', Buffer.from('${SECRET_OF_OURS}').toString('base64'));`;
    await write(1, 'code.js', `${print}\nexport const a = 0;\nexport const b = 0;\n`);
    const { note } = await verify();
    expect(note).toContain('[secret]');
    const kept = readdirSync(rig.artifacts.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    const outputs = kept.filter((text) => text.includes('failing tests'));
    expect(outputs.length).toBeGreaterThan(0);
    for (const text of [note, ...outputs]) {
      expect(text).not.toContain(SECRET_OF_OURS);
      expect(text).not.toContain(Buffer.from(SECRET_OF_OURS).toString('base64'));
    }
  });

  it('runs the base once for each commit and command', async () => {
    await write(1, 'code.js', 'export const a = 1;\nexport const b = 2;\n');
    await verify();
    const [name = ''] = readdirSync(join(rig.artifacts.dir, 'refs/baselines'));
    await rig.artifacts.setRef(`baselines/${name.replace('.json', '')}`, { exit_code: 9, passed: 7, failed: 8 });
    expect((await verify(2)).verification.before).toEqual({ exit_code: 9, passed: 7, failed: 8 });
  });

  it('is not part of the job: what the tests leave is gone in the next batch', async () => {
    await write(1, 'code.test.js', `import fs from 'node:fs';\nfs.writeFileSync('left.txt', 'x');\n${TEST}`);
    await verify();
    const { results } = await runCalls(environment, session, 2, [bash('ls left.txt')]);
    expect(textOf(results[0])).toContain('No such file');
    const { branch } = await closeJob(environment, session);
    expect(git(rig.repository, 'ls-tree', '--name-only', branch ?? '')).not.toContain('left.txt');
  });

  it('runs the command of the base commit, whatever the model made of it', async () => {
    await write(1, '.dual/workspace.json', '{"verify": "true"}');
    expect((await verify()).verification).toMatchObject({ command: 'npm test', after: { exit_code: 1 } });
  });

  it('ends on abort within two seconds and can be asked again', async () => {
    await write(1, 'code.test.js', `await new Promise((resolve) => setTimeout(resolve, 60_000));\n`);
    const controller = new AbortController();
    const request = { sessionId: session.sessionId, jobId: JOB, round: 1, checkpoint: session.checkpoint };
    let said = '';
    const running = environment.verify(request, {
      signal: controller.signal,
      attempt: 1,
      progress: (message) => (said = message),
    });
    await until(() => said.startsWith('after the change'));
    const started = Date.now();
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(Date.now() - started).toBeLessThan(2_000);
    await write(2, 'code.test.js', `${TEST}// mended\n`);
    expect((await verify()).verification.status).toBe('not_worse');
  });
});

it('a repository without tests has nothing to run, until the change brings some', async () => {
  await start({ 'readme.txt': 'x' });
  await write(1, 'a.txt', 'a');
  expect(await verify()).toEqual({
    verification: { status: 'no_command', command: null, before: null, after: null, rounds: 1 },
    note: '',
  });
  await write(2, 'Makefile', 'test:\n\ttrue\n');
  expect((await verify(2)).verification).toMatchObject({ status: 'passed', command: 'make test', before: null });
});

it('the recipe’s command, setup and variables count for both runs', async () => {
  await start({
    'a.txt': 'a',
    '.dual/workspace.json':
      '{"verify": "cat dist/made && test \\"$WORD\\" = good && grep -q new a.txt", "setup": ["mkdir dist && echo yes > dist/made"], "env": {"WORD": "good"}}',
    '.gitignore': 'dist/\n',
  });
  await write(1, 'a.txt', 'new');
  expect((await verify()).verification).toMatchObject({
    status: 'passed',
    before: { exit_code: 1, passed: null, failed: null },
    after: { exit_code: 0 },
  });
  const folder = join(rig.dataDir, 'coding/open', session.sessionId);
  expect(existsSync(join(folder, 'before'))).toBe(false);
  writeFiles(rig.folder, { 'untouched.txt': 'x' });
  expect(readFileSync(join(rig.repository, 'a.txt'), 'utf8')).toBe('a');
});
