import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobStatusAnswer } from '../../contracts/workflows.ts';
import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import type { TaskResult } from '../../contracts/task.ts';
import type { TraceEvent } from '../../contracts/trace-event.ts';
import { activitiesOf, startedActivity } from '../fakes/activity-in-history.ts';
import { chromiumPath } from '../fakes/browser-bench.ts';
import { allGone, familyOf } from '../fakes/family.ts';
import type { Seen } from '../fakes/family.ts';
import { expectOneEnd } from '../fakes/one-end.ts';
import { openLab } from '../fakes/lab.ts';
import type { Lab } from '../fakes/lab.ts';
import { startProcess } from '../fakes/processes.ts';
import type { TestProcess } from '../fakes/processes.ts';
import { until } from '../fakes/until.ts';

const run = promisify(execFile);

interface Requests {
  requests: { provider: string; sha256: string; turn: number | null; outcome: string; fault: string | null }[];
  answered_by_sha256: Record<string, number>;
}

/** One sentence with one coding job that takes a dozen turns: looks, runs tests, mends, runs tests again. */
const SENTENCE = 'Run the tests and fix the one failing assertion.';
/** The seed's own: two jobs side by side. */
const BOTH = 'Refactor the API and validate the staging website.';
const WITHOUT_BROWSER = { WORKER_ROLES: 'workflows,models,coding' };

let lab: Lab;
let site: TestProcess;
let gateway: TestProcess & { url: string };
let worker: TestProcess;
let undisturbed: string;
/** Every trace of this file: what ended stays ended, and is looked at again in the end. */
const over: string[] = [];

const rehearsal = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(lab.rehearsalUrl + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return answer.status === 204 ? null : await answer.json();
};
const requests = async (): Promise<Requests> => (await rehearsal('GET', '/rehearsal/requests')) as Requests;

