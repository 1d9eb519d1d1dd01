import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobStatusAnswer } from '../../contracts/workflows.ts';
import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import type { TaskResult } from '../../contracts/task.ts';
import { openLab } from '../fakes/lab.ts';
import type { Lab } from '../fakes/lab.ts';
import type { TestProcess } from '../fakes/processes.ts';
import { until } from '../fakes/until.ts';

const run = promisify(execFile);

interface Requests {
  requests: { sha256: string; turn: number | null; outcome: string; at: string }[];
  answered_by_sha256: Record<string, number>;
}

/** One sentence with one coding job that takes a dozen turns: looks, runs tests, mends, runs tests again. */
const SENTENCE = 'Run the tests and fix the one failing assertion.';

let lab: Lab;
let gateway: TestProcess & { url: string };
let worker: TestProcess;
let undisturbed: string;

const rehearsal = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(lab.rehearsalUrl + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return answer.status === 204 ? null : await answer.json();
};
const requests = async (): Promise<Requests> => (await rehearsal('GET', '/rehearsal/requests')) as Requests;

const submit = async (): Promise<{ traceId: string; jobId: string }> => {
  await rehearsal('DELETE', '/rehearsal/requests').catch(() => undefined);
  const answer = await lab.post(gateway, '/transcript', { text: SENTENCE, is_final: true });
  expect(answer.status).toBe(202);
  const { trace_id, jobs } = (await answer.json()) as { trace_id: string; jobs: { job_id: string }[] };
  return { traceId: trace_id, jobId: jobs[0]?.job_id ?? '' };
};

const treeOf = async (jobId: string): Promise<string> => {
  const { stdout } = await run('git', [
    '-C',
    join(lab.dir, 'data/example-workspace'),
    'rev-parse',
    `dual/${jobId}^{tree}`,
  ]);
  return stdout.trim();
};

const phaseOf = async (jobId: string): Promise<string> =>
  (await lab.client.workflow.getHandle(agentJobId(jobId)).query<JobStatusAnswer>('status')).phase;

/** What must hold after every disturbance. */
const expectUnharmed = async (task: TaskResult, traceId: string, jobId: string): Promise<void> => {
  expect(task).toMatchObject({
    status: 'succeeded',
    jobs: [{ status: 'succeeded', rehearsal: true, verification: { status: 'passed' } }],
  });
  expect(await treeOf(jobId)).toBe(undisturbed);
  // No turn that was answered, and so stored, was asked for again.
  expect(Object.values((await requests()).answered_by_sha256).filter((count) => count > 1)).toEqual([]);
  const terminal = lab
    .events(traceId)
    .filter((event) => event.job_id === null && ['completed', 'failed', 'cancelled'].includes(event.phase));
  expect(new Set(terminal.map((event) => event.event_id)).size).toBe(1);
  expect(terminal[0]?.phase).toBe('completed');
};

beforeAll(async () => {
  lab = await openLab();
  [worker, gateway] = await Promise.all([lab.worker({ WORKER_ROLES: 'workflows,models,coding' }), lab.gateway()]);
  const { traceId, jobId } = await submit();
  const task = await lab.finished(gateway, traceId);
  expect(task.summary).toContain('rehearsal');
  undisturbed = await treeOf(jobId);
}, 180_000);
afterAll(() => lab.close(), 60_000);

describe('kill -9', () => {
  it('of the worker in the middle of a model turn: the job goes on by itself', async () => {
    await rehearsal('POST', '/rehearsal/faults', { kind: 'slow', nth: 3, delay_ms: 1_500 });
    const { traceId, jobId } = await submit();
    await until(async () => (await requests()).requests.find((request) => request.outcome === 'open'));
    worker.kill('SIGKILL');
    await worker.exited;
    worker = await lab.worker({ WORKER_ROLES: 'workflows,models,coding' });
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
    expect((await requests()).requests.some((request) => request.outcome === 'cut')).toBe(true);
  }, 120_000);

  it('of the worker in the middle of a tool: the batch is undone and done again', async () => {
    const { traceId, jobId } = await submit();
    await until(async () => ((await phaseOf(jobId)).includes('test') ? true : undefined), 60_000);
    worker.kill('SIGKILL');
    await worker.exited;
    worker = await lab.worker({ WORKER_ROLES: 'workflows,models,coding' });
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
  }, 120_000);

  it('of the gateway right after its 202: the task runs, and a new gateway knows it', async () => {
    const { traceId, jobId } = await submit();
    gateway.kill('SIGKILL');
    await gateway.exited;
    await lab.client.workflow.getHandle(voiceTaskId(traceId)).result();
    gateway = await lab.gateway();
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
  }, 120_000);

  it('of Temporal itself, a second away: everything goes on where it was', async () => {
    const { traceId, jobId } = await submit();
    await until(async () => ((await phaseOf(jobId)).includes('turn') ? true : undefined));
    await lab.restartTemporal(1_000);
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
  }, 180_000);
});
