import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AcceptedReply, FinalReply } from '../../../contracts/replies.ts';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import { JobResult, TaskResult } from '../../../contracts/task.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';

let gateway: TestGateway;
let traceId: string;
const router = createScriptedRouter({ two: routeOf('dispatch', [clauseOf('refactor'), clauseOf('test it')]) });
const say = async (text: string, more: Record<string, unknown> = {}): Promise<FinalReply> =>
  (await (await gateway.call('/transcript', { text, is_final: true, ...more })).json()) as FinalReply;
beforeEach(async () => {
  gateway = await openGateway({ router });
  traceId = ((await say('two')) as AcceptedReply).trace_id;
});
afterEach(() => gateway.close());

const jobOf = (n: number, change: Partial<JobResult> = {}): JobResult => ({
  job_id: `${traceId}-${n}`,
  trace_id: traceId,
  agent: 'coding',
  skill: 'coding',
  status: 'running',
  instruction: 'x',
  summary: '',
  error: null,
  waiting: null,
  branch: null,
  artifacts: [],
  verification: null,
  turns: 1,
  input_tokens: 10,
  output_tokens: 5,
  cost_usd: 0.5,
  cost_source: 'priced',
  rehearsal: false,
  started_at: '2026-11-25T00:00:00.000Z',
  completed_at: null,
  ...change,
});
const taskOf = (jobs: JobResult[], change: Partial<TaskResult> = {}): TaskResult => ({
  trace_id: traceId,
  status: 'running',
  utterance: 'two',
  summary: '',
  jobs,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd: 0,
  artifacts: [],
  started_at: '2026-11-25T00:00:00.000Z',
  completed_at: null,
  ...change,
});
const run = (n?: number) => {
  const found = gateway.engine.runs.get(n === undefined ? voiceTaskId(traceId) : agentJobId(`${traceId}-${n}`));
  if (!found) throw new Error('no such run');
  return found;
};
const task = async (id = traceId): Promise<TaskResult> =>
  TaskResult.parse(await (await gateway.call(`/trace/${id}`)).json());
const job = async (n: number): Promise<JobResult> =>
  JobResult.parse(await (await gateway.call(`/status/${traceId}-${n}`)).json());
const statuses = async (): Promise<string[]> => {
  const { status, jobs } = await task();
  return [status, ...jobs.map((one) => one.status)];
};
const artifact = { sha256: 'a'.repeat(64), name: 'patch', media_type: 'text/x-diff', bytes: 7 };

describe('a task that runs', () => {
  it('is what its jobs say themselves', async () => {
    run().answer = taskOf([jobOf(1), jobOf(2, { status: 'pending', started_at: null })]);
    run(1).answer = { result: jobOf(1, { turns: 7, summary: 'half way', artifacts: [artifact] }), phase: 'x', turn: 7 };
    gateway.engine.runs.delete(agentJobId(`${traceId}-2`));
    const result = await task();
    expect(result).toMatchObject({ status: 'running', completed_at: null, artifacts: [artifact] });
    expect(result.jobs.map(({ status, turns }) => [status, turns])).toEqual([
      ['running', 7],
      ['pending', 1],
    ]);
    expect(await job(1)).toMatchObject({ status: 'running', summary: 'half way' });
    expect(await job(2)).toMatchObject({ status: 'pending', instruction: 'test it', turns: 0 });
  });

  it('waits when one of its jobs does', async () => {
    const waiting = { kind: 'budget', approval_id: 'b', tool: null, summary: 'more?', expires_at: 'later' } as const;
    run().answer = taskOf([jobOf(1), jobOf(2)]);
    run(2).answer = { result: jobOf(2, { status: 'awaiting_approval', waiting }) };
    expect(await statuses()).toEqual(['awaiting_approval', 'running', 'awaiting_approval']);
  });

  it('shows the whole result of a job that is over', async () => {
    run().answer = taskOf([jobOf(1, { status: 'succeeded' }), jobOf(2)]);
    gateway.engine.close(agentJobId(`${traceId}-1`), {
      result: { result: jobOf(1, { status: 'succeeded', summary: 'all of it', artifacts: [artifact] }), commit: null },
    });
    expect((await task()).jobs[0]).toMatchObject({ status: 'succeeded', summary: 'all of it', artifacts: [artifact] });
  });

  it('is told from the bare runs when no worker answers, and nothing is invented', async () => {
    gateway.engine.close(agentJobId(`${traceId}-1`), {
      result: { result: jobOf(1, { status: 'failed' }), commit: null },
    });
    expect(await statuses()).toEqual(['running', 'failed', 'running']);
    expect(await job(2)).toMatchObject({ status: 'running', turns: 0, cost_usd: 0 });
    gateway.engine.runs.delete(agentJobId(`${traceId}-2`));
    expect(await statuses()).toEqual(['running', 'failed', 'pending']);
  });
});

