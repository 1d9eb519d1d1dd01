import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRecordTrace } from '../../activities/record-trace.ts';
import type { AcceptedReply } from '../../contracts/replies.ts';
import { agentJobId, SEARCH_ATTRIBUTES, voiceTaskId } from '../../contracts/names.ts';
import { TaskResult } from '../../contracts/task.ts';
import type { JobResult } from '../../contracts/task.ts';
import { createTemporalEngine } from '../../gateway/adapters/temporal.ts';
import type { TemporalEngine } from '../../gateway/adapters/temporal.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { readServerEvents } from '../../platform/server-events.ts';
import { createTraceLog } from '../../platform/trace-log.ts';
import { openGateway } from '../fakes/gateway.ts';
import type { TestGateway } from '../fakes/gateway.ts';
import { startProcess } from '../fakes/processes.ts';
import { scriptedActivities } from '../fakes/scripted-activities.ts';
import type { Script, Step } from '../fakes/scripted-activities.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../fakes/scripted-router.ts';
import { startTemporal, temporalCli } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers } from '../fakes/workflow-workers.ts';
import type { RunningWorkers } from '../fakes/workflow-workers.ts';

const log = createLog('test', (text) => text, 'error');
const CLOSED_PORT = '127.0.0.1:9';

let temporal: TestWorkflowEnvironment;
let engine: TemporalEngine;
let gateway: TestGateway;
let workers: RunningWorkers | undefined;

const connectTo = (address: string): TemporalEngine =>
  createTemporalEngine({ environment: { TEMPORAL_ADDRESS: address }, showUtterance: true, log });
/** A real router is tested elsewhere: these words mean what they say. */
const router = createScriptedRouter({
  both: routeOf('dispatch', [
    clauseOf('refactor the API'),
    clauseOf('check the site', { skill: 'validate-site', agent: 'browser', parameters: { target: 'staging' } }),
  ]),
  one: routeOf('dispatch', [clauseOf('refactor the API')]),
});

beforeAll(async () => {
  quietRuntime();
  temporal = await startTemporal();
  engine = connectTo(temporal.address);
  gateway = await openGateway({ temporal: engine, router });
}, 60_000);
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});
afterAll(async () => {
  await gateway.close();
  await engine.close();
  await temporal.teardown();
});

/** The real workflows; their trace lines go where the gateway looks for them. */
const play = async (turns: Script['turns']): Promise<void> => {
  const { activities } = scriptedActivities({ turns });
  const metrics = createMetrics('worker', '0');
  const traceLog = createTraceLog({
    dir: join(gateway.dir, 'traces'),
    process: 'worker',
    metrics,
    log,
    scrub: (text) => text,
  });
  const started = await runWorkers(temporal, { ...activities, recordTrace: createRecordTrace({ traceLog, metrics }) });
  workers = {
    stop: async () => {
      await started.stop();
      traceLog.close();
    },
  };
};
const say = async (text: string, more: Record<string, unknown> = {}): Promise<AcceptedReply> => {
  const response = await gateway.call('/transcript', { text, is_final: true, ...more });
  expect(response.status).toBe(202);
  return (await response.json()) as AcceptedReply;
};
const jobsOf = (reply: AcceptedReply): string[] => reply.jobs.map(({ job_id }) => job_id);
const task = async (traceId: string): Promise<TaskResult> =>
  TaskResult.parse(await (await gateway.call(`/trace/${traceId}`)).json());
const over = (traceId: string): Promise<TaskResult> =>
  until(async () => {
    const result = await task(traceId);
    return result.completed_at === null ? undefined : result;
  });
const status = async (path: string, body?: unknown): Promise<number> =>
  (await gateway.call(path, body, body === undefined ? {} : { method: 'POST' })).status;
const ends = (traceId: string): string[] =>
  gateway
    .events(traceId)
    .filter(({ job_id, phase }) => job_id === null && ['completed', 'failed', 'cancelled'].includes(phase))
    .map(({ phase }) => phase);
const DONE: Step[] = [{ tools: ['bash'] }, { end: 'it is done' }];

