import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import type { FakeGateway } from '../fakes/gateway-server.ts';
import {
  accepted,
  doneText,
  eventText,
  reply,
  startFakeGateway,
  stream,
  taskResult,
  traceEvent,
  TRACE_ID,
} from '../fakes/gateway-server.ts';

/** The command line as a process of its own, as people and programs run it. */
const MAIN = join(REPOSITORY_ROOT, 'cli/main.ts');

let dir: string;
let gateway: FakeGateway | undefined;
const children = new Set<ChildProcess>();
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-cli-'));
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  children.clear();
  await gateway?.close();
  gateway = undefined;
  rmSync(dir, { recursive: true, force: true });
});

const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  DUAL_ENV_FILE: '/dev/null',
  GATEWAY_TOKEN: 'x',
  ...(gateway ? { WSL_GATEWAY_URL: gateway.url } : {}),
  ...more,
});
const run = (
  argv: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...argv], { env: environment(env), cwd: '/' }, (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
    children.add(child);
  });
const start = (argv: string[], env: Record<string, string> = {}): ChildProcess => {
  const child = spawn(process.execPath, [MAIN, ...argv], { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  return child;
};
/** Resolves when the stream has said the words. */
const said = (child: ChildProcess, words: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
    child.once('exit', () => reject(new Error(`ended before it said "${words}": ${text}`)));
  });

describe('dual as a process', () => {
  it('its exit code is the outcome, its standard output the answer', async () => {
    gateway = await startFakeGateway({
      'POST /transcript': reply(accepted, 202),
      [`GET /trace/${TRACE_ID}/events`]: stream(eventText(traceEvent(1)) + doneText),
      [`GET /trace/${TRACE_ID}`]: reply(taskResult({ status: 'partially_succeeded' })),
    });
    const { code, out, err } = await run(['say', 'run the tests', '--json']);
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({ trace_id: TRACE_ID, status: 'partially_succeeded' });
    expect((await run(['say'])).code).toBe(2);
  });

  it('nobody there: 3, and how to begin', async () => {
    const nobody = await startFakeGateway({});
    await nobody.close();
    const { code, err } = await run(['traces'], { WSL_GATEWAY_URL: nobody.url });
    expect(code).toBe(3);
    expect(err).toContain('make dev');
  });

  it('Ctrl-C while it waits: the task goes on, and it says how', async () => {
    gateway = await startFakeGateway({
      'POST /transcript': reply(accepted, 202),
      [`GET /trace/${TRACE_ID}/events`]: stream(eventText(traceEvent(1)), 'hang'),
      [`GET /trace/${TRACE_ID}`]: reply(taskResult({ status: 'running' })),
    });
    const child = start(['say', 'run the tests']);
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    await said(child, 'step 1');
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(err).toContain(`dual trace ${TRACE_ID} --wait`);
    expect(gateway.asked.filter(({ method }) => method === 'POST').length).toBe(1);
  });

  it('a reader that goes away is no error', async () => {
    const child = spawn(
      'sh',
      ['-c', `"$0" "$1" route --json hello hello hello hello | head -n 1`, process.execPath, MAIN],
      {
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    children.add(child);
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    await said(child, '"decision":"decline"');
    await once(child, 'close');
    expect(err).toBe('');
  });

  it('a big answer into a pipe arrives whole', async () => {
    const jobs = Array.from({ length: 8 }, () => ({ ...taskResult().jobs[0], summary: 'x'.repeat(100_000) }));
    gateway = await startFakeGateway({ [`GET /trace/${TRACE_ID}`]: reply({ ...taskResult(), jobs }) });
    const { out } = await run(['trace', TRACE_ID, '--json']);
    expect(JSON.parse(out)).toMatchObject({ jobs: { length: 8 } });
  });

  it('works from any folder, and reads standard input line by line', async () => {
    const child = spawn(process.execPath, [MAIN, 'route', '--json'], {
      cwd: '/',
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.add(child);
    child.stdin.write('run the tests\n');
    await said(child, '"skill":"run-tests"');
    child.stdin.end('hello\n');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
  });
});

describe('dual traces import, by several at once', () => {
  it('loses nothing and doubles nothing', async () => {
    const traceDir = join(dir, 'traces');
    mkdirSync(traceDir);
    const env = { TRACE_DIR: traceDir, TRACE_SQLITE_PATH: join(dir, 'traces.db') };
    for (let file = 0; file < 20; file++) {
      const events = Array.from({ length: 500 }, (_, i) => `${JSON.stringify(traceEvent(file * 500 + i))}\n`);
      appendFileSync(join(traceDir, `2026-11-25.worker.${file}.jsonl`), events.join(''));
    }
    const runs = await Promise.all([1, 2, 3].map(() => run(['traces', 'import', '--json'], env)));
    expect(runs.map(({ code, err }) => [code, err])).toEqual([1, 2, 3].map(() => [0, '']));
    const events = runs.map(({ out }) => (JSON.parse(out) as { events: number }).events);
    expect(events.reduce((sum, count) => sum + count, 0)).toBe(10_000);
  }, 60_000);
});

describe('dual traces import, killed again and again', () => {
  it('loses nothing and doubles nothing', async () => {
    const traceDir = join(dir, 'traces');
    mkdirSync(traceDir);
    const database = join(dir, 'traces.db');
    const env = { TRACE_DIR: traceDir, TRACE_SQLITE_PATH: database };
    let made = 0;
    /** `count` events into `name`, some of them twice, and a torn line at the end. */
    const write = (name: string, count: number): void => {
      let text = '';
      for (let i = 0; i < count; i++) {
        const line = `${JSON.stringify(traceEvent(made++, { payload: { summary: 'x'.repeat(300) } }))}\n`;
        text += i % 10 === 0 ? line + line : line;
      }
      appendFileSync(join(traceDir, name), `${text}{"v":1,"torn`);
      appendFileSync(join(traceDir, name), '\n');
    };
    for (let kill = 0; kill < 8; kill++) {
      write(`2026-11-25.worker.${kill % 3}.jsonl`, 6_000);
      const child = start(['traces', 'import'], env);
      // From before it has opened the database to after it has ended: each kill somewhere else.
      const timer = setTimeout(() => child.kill('SIGKILL'), 250 + kill * 90);
      await once(child, 'close');
      clearTimeout(timer);
    }
    const last = await run(['traces', 'import', '--json'], env);
    expect([last.code, last.err]).toEqual([0, '']);
    const reader = new DatabaseSync(database, { readOnly: true });
    try {
      const count = (sql: string): number => Number(reader.prepare(sql).get()?.['n']);
      expect(count('SELECT count(*) AS n FROM events')).toBe(made);
      expect(count('SELECT count(*) AS n FROM import_errors')).toBe(8);
      expect(reader.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    } finally {
      reader.close();
    }
    expect(JSON.parse((await run(['traces', 'import', '--json'], env)).out)).toMatchObject({
      events: 0,
      unreadable: 0,
    });
  }, 120_000);
});
