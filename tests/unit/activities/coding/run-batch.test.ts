import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Environment, OpenedSession } from '../../../../activities/environment.ts';
import type { ToolCall } from '../../../../activities/models/model.ts';
import type { BatchWork } from './batch-worker.ts';
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
  runCalls,
  sessionsOnDisk,
  textOf,
  until,
  writeFiles,
} from './coding-fixture.ts';
import type { Rig } from './coding-fixture.ts';

let rig: Rig;
let environment: Environment;
let session: OpenedSession;
const workers: ChildProcess[] = [];

beforeEach(async () => {
  rig = createRig({ 'log.txt': 'start\n', 'src/a.ts': 'export const a = 1;\n', '.gitignore': 'dist/\n' });
  environment = await rig.create();
  session = await openJob(environment);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
  await rig.dispose();
});

/** The tree of the newest workspace, as the host sees it. */
const treeFile = (path: string): string => {
  const folder = join(rig.dataDir, 'coding/open', session.sessionId);
  const newest = Math.max(...readdirSync(folder).map(Number).filter(Number.isInteger));
  return join(folder, String(newest), 'tree', path);
};
const treeOf = async (checkpoint: string | null): Promise<string> =>
  ((await rig.artifacts.getJson(checkpoint ?? '')) as { tree: string }).tree;

/** The same calls without anything going wrong, in a session of another job. */
const undisturbed = async (calls: ToolCall[]): Promise<string> => {
  const jobId = JOB.replace(/1$/, '9');
  const other = await openJob(environment, { jobId });
  const { checkpoint } = await runCalls(environment, other, 1, calls, { jobId });
  await closeJob(environment, { ...other, checkpoint }, 'cancelled', jobId);
  return treeOf(checkpoint);
};