describe('one sentence', () => {
  it('runs durably, is told live, and stands in lists and metrics afterwards', async () => {
    await play({ '*': DONE });
    const { trace_id } = await say('both', { utterance_id: 'sentence', session_id: 'kitchen' });
    const heard: { event: string; data: string }[] = [];
    const { body } = await gateway.call(`/trace/${trace_id}/events`);
    if (body) for await (const one of readServerEvents(body)) heard.push(one);
    const phases = heard.slice(0, -1).map(({ data }) => (JSON.parse(data) as { phase: string }).phase);
    expect(phases.slice(0, 4)).toEqual(['received', 'routed', 'submitted', 'submitted']);
    expect(phases.slice(4).sort()).toEqual(['completed', 'succeeded', 'succeeded']);
    expect(phases.at(-1)).toBe('completed');
    const last = heard.at(-1);
    expect(last?.event).toBe('done');
    const told = TaskResult.parse(JSON.parse(last?.data ?? ''));
    expect(told).toMatchObject({ status: 'succeeded', utterance: 'both', input_tokens: 400 });
    expect(told.jobs.map((job) => [job.agent, job.status, job.summary])).toEqual([
      ['coding', 'succeeded', 'it is done'],
      ['browser', 'succeeded', 'it is done'],
    ]);
    expect(await task(trace_id)).toEqual(told);
    expect(await (await gateway.call(`/status/${trace_id}-1`)).json()).toEqual(told.jobs[0]);
    expect(ends(trace_id)).toEqual(['completed']);

    const listed = await until(async () => {
      const page = (await (await gateway.call('/traces?status=succeeded&agent=browser')).json()) as {
        traces: { trace_id: string; session_id: string; cost_usd: number }[];
      };
      return page.traces.find((row) => row.trace_id === trace_id);
    });
    expect(listed).toMatchObject({ session_id: 'kitchen', cost_usd: 0, utterance: 'both', status: 'succeeded' });
    expect(await (await gateway.call('/metrics')).text()).toContain(
      'dual_orchestrator_jobs_in_flight{agent="browser"} 0',
    );
  }, 60_000);

  it('shows in Temporal what was said, without opening a payload', async () => {
    const { trace_id } = await say('both', { session_id: 's' });
    const description = await temporal.client.workflow.getHandle(voiceTaskId(trace_id)).describe();
    expect(await description.staticSummary()).toBe('both');
    expect(await description.staticDetails()).toContain('| check the site | validate-site | browser | 0.90 | 0.80 |');
    expect(description.searchAttributes).toMatchObject({ TraceId: [trace_id], SessionId: ['s'], Utterance: ['both'] });
    await temporal.client.workflow.getHandle(voiceTaskId(trace_id)).terminate();
  });
});

describe('the same utterance', () => {
  it('has one winner when two bodies race, and the same reply for ever after', async () => {
    const other = await openGateway({ temporal: engine, router });
    for (let n = 0; n < 20; n++) {
      const [a, b] = await Promise.all([
        gateway.call('/transcript', { text: 'one', is_final: true, utterance_id: `race-${n}` }),
        other.call('/transcript', { text: 'both', is_final: true, utterance_id: `race-${n}` }),
      ]);
      expect([a.status, b.status].sort()).toEqual([202, 409]);
    }
    await other.close();
  }, 30_000);

  it('starts nothing when its run is closed', async () => {
    await play({ '*': DONE });
    const first = await say('one', { utterance_id: 'closed' });
    await over(first.trace_id);
    gateway = await gateway.restart();
    expect(await say('one', { utterance_id: 'closed' })).toEqual(first);
    expect(await status('/transcript', { text: 'both', is_final: true, utterance_id: 'closed' })).toBe(409);
    const { runId } = await temporal.client.workflow.getHandle(voiceTaskId(first.trace_id)).describe();
    expect(runId).toBe((await engine.describe(voiceTaskId(first.trace_id)))?.runId);
    expect(gateway.events(first.trace_id).filter(({ phase }) => phase === 'submitted')).toHaveLength(1);
  });
});

describe('a cursor that is none', () => {
  it('is a mistake of the caller, not of the server', async () => {
    for (const query of ['cursor=bm9uc2Vuc2U', 'cursor=bm9uc2Vuc2U&agent=coding'])
      expect(await status(`/traces?${query}`)).toBe(400);
  });
});

