import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AcceptedReply, ControlReply } from '../../contracts/replies.ts';
import type { JobResult, TaskResult } from '../../contracts/task.ts';
import { createTemporalEngine } from '../../gateway/adapters/temporal.ts';
import type { TemporalEngine } from '../../gateway/adapters/temporal.ts';
import { fromRoot } from '../../platform/env.ts';
import { createLog } from '../../platform/log.ts';
import { controlOf } from '../../skills/routing/control.ts';
import type { Router } from '../../skills/routing/router.ts';
import { openGateway } from '../fakes/gateway.ts';
import type { TestGateway } from '../fakes/gateway.ts';
import { scriptedActivities } from '../fakes/scripted-activities.ts';
import type { Recorded } from '../fakes/scripted-activities.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../fakes/scripted-router.ts';
import { startTemporal } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers } from '../fakes/workflow-workers.ts';
import type { RunningWorkers } from '../fakes/workflow-workers.ts';

const log = createLog('test', (text) => text, 'error');
const deploy = clauseOf('deploy it', { skill: 'deploy', agent: 'deployment', parameters: { target: 'staging' } });

let temporal: TestWorkflowEnvironment;
let engine: TemporalEngine;
let workers: RunningWorkers;
let recorded: Recorded;
/** As shipped; a minute later; and one where deploying cannot be taken back. */
let gateway: TestGateway;
let later: TestGateway;
let irreversible: TestGateway;
let skillsDir: string;

/** Orders from a table, control words as they are really read. */
const orders = createScriptedRouter({
  deploy: routeOf('dispatch', [deploy]),
  'deploy twice': routeOf('dispatch', [deploy, clauseOf('deploy again', deploy)]),
});
const router: Router = {
  version: orders.version,
  route: async (text) => {
    const control = controlOf(text, ['coding', 'browser', 'deployment']);
    return control ? routeOf('control', [], { ...control }) : orders.route(text);
  },
};

beforeAll(async () => {
  quietRuntime();
  temporal = await startTemporal();
  engine = createTemporalEngine({ environment: { TEMPORAL_ADDRESS: temporal.address }, showUtterance: true, log });
  const scripted = scriptedActivities({ turns: { '*': [{ end: 'it is done' }] } });
  recorded = scripted.recorded;
  workers = await runWorkers(temporal, scripted.activities);
  skillsDir = await mkdtemp(join(tmpdir(), 'skills-'));
  await cp(fromRoot('skills'), skillsDir, { recursive: true });
  const file = join(skillsDir, 'deploy.json');
  const skill = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...skill, approval: { policy: 'always', risk: 'irreversible' } }));
  gateway = await openGateway({ temporal: engine, router });
  later = await openGateway({ temporal: engine, router, now: () => Date.now() + 61_000 });
  irreversible = await openGateway({ temporal: engine, router, skillsDir });
}, 60_000);
afterAll(async () => {
  await Promise.all([gateway.close(), later.close(), irreversible.close()]);
  await workers.stop();
  await engine.close();
  await temporal.teardown();
  await rm(skillsDir, { recursive: true, force: true });
});

const post = async <T>(at: TestGateway, text: string, sessionId: string): Promise<T> => {
  const response = await at.call('/transcript', { text, is_final: true, session_id: sessionId });
  return (await response.json()) as T;
};
const say = async (at: TestGateway, text: string, sessionId: string): Promise<[string, string]> => {
  const { outcome, message } = await post<ControlReply>(at, text, sessionId);
  return [outcome, message];
};
const jobsWaiting = (traceId: string, count = 1): Promise<JobResult[]> =>
  until(async () => {
    const task = (await (await gateway.call(`/trace/${traceId}`)).json()) as TaskResult;
    const waiting = task.jobs.filter((job) => job.waiting !== null);
    return waiting.length === count ? waiting : undefined;
  });
/** Says an order that waits for approval; its trace. */
const order = async (at: TestGateway, text: string, sessionId: string, count = 1): Promise<string> => {
  const { trace_id: traceId } = await post<AcceptedReply>(at, text, sessionId);
  await jobsWaiting(traceId, count);
  return traceId;
};
const over = (traceId: string): Promise<TaskResult> =>
  until(async () => {
    const task = (await (await gateway.call(`/trace/${traceId}`)).json()) as TaskResult;
    return task.completed_at === null ? undefined : task;
  });
