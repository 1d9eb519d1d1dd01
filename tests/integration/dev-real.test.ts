import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TaskResult } from '../../contracts/task.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { sendSignal } from '../../dev/processes.ts';
import { readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import { chromiumPath } from '../fakes/browser-bench.ts';
import { allGone, familyOf } from '../fakes/family.ts';
import { expectOneEnd } from '../fakes/one-end.ts';
import { startProcess } from '../fakes/processes.ts';
import type { TestProcess } from '../fakes/processes.ts';
import { temporalCli } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';

/** The stack of `make dev` as people run it, with every real part and rehearsal models, in a folder of its own. */
const SENTENCE = 'Run the tests and fix the one failing assertion.';

let dir: string;
const started: TestProcess[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dual-dev-real-'));
  for (const folder of ['home', 'tmp']) await mkdir(join(dir, folder));
  await writeFile(join(dir, 'settings'), '');
});
afterEach(async () => {
  for (const dev of started.splice(0)) await dev.stop();
  // Nothing, unless the test failed: then what it found to stay must not stay for good.
  for (const { pid } of familyOf(0, dir)) sendSignal(pid, 'SIGKILL');
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
});

/** `node dev/main.ts`, until it says where everything is. A second start finds the same folders and database. */
const startDev = async (): Promise<TestProcess> => {
  const dev = await startProcess(
    ['dev/main.ts'],
    {
      DUAL_ENV_FILE: join(dir, 'settings'),
      HOME: join(dir, 'home'),
      TMPDIR: join(dir, 'tmp'),
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: join(dir, 'traces'),
      TEMPORAL_DB_FILE: join(dir, 'temporal.db'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
      TEMPORAL_CLI_PATH: temporalCli(),
      CHROMIUM_PATH: chromiumPath(),
      // Any free one.
      ...{ TEMPORAL_PORT: '0', WSL_GATEWAY_PORT: '0', WORKER_METRICS_PORT: '0' },
    },
    { until: 'ready ' },
  );
  started.push(dev);
  return dev;
};

const ask = async (dev: TestProcess, path: string, body?: unknown): Promise<Response> =>
  fetch(`${String(dev.announced['gateway'])}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${(await readFile(String(dev.announced['token_file']), 'utf8')).trim()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const taskOf = async (dev: TestProcess, traceId: string): Promise<TaskResult> =>
  (await (await ask(dev, `/trace/${traceId}`)).json()) as TaskResult;

/** Its exit code, or 'late'. */
const within = async (ms: number, dev: TestProcess): Promise<number | null | 'late'> => {
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), ms);
  const code = await Promise.race([dev.exited, late.promise]);
  clearTimeout(timer);
  return code;
};

describe('the real stack', () => {
  it('killed with -9 in the middle of a tool leaves no process; started again it finishes the job, and ends on Ctrl-C', async () => {
    const first = await startDev();
    const answer = await ask(first, '/transcript', { text: SENTENCE, is_final: true });
    expect(answer.status).toBe(202);
    const { trace_id: traceId } = (await answer.json()) as { trace_id: string };

    // The tool at work, and everybody else, whatever group, session or parent they moved to.
    const family = await until(() => {
      const now = familyOf(first.pid, dir);
      return now.some(({ command }) => /\bbwrap .* npm test/.test(command)) ? now : undefined;
    }, 60_000);
    const said = family.map(({ command }) => command).join('\n');
    for (const part of ['temporal server start-dev', 'workers/main', 'gateway/main', 'rehearsal/main', 'guardian.sh'])
      expect(said).toContain(part);
    first.kill('SIGKILL');
    await first.exited;
    await Promise.all([
      allGone(family, 5_000),
      // Nor any that was born in the last moment.
      until(() => familyOf(first.pid, dir).length === 0 || undefined, 5_000),
    ]);
    const before = traceFiles(join(dir, 'traces')).flatMap((file) => readTraceLines(file, 0).lines);
    expect(before.some((line) => line.includes('"phase":"completed"'))).toBe(false);

    const second = await startDev();
    const task = await until(async () => {
      const now = await taskOf(second, traceId);
      return ['pending', 'running'].includes(now.status) ? undefined : now;
    }, 60_000);
    expect(task).toMatchObject({
      status: 'succeeded',
      jobs: [{ agent: 'coding', status: 'succeeded', rehearsal: true, verification: { status: 'passed' } }],
    });
    expectOneEnd(
      traceFiles(join(dir, 'traces'))
        .flatMap((file) => readTraceLines(file, 0).lines)
        .map((line) => TraceEvent.parse(JSON.parse(line)))
        .filter((event) => event.trace_id === traceId),
    );

    const successors = familyOf(second.pid, dir);
    expect(successors.length).toBeGreaterThanOrEqual(5);
    second.kill('SIGINT');
    expect(await within(10_000, second)).toBe(0);
    await allGone(successors, 2_000);
    expect(familyOf(second.pid, dir)).toEqual([]);
  }, 180_000);
});