const startWorker = (
  attempt: number,
  calls: ToolCall[],
  sandbox: 'bubblewrap' | 'off' = 'bubblewrap',
): { worker: ChildProcess; answer: Promise<string> } => {
  const work: BatchWork = {
    repository: rig.repository,
    dataDir: rig.dataDir,
    artifacts: rig.artifacts.dir,
    sandbox,
    attempt,
    batch: { sessionId: session.sessionId, jobId: JOB, turn: 1, calls, confirmed: [], checkpoint: session.checkpoint },
  };
  const worker = spawn(process.execPath, [join(import.meta.dirname, 'batch-worker.ts'), JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(worker);
  let text = '';
  worker.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return { worker, answer: once(worker, 'exit').then(() => text) };
};

describe('a batch', () => {
  it('runs its calls in order and answers each', async () => {
    const { results, checkpoint } = await runCalls(environment, session, 1, [
      edit({ command: 'view', path: 'src' }),
      edit({ command: 'str_replace', path: '/workspace/src/a.ts', old_str: '1', new_str: '2' }),
      bash('cat src/a.ts; exit 3'),
      call('search', { text: 'const a', path: 'src' }),
      edit({ command: 'str_replace', path: 'src/a.ts', old_str: 'nope', new_str: 'x' }),
    ]);
    expect(results.map(({ summary, is_error }) => [summary, is_error])).toEqual([
      ['view src', false],
      ['edit src/a.ts', false],
      ['run cat src/a.ts; exit 3 (exit 3)', true],
      ['search "const a" (1 lines)', false],
      ['str_replace src/a.ts: refused', true],
    ]);
    expect(textOf(results[2])).toBe('export const a = 2;\n[exit code 3]');
    expect(textOf(results[3])).toBe('src/a.ts:1:export const a = 2;');
    expect(await rig.artifacts.getJson(checkpoint ?? '')).toMatchObject({
      v: 1,
      kind: 'coding',
      patch: expect.any(String) as unknown,
    });
  });

  it('that changes nothing keeps its checkpoint', async () => {
    const { checkpoint } = await runCalls(environment, session, 1, [
      bash('mkdir dist; echo x > dist/out; echo x > /tmp/x'),
    ]);
    expect(checkpoint).toBe(session.checkpoint);
    const next = await runCalls(environment, session, 2, [bash('cat dist/out /tmp/x')]);
    expect(textOf(next.results[0])).toBe('x\nx\n[exit code 0]');
  });

  it('without calls is no error', async () => {
    expect(await runCalls(environment, session, 1, [])).toEqual({ checkpoint: session.checkpoint, results: [] });
  });

  it('searches what is new and leaves out what is ignored', async () => {
    const { results } = await runCalls(environment, session, 1, [
      bash(
        "mkdir dist; echo 'find $me [x]' | tee dist/no.txt > yes.txt; for i in $(seq 300); do echo 'many lines'; done > many.txt",
      ),
      call('search', { text: 'find $me [x]' }),
      call('search', { text: 'many lines' }),
      call('search', { text: 'no such thing' }),
      call('search', { text: "it's", path: '../..' }),
    ]);
    expect(textOf(results[1])).toBe('yes.txt:1:find $me [x]');
    expect(textOf(results[2]).split('\n')).toHaveLength(201);
    expect(textOf(results[2])).toMatch(/\[100 more lines; .*\]$/);
    expect(textOf(results[3])).toBe('Nothing found.');
    expect(textOf(results[4])).toContain('outside the workspace');
  });

  it('runs neither a command nor a search once its ten minutes are over', async () => {
    const calls = [bash('true'), bash('true'), call('search', { text: 'start' }), edit({ command: 'view', path: '.' })];
    const real = Date.now;
    const clock = jest.spyOn(Date, 'now');
    let begun = 0;
    const progress = (): void => {
      begun += 1;
      if (begun === 2) clock.mockImplementation(() => real() + 601_000);
    };
    try {
      const { results } = await environment.runTools(
        { sessionId: session.sessionId, jobId: JOB, turn: 1, calls, confirmed: [], checkpoint: session.checkpoint },
        { ...control(), progress },
      );
      expect(results.map(({ is_error }) => is_error)).toEqual([false, true, true, false]);
      for (const result of results.slice(1, 3)) expect(textOf(result)).toContain('may take ten minutes in all');
    } finally {
      clock.mockRestore();
    }
  });

  it('tells the model of repositories it made inside', async () => {
    const { results, checkpoint } = await runCalls(environment, session, 1, [
      bash('git init -q inner && echo x > inner/f && ls -a inner'),
    ]);
    expect(textOf(results[0])).toContain('the .git of inner was removed');
    const next = await runCalls(environment, { ...session, checkpoint }, 2, [bash('git status --short')]);
    expect(textOf(next.results[0])).toContain('?? inner/');
  });
});

describe('a batch that is tried again', () => {
  const append = (): ToolCall[] => [
    bash('echo line >> log.txt; mkdir -p dist; echo x >> dist/out; echo x >> /tmp/x'),
    bash('cat log.txt dist/out /tmp/x'),
  ];

  it('has its effects once, though it had finished', async () => {
    const first = await runCalls(environment, session, 1, append());
    const again = await runCalls(environment, session, 1, append(), { attempt: 2 });
    expect(again.checkpoint).toBe(first.checkpoint);
    expect(textOf(again.results[1])).toBe('start\nline\nx\nx\n[exit code 0]');
    expect(textOf(again.results[0])).toContain('put back to its last checkpoint');
  });

  it('has its effects once after an abort in the middle', async () => {
    const controller = new AbortController();
    const calls = [...append(), bash('echo x > dist/asleep; sleep 60')];
    const running = runCalls(environment, session, 1, calls, { signal: controller.signal });
    await until(() => existsSync(treeFile('dist/asleep')));
    const started = Date.now();
    controller.abort(new Error('worker stops'));
    await expect(running).rejects.toThrow('worker stops');
    expect(Date.now() - started).toBeLessThan(2_000);
    const again = await runCalls(environment, session, 1, append(), { attempt: 2 });
    expect(textOf(again.results[1])).toBe('start\nline\nx\nx\n[exit code 0]');
    expect(await treeOf(again.checkpoint)).toBe(await undisturbed(append()));
  });

  it('has its effects once after kill -9 of the worker, and nothing of that one goes on', async () => {
    const { worker, answer } = startWorker(1, [
      bash('echo line >> log.txt'),
      bash('echo half >> log.txt; sleep 600; echo late >> log.txt'),
    ]);
    await until(() => existsSync(treeFile('log.txt')) && readFileSync(treeFile('log.txt'), 'utf8').includes('half'));
    worker.kill('SIGKILL');
    await answer;
    const calls = [bash('echo line >> log.txt'), bash('echo half >> log.txt; echo late >> log.txt')];
    const { checkpoint, results } = await runCalls(environment, session, 1, calls, { attempt: 2 });
    expect(results.map((result) => result.is_error)).toEqual([false, false]);
    expect(readFileSync(treeFile('log.txt'), 'utf8')).toBe('start\nline\nhalf\nlate\n');
    expect(await treeOf(checkpoint)).toBe(await undisturbed(calls));
  });

  it.each(['bubblewrap', 'off'] as const)('wins against a frozen worker that wakes up (%s)', async (sandbox) => {
    const calls = [
      bash('echo line >> log.txt; sleep 1.5; echo half >> log.txt'),
      edit({ command: 'create', path: 'late.txt', file_text: 'written after waking up' }),
      bash('echo late >> log.txt'),
    ];
    const { worker, answer } = startWorker(1, calls, sandbox);
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('line'));
    worker.kill('SIGSTOP');
    const mine = [bash('echo line >> log.txt; echo half >> log.txt'), bash('echo mine >> log.txt')];
    const { checkpoint } = await runCalls(environment, session, 1, mine, { attempt: 2 });
    worker.kill('SIGCONT');
    expect(await answer).toContain('error');
    expect(readFileSync(treeFile('log.txt'), 'utf8')).toBe('start\nline\nhalf\nmine\n');
    expect(existsSync(treeFile('late.txt'))).toBe(false);
    const next = await runCalls(environment, { ...session, checkpoint }, 2, [bash('true')]);
    expect(await treeOf(next.checkpoint)).toBe(await undisturbed(mine));
  });

  it('sets the job’s setup up again', async () => {
    writeFiles(rig.repository, { '.dual/workspace.json': '{"setup": ["mkdir dist && echo installed > dist/lib"]}' });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'recipe');
    session = await openJob(environment, { generation: 2 });
    await runCalls(environment, session, 1, [bash('cat dist/lib; rm dist/lib; echo x > y')]);
    const { results } = await runCalls(environment, session, 1, [bash('cat dist/lib')], { attempt: 2 });
    expect(textOf(results[0])).toContain('installed\n');
  });
});