const phases = (traceId: string): string[] =>
  recorded.trace.filter((event) => event.trace_id === traceId && event.job_id).map(({ phase }) => phase);

describe('an approval by voice, on a real server', () => {
  it('"approve": the job goes on; status and cost are told before and after', async () => {
    const traceId = await order(gateway, 'deploy', 'yes');
    expect(await say(gateway, "what's the status", 'yes')).toEqual([
      'done',
      'Deployment waits for your approval: start deploy (writes_remote): deploy it. No cost so far.',
    ]);
    expect(await say(gateway, 'yes, approve it', 'yes')).toEqual([
      'done',
      'approved: start deploy (writes_remote): deploy it',
    ]);
    expect((await over(traceId)).status).toBe('succeeded');
    expect(phases(traceId)).toEqual(['approval_requested', 'approved', 'succeeded']);
    expect(await say(gateway, 'approve', 'yes')).toEqual(['nothing', 'no approval waits for an answer']);
    expect(await say(gateway, 'is it finished', 'yes')).toEqual(['done', 'Deployment succeeded. No cost.']);
    expect(await say(gateway, 'how much did that cost', 'yes')).toEqual(['done', 'No cost.']);
  }, 60_000);

  it('"no, reject it": the job is not approved', async () => {
    const traceId = await order(gateway, 'deploy', 'no');
    expect((await say(gateway, 'no, reject it', 'no'))[0]).toBe('done');
    expect((await over(traceId)).jobs[0]?.error).toEqual({
      type: 'ApprovalRejected',
      message: 'not approved: by voice',
    });
    expect(phases(traceId)).toEqual(['approval_requested', 'rejected', 'failed']);
  }, 60_000);

  it('is refused 61 seconds later, from another session, and where it cannot be taken back; nothing goes on', async () => {
    const traceId = await order(gateway, 'deploy', 'late');
    const [outcome, message] = await say(later, 'approve', 'late');
    expect([outcome, message.includes('more than 60 seconds ago')]).toEqual(['nothing', true]);
    expect(message).toContain(`dual approve ${traceId}-1`);
    expect((await say(gateway, 'approve', 'another'))[0]).toBe('nothing');

    const final = await order(irreversible, 'deploy', 'final');
    const [refused, why] = await say(irreversible, 'approve', 'final');
    expect([refused, why.includes('never approved by voice')]).toEqual(['nothing', true]);
    for (const id of [traceId, final]) {
      expect(await jobsWaiting(id)).toHaveLength(1);
      expect(phases(id)).toEqual(['approval_requested']);
    }
    // Said otherwise it counts.
    const approval = { approval_id: (await jobsWaiting(final))[0]?.waiting?.approval_id, decision: 'approve' };
    expect((await gateway.call(`/jobs/${final}-1/approval`, approval)).status).toBe(202);
    expect((await over(final)).status).toBe('succeeded');
    expect(await say(gateway, 'cancel whatever the deployment agent is doing', 'late')).toEqual([
      'done',
      'the deployment job is being stopped',
    ]);
    expect((await over(traceId)).status).toBe('cancelled');
  }, 60_000);

  it('answers one of two only when it is named', async () => {
    const traceId = await order(gateway, 'deploy twice', 'two', 2);
    const [outcome, message] = await say(gateway, 'go ahead', 'two');
    expect([outcome, message]).toEqual([
      'ambiguous',
      'Two questions wait for you: job 1 (deployment): start deploy (writes_remote): deploy it; job 2 (deployment): start deploy (writes_remote): deploy it. Say which job you mean.',
    ]);
    expect((await say(gateway, 'approve the second one', 'two'))[0]).toBe('done');
    expect((await jobsWaiting(traceId))[0]?.job_id).toBe(`${traceId}-1`);
    expect((await say(gateway, 'stop job one', 'two'))[0]).toBe('done');
    expect((await over(traceId)).jobs.map(({ status }) => status)).toEqual(['cancelled', 'succeeded']);
  }, 60_000);
});