const submit = async (text = SENTENCE): Promise<{ traceId: string; jobId: string; jobIds: string[] }> => {
  await rehearsal('DELETE', '/rehearsal/requests').catch(() => undefined);
  const answer = await lab.post(gateway, '/transcript', { text, is_final: true });
  expect(answer.status).toBe(202);
  const { trace_id, jobs } = (await answer.json()) as { trace_id: string; jobs: { job_id: string }[] };
  const jobIds = jobs.map(({ job_id }) => job_id);
  return { traceId: trace_id, jobId: jobIds[0] ?? '', jobIds };
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

const endsOnce = (traceId: string): void => {
  over.push(traceId);
  expectOneEnd(lab.events(traceId));
};

/** What must hold after every disturbance of the one coding job. */
const expectUnharmed = async (task: TaskResult, traceId: string, jobId: string): Promise<void> => {
  expect(task).toMatchObject({
    status: 'succeeded',
    jobs: [{ status: 'succeeded', rehearsal: true, verification: { status: 'passed' } }],
  });
  expect(await treeOf(jobId)).toBe(undisturbed);
  // No turn that was answered, and so stored, was asked for again.
  expect(Object.values((await requests()).answered_by_sha256).filter((count) => count > 1)).toEqual([]);
  endsOnce(traceId);
};

/**
 * Kills the worker with -9 while it is at work on an activity of this type. It is halted first, and killed only when
 * the server still waits for that activity and `middle` still holds, so that its answer cannot be under way.
 */
const killDuring = async (
  jobId: string,
  type: string,
  middle: (family: readonly Seen[]) => boolean = () => true,
): Promise<{ activityId: string; family: Seen[] }> => {
  const mark = `dual-browser-${worker.pid}-`;
  const started = (): Promise<string | undefined> => startedActivity(lab.client, agentJobId(jobId), type);
  return until(async () => {
    const activityId = await started();
    if (activityId === undefined || !middle(familyOf(worker.pid))) return undefined;
    worker.kill('SIGSTOP');
    let killed = false;
    try {
      // More than once: an answer that was sent in the last moment has arrived by then.
      for (let look = 0; look < 3; look += 1) if ((await started()) !== activityId) return undefined;
      const family = familyOf(worker.pid, mark);
      if (!middle(family)) return undefined;
      worker.kill('SIGKILL');
      killed = true;
      await worker.exited;
      return { activityId, family };
    } finally {
      if (!killed) worker.kill('SIGCONT');
    }
  }, 60_000);
};

const turnsTriedAgain = (traceId: string, phase: TraceEvent['phase']): unknown[] => [
  ...new Set(
    lab
      .events(traceId)
      .filter((event) => event.phase === phase && (event.attempt ?? 0) > 1)
      .map((event) => event.payload['turn']),
  ),
];

beforeAll(async () => {
  site = await startProcess(['examples/site/serve.mjs'], { PORT: '0' });
  lab = await openLab({
    stagingUrl: String(site.announced['listening']),
    worker: { CHROMIUM_PATH: chromiumPath() },
  });
  [worker, gateway] = await Promise.all([lab.worker(WITHOUT_BROWSER), lab.gateway()]);
  const { traceId, jobId } = await submit();
  const task = await lab.finished(gateway, traceId);
  expect(task.summary).toContain('rehearsal');
  undisturbed = await treeOf(jobId);
}, 180_000);
afterAll(async () => {
  try {
    for (const traceId of over) expectOneEnd(lab.events(traceId));
  } finally {
    await site.stop();
    await lab.close();
  }
}, 60_000);

describe('kill -9', () => {
  it('of the worker in the middle of a model turn: the job goes on by itself, and that turn alone is asked again', async () => {
    await rehearsal('POST', '/rehearsal/faults', { kind: 'slow', nth: 3, delay_ms: 5_000 });
    const { traceId, jobId } = await submit();
    await until(async () => (await requests()).requests.find(({ fault, outcome }) => fault && outcome === 'open'));
    await killDuring(jobId, 'modelTurn');
    worker = await lab.worker(WITHOUT_BROWSER);
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
    const cut = (await requests()).requests.flatMap(({ outcome }, at) => (outcome === 'cut' ? [at + 1] : []));
    expect(cut).toEqual([3]);
    expect(turnsTriedAgain(traceId, 'model_turn')).toEqual([3]);
    const third = lab.events(traceId).find((event) => event.phase === 'model_turn' && event.payload['turn'] === 3);
    expect(third).toMatchObject({ attempt: 2, payload: { uncertain_requests: 1 } });
  }, 120_000);

  it('of the worker in the middle of a tool: the tool ends with it, the batch is undone and done again', async () => {
    const { traceId, jobId } = await submit();
    const tools = (family: readonly Seen[]): Seen[] => family.filter(({ command }) => /\bnpm test\b/.test(command));
    const { activityId, family } = await killDuring(jobId, 'runTools', (now) => tools(now).length > 0);
    expect(tools(family)).not.toEqual([]);
    const [next] = await Promise.all([lab.worker(WITHOUT_BROWSER), allGone(family, 2_000)]);
    worker = next;
    await expectUnharmed(await lab.finished(gateway, traceId), traceId, jobId);
    const batches = (await activitiesOf(lab.client, agentJobId(jobId))).filter(({ type }) => type === 'runTools');
    const batch = batches.find((activity) => activity.activityId === activityId);
    // A successor that was slow to start finds the session given up, and the batch is a new activity in a new session.
    if (batch?.end !== 'completed') expect(batch).toMatchObject({ end: 'timed out' });
    else {
      expect(batch.attempt).toBeGreaterThan(1);
      expect(turnsTriedAgain(traceId, 'tool_call')).toHaveLength(1);
    }
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

  it('of the worker that holds a browser at work: no process of it stays, a new session is opened, both jobs succeed', async () => {
    await worker.stop();
    worker = await lab.worker();
    const { traceId, jobIds } = await submit(BOTH);
    const [, browserJob = ''] = jobIds;
    const { pid } = worker;
    const { activityId, family } = await killDuring(browserJob, 'runTools');
    expect(family.filter(({ command }) => command.includes('--type=renderer'))).not.toEqual([]);
    const [next] = await Promise.all([lab.worker(), allGone(family, 5_000)]);
    worker = next;

    expect(await lab.finished(gateway, traceId)).toMatchObject({
      status: 'succeeded',
      jobs: [
        { agent: 'coding', status: 'succeeded', verification: { status: 'passed' } },
        { agent: 'browser', status: 'succeeded' },
      ],
    });
    endsOnce(traceId);

    const activities = await activitiesOf(lab.client, agentJobId(browserJob));
    expect(activities.filter(({ type }) => type === 'openSession').map(({ end }) => end)).toEqual([
      'completed',
      'completed',
    ]);
    // Its successor reports the loss; where that is slow, Temporal itself finds out.
    expect(activities.find((activity) => activity.activityId === activityId)?.end).toMatch(/^(failed|timed out)$/);
    // What the model had answered before the loss was kept.
    const asked = (await requests()).requests.filter(
      ({ provider, outcome }) => provider === 'gemini' && outcome === 'answered',
    );
    expect(asked).toHaveLength(new Set(asked.map(({ sha256 }) => sha256)).size);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`dual-browser-${pid}-`))).toEqual([]);
  }, 180_000);
});