describe('a task that is over', () => {
  it('is its result, with what the jobs left', async () => {
    const done = jobOf(1, { status: 'succeeded', summary: 'short', completed_at: 'x' });
    const unmet = jobOf(2, { status: 'cancelled', started_at: null, cost_usd: 0, input_tokens: 0 });
    gateway.engine.close(agentJobId(`${traceId}-1`), {
      result: { result: { ...done, summary: 'the long version', artifacts: [artifact] }, commit: 'c' },
    });
    gateway.engine.runs.delete(agentJobId(`${traceId}-2`));
    gateway.engine.close(voiceTaskId(traceId), {
      result: taskOf([done, unmet], { status: 'partially_succeeded', summary: 'so so' }),
      closedAt: '2026-11-25T01:00:00.000Z',
    });
    expect(await task()).toMatchObject({
      status: 'partially_succeeded',
      summary: 'so so',
      artifacts: [artifact],
      input_tokens: 10,
      cost_usd: 0.5,
      completed_at: '2026-11-25T01:00:00.000Z',
      jobs: [{ summary: 'the long version' }, { status: 'cancelled' }],
    });
    expect(await job(2)).toMatchObject({ status: 'cancelled' });
  });

  it('has an unknown cost when one of its jobs has', async () => {
    const job1 = jobOf(1, { status: 'succeeded', cost_usd: null, cost_source: 'unknown' });
    gateway.engine.close(voiceTaskId(traceId), { result: taskOf([job1, jobOf(2)], { status: 'succeeded' }) });
    expect((await task()).cost_usd).toBeNull();
  });

  it.each([
    ['terminated', 'failed', 'its workflow was terminated in Temporal'],
    ['timed_out', 'failed', 'its workflow timed out in Temporal'],
    ['cancelled', 'cancelled', 'its workflow was cancelled in Temporal'],
  ] as const)('that was %s is %s, and says so', async (status, outcome, summary) => {
    gateway.engine.close(voiceTaskId(traceId), { status });
    gateway.engine.close(agentJobId(`${traceId}-1`), { status: 'cancelled' });
    gateway.engine.runs.delete(agentJobId(`${traceId}-2`));
    const result = await task();
    expect(result).toMatchObject({ status: outcome, summary });
    expect(result.jobs.map((one) => [one.status, one.error?.message])).toEqual([
      ['cancelled', 'its workflow was cancelled in Temporal'],
      ['cancelled', 'its task ended before it began'],
    ]);
  });

  it('keeps the outcome it had told before it was ended', async () => {
    const { attributes } = run();
    gateway.engine.close(voiceTaskId(traceId), {
      status: 'cancelled',
      attributes: { ...attributes, outcome: 'partially_succeeded' },
    });
    expect((await task()).status).toBe('partially_succeeded');
  });
});

describe('the words', () => {
  it('are whole, though Temporal shows the beginning', async () => {
    const text = `refactor ${'the API and then some '.repeat(20)}`;
    const { trace_id } = await say(text);
    expect(gateway.engine.starts[1]?.summary.length).toBe(200);
    expect((await task(trace_id)).utterance).toBe(text);
  });
});

describe('what started nothing', () => {
  it('is remembered, and found in the trace files after a restart', async () => {
    const { trace_id } = await say('how are you');
    const known = await task(trace_id);
    expect(known).toMatchObject({ status: 'declined', utterance: 'how are you', summary: 'no skill fits', jobs: [] });
    gateway = await gateway.restart();
    expect(await task(trace_id)).toMatchObject({
      status: 'declined',
      utterance: 'how are you',
      summary: 'no skill fits',
    });
  });

  it('and what nobody knows is 404', async () => {
    for (const path of [`/trace/${'0'.repeat(32)}`, `/status/${'0'.repeat(32)}-1`, `/status/${traceId}-3`])
      expect((await gateway.call(path)).status).toBe(404);
  });

  it('is 503 while Temporal is away', async () => {
    gateway.engine.away = true;
    expect((await gateway.call(`/trace/${traceId}`)).status).toBe(503);
    expect((await gateway.call(`/status/${traceId}-1`)).status).toBe(503);
  });
});