describe('one attempt at a time', () => {
  it('the newer ends the older, and the older cannot come back', async () => {
    const older = runCalls(environment, session, 2, [bash('echo older >> log.txt; sleep 60')], { attempt: 1 });
    const refused = expect(older).rejects.toMatchObject({ type: 'SessionLost' });
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('older'));
    const { checkpoint } = await runCalls(environment, session, 2, [bash('echo newer >> log.txt')], { attempt: 2 });
    await refused;
    for (const [turn, attempt] of [
      [2, 1],
      [1, 9],
    ] as const)
      await expect(
        runCalls(environment, { ...session, checkpoint }, turn, [bash('true')], { attempt }),
      ).rejects.toMatchObject({ type: 'SessionLost' });
    expect(readFileSync(treeFile('log.txt'), 'utf8')).toBe('start\nnewer\n');
  });

  it('an older one that arrives while a newer one runs is refused at once', async () => {
    const controller = new AbortController();
    const newer = runCalls(environment, session, 1, [bash('echo newer >> log.txt; sleep 60')], {
      attempt: 3,
      signal: controller.signal,
    });
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('newer'));
    await expect(runCalls(environment, session, 1, [bash('true')], { attempt: 2 })).rejects.toThrow(/newer attempt/);
    controller.abort(new Error('enough'));
    await expect(newer).rejects.toThrow('enough');
  });

  it('closing ends what runs', async () => {
    const running = runCalls(environment, session, 1, [bash('echo x >> log.txt; sleep 60')]);
    const lost = expect(running).rejects.toMatchObject({ type: 'SessionLost' });
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('x'));
    await closeJob(environment, session, 'cancelled');
    await lost;
    expect(sessionsOnDisk(rig)).toEqual([]);
  });

  it('dispose ends what runs and leaves the session to the next worker', async () => {
    const running = runCalls(environment, session, 1, [bash('echo x >> log.txt; sleep 60')]);
    const lost = expect(running).rejects.toThrow('stopping');
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('x'));
    await environment.dispose();
    await lost;
    expect(sessionsOnDisk(rig)).toEqual([session.sessionId]);
  });
});

