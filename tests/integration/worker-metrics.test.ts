import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TaskResult } from '../../contracts/task.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import { openLab } from '../fakes/lab.ts';
import type { Lab } from '../fakes/lab.ts';
import type { TestProcess } from '../fakes/processes.ts';
import { until } from '../fakes/until.ts';

/** One sentence for an agent without hands: a light worker carries it out in a moment. */
const SENTENCE = 'Summarize what happened today.';

let lab: Lab;
let worker: TestProcess;
let gateway: TestProcess & { url: string };
/** Every task so far. */
const tasks: TaskResult[] = [];

const url = (): string => String(worker.announced['metrics']);

/** `GET` with a Host header of one's own; on a connection of its own, so that none is left open. */
const ask = async (host: string, address = url()): Promise<{ status: number; body: string }> => {
  const request = get(address, { headers: { host }, agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of answer.setEncoding('utf8')) body += String(chunk);
  return { status: answer.statusCode ?? 0, body };
};

/** `name{labels}` to value. */
const seriesOf = (page: string): Map<string, number> =>
  new Map(
    page
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );
const workerPage = async (): Promise<string> => (await ask(new URL(url()).host)).body;

/** What `_trace_events_total` says, by phase. */
const counted = (page: string): Record<string, number> =>
  Object.fromEntries(
    [...seriesOf(page)].flatMap(([name, value]) => {
      const phase = /^dual_orchestrator_trace_events_total\{phase="(\w+)"\}$/.exec(name)?.[1];
      return phase === undefined ? [] : [[phase, value]];
    }),
  );
/** The lines of one life of a process, of whatever day, in the order they were written. */
const linesOf = (process_: string, pid: number): TraceEvent[] =>
  traceFiles(join(lab.dir, 'traces'))
    .filter((file) => basename(file).includes(`.${process_}.${pid}-`))
    .flatMap((file) => readTraceLines(file, 0).lines)
    .map((line) => TraceEvent.parse(JSON.parse(line)));
const byPhase = (events: readonly TraceEvent[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(events, ({ phase }) => phase)].map(([phase, same]) => [phase, same.length]));

const gatewayPage = async (): Promise<string> => {
  const token = (await readFile(join(lab.dir, 'token'), 'utf8')).trim();
  return (await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
};

const say = async (): Promise<TaskResult> => {
  const answer = await lab.post(gateway, '/transcript', { text: SENTENCE, is_final: true });
  expect(answer.status).toBe(202);
  const task = await lab.finished(gateway, ((await answer.json()) as { trace_id: string }).trace_id);
  expect(task).toMatchObject({ status: 'succeeded', jobs: [{ agent: 'summarize', rehearsal: true }] });
  tasks.push(task);
  return task;
};

beforeAll(async () => {
  lab = await openLab({ memory: true });
  [worker, gateway] = await Promise.all([lab.worker({ WORKER_ROLES: 'workflows,models' }), lab.gateway()]);
  await say();
}, 120_000);
afterAll(() => lab.close(), 60_000);

describe("the worker's metrics", () => {
  it('are where its announcement says, on loopback', async () => {
    expect(new URL(url()).hostname).toBe('127.0.0.1');
    const answer = await fetch(url());
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('hold what the specification requires, and what was bought', async () => {
    const page = await workerPage();
    const series = seriesOf(page);
    expect(page).toContain('# TYPE dual_orchestrator_trace_events_total counter');
    expect(page).toContain('# TYPE dual_orchestrator_trace_write_seconds histogram');
    expect([...series.keys()].filter((name) => name.startsWith('dual_orchestrator_build_info'))).toEqual([
      expect.stringMatching(/^dual_orchestrator_build_info\{process="worker",version="\d+\.\d+\.\d+"\}$/),
    ]);
    const tokens = (type: string): number | undefined =>
      [...series].find(([name]) =>
        new RegExp(`^dual_orchestrator_tokens_total\\{agent="summarize",model="[^"]+",type="${type}"\\}$`).test(name),
      )?.[1];
    const bought = (of: 'input_tokens' | 'output_tokens'): number => tasks.reduce((sum, task) => sum + task[of], 0);
    expect(bought('input_tokens')).toBeGreaterThan(0);
    expect({ input: tokens('input'), output: tokens('output') }).toEqual({
      input: bought('input_tokens'),
      output: bought('output_tokens'),
    });
    const ended = linesOf('worker', worker.pid).filter((event) => event.phase === 'succeeded').length;
    expect(ended).toBeGreaterThanOrEqual(tasks.length);
    expect(series.get('dual_orchestrator_job_duration_seconds_count{agent="summarize",outcome="succeeded"}')).toBe(
      ended,
    );
  });

  it("hold Temporal's own beside them, with suffixes and in seconds", async () => {
    const page = await workerPage();
    for (const type of [
      'temporal_workflow_task_execution_latency_seconds histogram',
      'temporal_workflow_endtoend_latency_seconds histogram',
      'temporal_activity_execution_latency_seconds histogram',
      'temporal_workflow_completed_total counter',
      'temporal_request_total counter',
      'temporal_worker_task_slots_available gauge',
    ])
      expect(page).toContain(`# TYPE ${type}\n`);
    expect(page).not.toMatch(/^temporal_\w+_milliseconds/m);
    // The SDK counts a workflow as completed when it has told the server, which may be after everybody else knows.
    await until(async () => {
      const completed = [...seriesOf(await workerPage())].flatMap(([name, value]) => {
        const type = /^temporal_workflow_completed_total\{.*workflow_type="(\w+)"/.exec(name)?.[1];
        return type === undefined ? [] : [[type, value]];
      });
      expect(completed.sort()).toEqual([
        ['agentJob', tasks.length],
        ['voiceTask', tasks.length],
      ]);
      return true;
    }, 5_000);
  });

  it('are for this machine alone: a page that gave us its own name is refused', async () => {
    const { port } = new URL(url());
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, `localhost.:${port}`])
      expect({ host, ...(await ask(host)) }).toEqual({ host, status: 403, body: '' });
    for (const host of [`localhost:${port}`, `[::1]:${port}`, '127.0.0.1'])
      expect({ host, status: (await ask(host)).status }).toEqual({ host, status: 200 });
    expect((await ask(`127.0.0.1:${port}`, new URL('/', url()).href)).status).toBe(404);
    expect((await fetch(url(), { method: 'POST' })).status).toBe(404);
  });
});

describe('counters and trace files', () => {
  it('agree, in worker and gateway, and no line is missing between', async () => {
    for (const [name, pid, page] of [
      ['worker', worker.pid, await workerPage()],
      ['gateway', gateway.pid, await gatewayPage()],
    ] as const) {
      const lines = linesOf(name, pid);
      const series = seriesOf(page);
      expect({ name, ...counted(page) }).toEqual({ name, ...byPhase(lines) });
      expect(series.get('dual_orchestrator_trace_write_seconds_count')).toBe(lines.length);
      expect(series.get('dual_orchestrator_trace_events_dropped_total')).toBe(0);
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at));
    }
    expect(Object.keys(counted(await workerPage())).sort()).toEqual([
      'completed',
      'model_turn',
      'running',
      'succeeded',
    ]);
  });

  it('agree after another task too, which adds no series of ours and no name of its own', async () => {
    const own = async (): Promise<string[]> =>
      [...seriesOf(await workerPage()).keys()].filter((name) => name.startsWith('dual_orchestrator_')).sort();
    const before = await own();
    await say();
    const page = await workerPage();
    expect(counted(page)).toEqual(byPhase(linesOf('worker', worker.pid)));
    expect(counted(page)['completed']).toBeGreaterThanOrEqual(tasks.length);
    expect(await own()).toEqual(before);
    for (const { trace_id } of tasks) expect(page).not.toContain(trace_id);
  });
});