describe('people', () => {
  it('cancel: 202 while it runs, 409 when it is over', async () => {
    await play({ '*': ['hang'] });
    const { trace_id } = await say('both');
    await until(async () => ((await task(trace_id)).jobs.every((job) => job.status === 'running') ? true : undefined));
    expect(await status(`/jobs/${trace_id}-1/cancel`, {})).toBe(202);
    await until(async () => ((await task(trace_id)).jobs[0]?.status === 'cancelled' ? true : undefined));
    expect(await status(`/jobs/${trace_id}-1/cancel`, {})).toBe(409);
    expect(await status(`/trace/${trace_id}/cancel`, { reason: 'enough' })).toBe(202);
    expect(await status(`/trace/${trace_id}/cancel`, {})).toBe(202);
    const result = await over(trace_id);
    expect(result.status).toBe('cancelled');
    expect(result.jobs.map((job) => job.error?.message)).toEqual(['a person cancelled it', 'enough']);
    expect(await status(`/trace/${trace_id}/cancel`, {})).toBe(409);
  }, 60_000);

  it('approve: refused when nothing waits, unconfirmed without a worker, and then it counts once', async () => {
    const expensive: Step[] = [{ tools: ['bash'], costUsd: 100 }, { end: 'rich' }];
    await play({ '*': expensive });
    const reply = await say('one');
    const [jobId = ''] = jobsOf(reply);
    const waiting = await until(async () => {
      const job = (await (await gateway.call(`/status/${jobId}`)).json()) as JobResult;
      return job.waiting ?? undefined;
    });
    expect(waiting.kind).toBe('budget');
    expect((await task(reply.trace_id)).status).toBe('awaiting_approval');
    const wrong = { approval_id: 'another', decision: 'approve' };
    expect(await status(`/jobs/${jobId}/approval`, wrong)).toBe(409);
    await workers?.stop();
    workers = undefined;
    const right = { approval_id: waiting.approval_id, decision: 'reject', note: 'too dear' };
    const unconfirmed = await gateway.call(`/jobs/${jobId}/approval`, right);
    expect([unconfirmed.status, unconfirmed.headers.get('retry-after')]).toEqual([503, '2']);
    await play({ '*': expensive });
    expect(await until(async () => ((await status(`/jobs/${jobId}/approval`, right)) === 202 ? true : undefined))).toBe(
      true,
    );
    const result = await over(reply.trace_id);
    expect(result.jobs[0]?.error).toMatchObject({ type: 'BudgetExceeded' });
    // The same answer again is the same answer, also when its first confirmation was lost; another one comes too late.
    expect(await status(`/jobs/${jobId}/approval`, right)).toBe(202);
    expect(await status(`/jobs/${jobId}/approval`, { ...right, decision: 'approve' })).toBe(409);
  }, 60_000);

  it('add to the budget and steer', async () => {
    await play({ '*': [{ tools: ['bash'], costUsd: 100 }, { end: 'rich' }] });
    const reply = await say('one');
    const [jobId = ''] = jobsOf(reply);
    await until(async () => ((await task(reply.trace_id)).status === 'awaiting_approval' ? true : undefined));
    expect(await status(`/jobs/${jobId}/steer`, { text: 'be brief' })).toBe(202);
    expect(await status(`/jobs/${jobId}/budget`, { add_usd: 200 })).toBe(202);
    expect(await over(reply.trace_id)).toMatchObject({ status: 'succeeded', cost_usd: 100 });
    expect(await status(`/jobs/${jobId}/steer`, { text: 'too late' })).toBe(409);
    expect(await status(`/jobs/${jobId}/budget`, { add_usd: 1 })).toBe(409);
  }, 60_000);
});

describe('without a worker', () => {
  it('takes orders, tells what it knows, and says that it is not ready', async () => {
    const { trace_id } = await say('both');
    const result = await task(trace_id);
    expect(result).toMatchObject({ status: 'running', completed_at: null, utterance: 'both' });
    expect(result.jobs.map((job) => [job.agent, job.status, job.turns])).toEqual([
      ['coding', 'pending', 0],
      ['browser', 'pending', 0],
    ]);
    expect(await status('/health')).toBe(200);
    expect(await status(`/jobs/${trace_id}-1/steer`, { text: 'x' })).toBe(409);
    expect(await status(`/trace/${trace_id}/cancel`, {})).toBe(202);
    await play({ '*': DONE });
    expect((await over(trace_id)).status).toBe('cancelled');
    await until(async () => ((await status('/ready')) === 200 ? true : undefined));
  }, 60_000);

  it('is not ready on a server that no worker ever polled', async () => {
    const bare = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: temporalCli() } },
    });
    const own = connectTo(bare.address);
    try {
      expect(await own.missing()).toEqual([
        'no worker polls dual-workflows (workflows)',
        'no worker polls dual-models (model turns)',
      ]);
      const { customAttributes } = await bare.connection.operatorService.listSearchAttributes({ namespace: 'default' });
      const types = { KEYWORD: 2, DOUBLE: 4 };
      expect(customAttributes).toMatchObject(
        Object.fromEntries(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, types[type]])),
      );
      // Registered by that very look, and usable at once.
      const lone = await openGateway({ temporal: own, router });
      expect((await lone.call('/transcript', { text: 'one', is_final: true })).status).toBe(202);
      await lone.close();
    } finally {
      await own.close();
      await bare.teardown();
    }
  }, 60_000);

  it('names a search attribute that has another type', async () => {
    const bare = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: temporalCli() } },
    });
    const own = connectTo(bare.address);
    try {
      await bare.connection.operatorService.addSearchAttributes({
        namespace: 'default',
        searchAttributes: { Outcome: 3 },
      });
      const [reason] = await until(async () => {
        const reasons = await own.missing();
        return reasons[0]?.includes('another type') ? reasons : undefined;
      });
      expect(reason).toContain('search attribute Outcome is registered with another type');
      expect(reason).toContain('expected KEYWORD');
    } finally {
      await own.close();
      await bare.teardown();
    }
  }, 60_000);
});