describe('an effect that no reset takes back', () => {
  let server: Server;
  let reached: number;
  /** What the far side does with a connection. */
  let answering: boolean;
  let deploy: string;
  let allowed: Environment;

  beforeEach(async () => {
    reached = 0;
    answering = true;
    server = createServer((socket) => {
      reached += 1;
      socket.on('error', () => undefined);
      if (answering) socket.end('deployed');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    deploy = `cat < /dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port} > receipt.txt; cat receipt.txt; echo deployed >> log.txt`;
    writeFiles(rig.repository, { '.dual/workspace.json': JSON.stringify({ deploy, network: ['example.com:443'] }) });
    git(rig.repository, 'add', '-A');
    git(rig.repository, 'commit', '-q', '-m', 'recipe');
    allowed = await rig.create({ deployAllow: [deploy] });
    session = await openJob(allowed, { generation: 2 });
  });
  afterEach(() => {
    server.close();
  });

  it('is not possible where the operator did not name it', async () => {
    session = await openJob(environment, { generation: 3 });
    const { results } = await runCalls(environment, session, 1, [bash(deploy)]);
    expect(textOf(results[0])).toMatch(/refused|unreachable|Cannot assign/i);
    expect(textOf(results[0])).toContain('is not allowed on this worker (CODING_DEPLOY_ALLOW does not name it)');
    const other = await runCalls(environment, session, 2, [bash(deploy.replace('receipt.txt;', 'other.txt;'))]);
    expect(other.results[0]?.is_error).toBe(false);
    expect(reached).toBe(0);
  });

  it('is had once: a later attempt gets its result and what it left in the tree', async () => {
    const controller = new AbortController();
    const calls = [bash('echo before >> log.txt'), bash(deploy), bash('echo after >> log.txt; sleep 60')];
    const running = runCalls(allowed, session, 1, calls, { signal: controller.signal });
    await until(() => readFileSync(treeFile('log.txt'), 'utf8').includes('after'));
    controller.abort(new Error('stop'));
    await expect(running).rejects.toThrow('stop');
    const again = [...calls.slice(0, 2), bash('cat receipt.txt log.txt')];
    const { results } = await runCalls(allowed, session, 1, again, { attempt: 2 });
    expect(reached).toBe(1);
    expect(textOf(results[1])).toBe('deployed\n[exit code 0]');
    expect(results[1]).toMatchObject({ is_error: false, unknown: false });
    expect(textOf(results[2])).toBe('deployedstart\nbefore\ndeployed\n[exit code 0]');
  });

  it('interrupted in the middle: reported unknown, never repeated', async () => {
    answering = false;
    const controller = new AbortController();
    const calls = [bash('echo before >> log.txt'), bash(deploy), bash('cat log.txt')];
    const running = runCalls(allowed, session, 1, calls, { signal: controller.signal });
    await until(() => reached === 1);
    controller.abort(new Error('stop'));
    await expect(running).rejects.toThrow('stop');
    answering = true;
    const { results } = await runCalls(allowed, session, 1, calls, { attempt: 2 });
    expect(results[1]).toMatchObject({ unknown: true, is_error: true });
    expect(textOf(results[1])).toMatch(/may or may not have had its effect/);
    expect(textOf(results[2])).toBe('start\nbefore\n[exit code 0]');
    expect(reached).toBe(1);
    // Asked for again by the model, in a later turn, it is a new one.
    const later = await runCalls(allowed, session, 2, [bash(deploy)]);
    expect(later.results[0]).toMatchObject({ unknown: false, is_error: false });
    expect(reached).toBe(2);
  });

  it('is known on another host too', async () => {
    answering = false;
    const controller = new AbortController();
    const calls = [bash(deploy)];
    const running = runCalls(allowed, session, 1, calls, { signal: controller.signal });
    await until(() => reached === 1);
    controller.abort(new Error('stop'));
    await expect(running).rejects.toThrow('stop');
    const elsewhere = await rig.create({ dataDir: join(rig.folder, 'other-host'), deployAllow: ['*'] });
    const moved = await openJob(elsewhere, { generation: 3, checkpoint: session.checkpoint });
    const { results } = await runCalls(elsewhere, moved, 1, calls, { attempt: 1 });
    expect(results[0]?.unknown).toBe(true);
    expect(reached).toBe(1);
  });

  it('is any command that may reach a named address, where there is no sandbox', async () => {
    const open = await rig.create({ sandbox: 'off', networkAllow: ['example.com:443'] });
    session = await openJob(open, { generation: 3 });
    writeFileSync(join(rig.folder, 'count'), '');
    const calls = [bash(`echo once >> ${join(rig.folder, 'count')}`)];
    await runCalls(open, session, 1, calls);
    const { results } = await runCalls(open, session, 1, calls, { attempt: 2 });
    expect(results[0]).toMatchObject({ is_error: false, unknown: false });
    expect(readFileSync(join(rig.folder, 'count'), 'utf8')).toBe('once\n');
  });

  it('under bubblewrap, named addresses stay out of reach, and the model is told', async () => {
    const bound = await rig.create({ networkAllow: ['example.com:443'] });
    session = await openJob(bound, { generation: 3 });
    const { results } = await runCalls(bound, session, 1, [bash('true')]);
    expect(textOf(results[0])).toContain('commands have no network');
  });
});