describe('a task that ends outside its own code', () => {
  it('gets its last event from the reconciler, when its jobs are over', async () => {
    await play({ '*': ['hang'] });
    const { trace_id } = await say('one');
    await until(async () => ((await task(trace_id)).jobs[0]?.status === 'running' ? true : undefined));
    await temporal.client.workflow.getHandle(voiceTaskId(trace_id)).terminate('by hand');
    const result = await over(trace_id);
    expect(result).toMatchObject({ status: 'failed', summary: 'its workflow was terminated in Temporal' });
    await until(async () => {
      await gateway.gateway.reconciler.pass();
      return ends(trace_id).length > 0 ? true : undefined;
    });
    const job = await temporal.client.workflow.getHandle(agentJobId(`${trace_id}-1`)).describe();
    expect(job.status.name).not.toBe('RUNNING');
    await gateway.gateway.reconciler.pass();
    expect(ends(trace_id)).toEqual(['failed']);
    const inTime = gateway.events(trace_id).sort((a, b) => a.ts.localeCompare(b.ts));
    expect(inTime.map(({ phase }) => phase).slice(-2)).toEqual(['cancelled', 'failed']);
  }, 60_000);
});

describe('while Temporal is away', () => {
  it('refuses orders with 503 in time, and lives', async () => {
    const own = connectTo(CLOSED_PORT);
    const lone = await openGateway({ temporal: own, router });
    try {
      const started = performance.now();
      const refused = await lone.call('/transcript', { text: 'one', is_final: true });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
      expect(await refused.json()).toMatchObject({ type: 'urn:dual:problem:unavailable' });
      expect(performance.now() - started).toBeLessThan(8_000);
      const ready = await lone.call('/ready');
      expect([ready.status, await ready.json()]).toMatchObject([
        503,
        { reasons: [`Temporal does not answer at ${CLOSED_PORT}`] },
      ]);
      expect((await lone.call('/health')).status).toBe(200);
    } finally {
      await lone.close();
      await own.close();
    }
  }, 60_000);
});

describe('the process', () => {
  it('says where it listens, makes its token, and ends on SIGTERM although somebody listens', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gateway-process-'));
    const started = await startProcess(['gateway/main.ts'], {
      DUAL_ENV_FILE: '/dev/null',
      TEMPORAL_ADDRESS: temporal.address,
      WSL_GATEWAY_PORT: '0',
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: join(dir, 'traces'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
    });
    try {
      const { listening, token_file } = started.announced as { listening: string; token_file: string };
      expect(token_file).toBe(join(dir, 'token'));
      expect((await stat(token_file)).mode & 0o777).toBe(0o600);
      const token = (await readFile(token_file, 'utf8')).trim();
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const order = { text: 'refactor the API', is_final: true };
      const body = JSON.stringify(order);
      const accepted = await until(async () => {
        const response = await fetch(`${listening}/transcript`, { method: 'POST', headers, body });
        return response.status === 202 ? ((await response.json()) as AcceptedReply) : undefined;
      });
      const events = await fetch(`${listening}/trace/${accepted.trace_id}/events`, { headers });
      started.kill('SIGTERM');
      await events.text();
      expect(await started.exited).toBe(0);
      expect(started.output()).not.toContain(token);
      await temporal.client.workflow.getHandle(accepted.workflow_id).terminate();
    } finally {
      await started.stop();
      await rm(dir, { recursive: true, force: true });
    }
  }, 60_000);

  it('stops at a malformed setting, naming it and not its value', async () => {
    const failing = startProcess(['gateway/main.ts'], {
      DUAL_ENV_FILE: '/dev/null',
      WSL_GATEWAY_PORT: 'eighty-eighty',
    });
    await expect(failing).rejects.toThrow('ended with 2:\nWSL_GATEWAY_PORT: ');
    await expect(failing).rejects.not.toThrow('eighty-eighty');
  }, 30_000);
});
