import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/activity';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { agentJobId } from '../../contracts/names.ts';
import type { JobOutput, JobStatusAnswer } from '../../contracts/workflows.ts';
import { hang, scriptedActivities } from '../fakes/scripted-activities.ts';
import type { Recorded, Script } from '../fakes/scripted-activities.ts';
import { taskInput } from '../fakes/task.ts';
import { startTemporal } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers, startTask } from '../fakes/workflow-workers.ts';
import type { RunningWorkers } from '../fakes/workflow-workers.ts';

let temporal: TestWorkflowEnvironment;
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  quietRuntime();
  temporal = await startTemporal();
}, 60_000);
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});
afterAll(() => temporal.teardown());

const play = async (script: Script, ownerQueues?: string[]): Promise<Recorded> => {
  const { activities, recorded } = scriptedActivities(script);
  workers = await runWorkers(temporal, activities, ownerQueues);
  return recorded;
};

const jobStatus = (jobId: string): Promise<JobStatusAnswer> =>
  temporal.client.workflow.getHandle(agentJobId(jobId)).query<JobStatusAnswer>('status');
const waitingOf = async (jobId: string) =>
  until(async () => {
    const { waiting } = await jobStatus(jobId);
    return waiting ?? undefined;
  });

describe('a task', () => {
  it('fans out, fans in, totals tokens and cost, and says so once', async () => {
    const recorded = await play({
      turns: {
        '*': [
          { tools: ['bash'], costUsd: 0.5 },
          { end: 'done', costUsd: 0.25 },
        ],
      },
      commitOf: (jobId) => (jobId.endsWith('-1') ? 'c'.repeat(40) : null),
    });
    const input = taskInput([{}, { agent: 'browser', skill: 'browser', environment: 'browser', verify_rounds: null }]);
    const result = await (await startTask(temporal, input)).result();
    expect(result).toMatchObject({ status: 'succeeded', input_tokens: 400, output_tokens: 40, cost_usd: 1.5 });
    expect(result.jobs.map((job) => [job.agent, job.status, job.branch])).toEqual([
      ['coding', 'succeeded', `dual/${input.jobs[0]?.job_id}`],
      ['browser', 'succeeded', null],
    ]);
    const terminal = recorded.trace.filter((event) => !event.job_id);
    expect(terminal.map((event) => event.phase)).toEqual(['completed']);
    expect(recorded.trace.at(-1)).toBe(terminal[0]);
    // An end is dated when it is written: a workflow's own clock can stand still at its previous task.
    for (const event of recorded.trace.filter(({ phase }) => ['succeeded', 'completed'].includes(phase)))
      expect(event).not.toHaveProperty('ts');
    expect(recorded.closeSession.map((call) => call.outcome)).toEqual(['succeeded', 'succeeded']);
    const { searchAttributes } = await temporal.client.workflow.getHandle(`voice-${input.trace_id}`).describe();
    expect(searchAttributes).toMatchObject({ Outcome: ['succeeded'], CostUsd: [1.5] });
  });

  it('starts a dependent with what its predecessor left, and only then', async () => {
    const recorded = await play({
      turns: { '*': [{ tools: ['bash'] }, { end: 'first is done' }] },
      commitOf: () => 'd'.repeat(40),
    });
    const input = taskInput([{}, {}]);
    const [first, second] = input.jobs;
    if (!first || !second) throw new Error('two jobs');
    second.depends_on = [{ job_id: first.job_id, when: 'succeeded' }];
    await (await startTask(temporal, input)).result();
    const order = recorded.modelTurn.map((turn) => turn.job_id);
    expect(order).toEqual([first.job_id, first.job_id, second.job_id, second.job_id]);
    expect(recorded.modelTurn[2]?.predecessors).toEqual([
      expect.objectContaining({
        job_id: first.job_id,
        status: 'succeeded',
        summary: 'first is done',
        commit: 'd'.repeat(40),
      }),
    ]);
    expect(recorded.modelTurn[3]?.predecessors).toEqual([]);
    expect(recorded.openSession[1]?.base_commits).toEqual(['d'.repeat(40)]);
  });

  it('keeps every branch: a failed one is named, a dependent that can not start is cancelled with the reason', async () => {
    await play({ turns: { '*': [{ end: 'fine' }] } });
    const input = taskInput([
      { verify_rounds: null },
      { verify_rounds: null },
      { verify_rounds: null },
      { verify_rounds: null },
    ]);
    const [bad, good, after, anyway] = input.jobs;
    if (!bad || !good || !after || !anyway) throw new Error('four jobs');
    await workers?.stop();
    const failure = ApplicationFailure.nonRetryable('no such key', 'Forbidden');
    await play({ turns: { [bad.job_id]: [{ fail: failure }], '*': [{ end: 'fine' }] } });
    after.depends_on = [{ job_id: bad.job_id, when: 'succeeded' }];
    anyway.depends_on = [{ job_id: bad.job_id, when: 'finished' }];
    const result = await (await startTask(temporal, input)).result();
    expect(result.status).toBe('partially_succeeded');
    expect(result.jobs.map((job) => [job.status, job.error?.type ?? null])).toEqual([
      ['failed', 'Forbidden'],
      ['succeeded', null],
      ['cancelled', 'DependencyNotMet'],
      ['succeeded', null],
    ]);
    expect(result.jobs[2]?.error?.message).toContain(bad.job_id);
    expect(result.summary).toContain('Forbidden no such key');
  });

  it('is cancelled by a person: every job closes its session, the task completes as cancelled', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash'] }] }, runTools: () => hang() });
    const input = taskInput([{}, {}]);
    const second = input.jobs[1];
    if (!second) throw new Error('two jobs');
    second.depends_on = [{ job_id: input.jobs[0]?.job_id ?? '', when: 'succeeded' }];
    const task = await startTask(temporal, input);
    await until(() => recorded.runTools.length > 0 || undefined);
    await task.signal('cancelJob', { job_id: null, reason: 'changed my mind' });
    const result = await task.result();
    expect(result.status).toBe('cancelled');
    expect(result.jobs.map((job) => [job.status, job.error?.message])).toEqual([
      ['cancelled', 'changed my mind'],
      ['cancelled', 'changed my mind'],
    ]);
    expect(recorded.closeSession).toEqual([expect.objectContaining({ outcome: 'cancelled' })]);
    expect(recorded.trace.filter((event) => !event.job_id).map((event) => event.phase)).toEqual(['cancelled']);
  });

  it('cancelled in Temporal itself, closes as cancelled after its jobs and still writes its last event', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash'] }] }, runTools: () => hang() });
    const input = taskInput([{}]);
    const task = await startTask(temporal, input);
    await until(() => recorded.runTools.length > 0 || undefined);
    await task.cancel();
    await expect(task.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect((await task.describe()).status.name).toBe('CANCELLED');
    expect(recorded.closeSession).toHaveLength(1);
    expect(recorded.trace.filter((event) => !event.job_id).map((event) => event.phase)).toEqual(['cancelled']);
  });

  it('one job cancelled leaves the other alone', async () => {
    const recorded = await play({
      turns: { '*': [{ tools: ['bash'] }, { end: 'done' }] },
      runTools: (call) => (call.job_id.endsWith('-1') ? hang() : undefined),
    });
    const input = taskInput([{}, {}]);
    const task = await startTask(temporal, input);
    await until(() => recorded.runTools.some((call) => call.job_id.endsWith('-1')) || undefined);
    await task.signal('cancelJob', { job_id: input.jobs[0]?.job_id, reason: 'not that one' });
    expect((await task.result()).jobs.map((job) => job.status)).toEqual(['cancelled', 'succeeded']);
  });
});

describe('a job', () => {
  const one = async (
    job: Parameters<typeof taskInput>[0][number] = {},
    change: Parameters<typeof taskInput>[1] = {},
  ) => {
    const input = taskInput([job], change);
    const task = await startTask(temporal, input);
    const jobId = input.jobs[0]?.job_id ?? '';
    return { jobId, task, result: async () => (await task.result()).jobs[0] };
  };

  it('lost its session twice: a new one each time from the last checkpoint, and the model is told', async () => {
    const recorded = await play(
      {
        turns: { '*': [{ tools: ['bash'] }, { tools: ['bash'] }, { end: 'done' }] },
        ownerQueue: ({ generation }) => `dual-coding-owner${generation}`,
        runTools: ({ session, turn }) => {
          if (turn === 2 && session.session_id.endsWith('.1'))
            throw ApplicationFailure.nonRetryable('gone', 'SessionLost');
        },
      },
      ['dual-coding-owner1', 'dual-coding-owner3'], // nobody polls for the second: it is never started there
    );
    const { result, jobId } = await one();
    expect(await result()).toMatchObject({ status: 'succeeded' });
    expect(recorded.openSession.map(({ generation, checkpoint }) => [generation, checkpoint?.slice(0, 8)])).toEqual([
      [1, undefined],
      [2, recorded.runTools[1]?.checkpoint?.slice(0, 8)],
      [3, recorded.runTools[1]?.checkpoint?.slice(0, 8)],
    ]);
    expect(recorded.runTools.map((call) => [call.turn, call.session.session_id])).toEqual([
      [1, `${jobId}.1`],
      [2, `${jobId}.1`],
      [2, `${jobId}.3`],
    ]);
    expect(recorded.modelTurn[2]?.notes.map((note) => note.kind)).toEqual(['session_lost', 'session_lost']);
  }, 40_000);

  it('gives up after three lost sessions', async () => {
    const recorded = await play({
      turns: { '*': [{ tools: ['bash'] }] },
      runTools: () => {
        throw ApplicationFailure.nonRetryable('gone', 'SessionLost');
      },
    });
    const { result } = await one();
    expect(await result()).toMatchObject({ status: 'failed', error: { type: 'SessionLost' } });
    expect(recorded.openSession).toHaveLength(4);
  });

  it('asks before it spends more than its budget, and goes on with what is added', async () => {
    const recorded = await play({
      turns: {
        '*': [
          { tools: ['bash'], costUsd: 1 },
          { tools: ['bash'], costUsd: 1 },
          { end: 'done', costUsd: 1 },
        ],
      },
    });
    const { result, jobId, task } = await one({ budget_usd: 1.5 });
    const waiting = await waitingOf(jobId);
    expect(waiting).toMatchObject({ kind: 'budget', tool: null });
    expect(recorded.modelTurn).toHaveLength(2);
    const handle = temporal.client.workflow.getHandle(agentJobId(jobId));
    await expect(handle.executeUpdate('addBudget', { args: [{ add_usd: -1, key: 'none' }] })).rejects.toThrow();
    expect(await handle.executeUpdate('addBudget', { args: [{ add_usd: 1, key: 'one' }] })).toEqual({
      job_id: jobId,
      budget_usd: 2.5,
    });
    expect(await result()).toMatchObject({ status: 'succeeded', cost_usd: 3 });
    expect(recorded.modelTurn[2]?.notes.map((note) => note.kind)).toEqual(['budget_extended']);
    void task;
  });

  it.each([
    ['turns', { limits: { max_turns: 1, max_cost_usd: 3, timeout_ms: 3_600_000 } }],
    ['time', { limits: { max_turns: 50, max_cost_usd: 3, timeout_ms: 1 } }],
    ['money of the skill', { limits: { max_turns: 50, max_cost_usd: 0.1, timeout_ms: 3_600_000 } }],
  ])('ends as BudgetExceeded when nobody adds to its %s in time', async (_what, job) => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash'], costUsd: 0.2 }] } });
    const { result } = await one(job, { approval_timeout_ms: 300 });
    expect(await result()).toMatchObject({ status: 'failed', error: { type: 'BudgetExceeded' } });
    expect(recorded.modelTurn.length).toBeLessThanOrEqual(1);
    expect(recorded.trace.map((event) => event.phase)).toEqual(['approval_requested', 'rejected', 'failed', 'failed']);
  });

  it('asks before a tool that needs it; one answer counts, the id must be right', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash', 'search'] }, { end: 'done' }] } });
    const { result, jobId } = await one({ approve_tools: ['bash'] });
    const waiting = await waitingOf(jobId);
    expect(waiting).toMatchObject({ kind: 'approval', tool: 'bash', approval_id: `${jobId}.1` });
    expect(Date.parse(waiting.expires_at)).toBeGreaterThan(Date.now());
    const handle = temporal.client.workflow.getHandle(agentJobId(jobId));
    const answer = (approval_id: string) => ({ args: [{ approval_id, decision: 'approve', note: '' }] as const });
    await expect(handle.executeUpdate('approve', { args: [...answer('other').args] })).rejects.toThrow();
    await handle.executeUpdate('approve', { args: [...answer(`${jobId}.1`).args], updateId: 'a' });
    await expect(
      handle.executeUpdate('approve', { args: [...answer(`${jobId}.1`).args], updateId: 'b' }),
    ).rejects.toThrow();
    expect(await result()).toMatchObject({ status: 'succeeded' });
    expect(recorded.runTools[0]).toMatchObject({ denied: [], confirmed: ['call-1-0'] });
  });

  it('takes silence for a no, tells the model, and runs the rest', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash', 'search'] }, { end: 'done' }] } });
    const { result } = await one({ approve_tools: ['bash'] }, { approval_timeout_ms: 200 });
    expect(await result()).toMatchObject({ status: 'succeeded' });
    expect(recorded.runTools[0]?.denied).toEqual([{ id: 'call-1-0', note: 'nobody answered in time' }]);
  });

  it('asks a person when the provider wants a confirmation', async () => {
    const recorded = await play({
      turns: { '*': [{ tools: ['click_at'], confirm: 'this accepts terms' }, { end: 'done' }] },
    });
    const { jobId, result } = await one();
    expect((await waitingOf(jobId)).summary).toContain('this accepts terms');
    await temporal.client.workflow
      .getHandle(agentJobId(jobId))
      .executeUpdate('approve', { args: [{ approval_id: `${jobId}.1`, decision: 'approve', note: '' }] });
    await result();
    expect(recorded.runTools[0]?.confirmed).toEqual(['call-1-0']);
  });

  it('does not start a skill that was not approved', async () => {
    const recorded = await play({ turns: { '*': [{ end: 'done' }] } });
    const { jobId, result } = await one({ approve_start: true, risk: 'irreversible' });
    const waiting = await waitingOf(jobId);
    await temporal.client.workflow.getHandle(agentJobId(jobId)).executeUpdate('approve', {
      args: [{ approval_id: waiting.approval_id, decision: 'reject', note: 'not today' }],
    });
    expect(await result()).toMatchObject({
      status: 'failed',
      error: { type: 'ApprovalRejected', message: 'not approved: not today' },
    });
    expect(recorded.modelTurn).toHaveLength(0);
  });

  it('passes a steering message to the next turn', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash'] }, { end: 'done' }] } });
    const { jobId, result } = await one({ approve_tools: ['bash'] });
    await waitingOf(jobId);
    const handle = temporal.client.workflow.getHandle(agentJobId(jobId));
    await handle.signal('steer', { text: 'only the users module' });
    await handle.executeUpdate('approve', { args: [{ approval_id: `${jobId}.1`, decision: 'approve', note: '' }] });
    await result();
    expect(recorded.modelTurn[1]?.notes).toEqual([{ kind: 'steer', text: 'only the users module' }]);
  });

  it('shows in the Web UI what it does, without a payload being opened', async () => {
    await play({ turns: { '*': [{ tools: ['bash'], costUsd: 0.25 }, { end: 'done' }] } });
    const { jobId, task, result } = await one({ approve_tools: ['bash'], model: 'claude' });
    await waitingOf(jobId);
    const job = temporal.client.workflow.getHandle(agentJobId(jobId));
    const { currentDetails } = await job.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('**waiting for approval**');
    expect(currentDetails).toContain('turns 1, cost so far $0.2500');
    expect(currentDetails).toMatch(/waits for a person until 20\d\d-.*bash something/);
    await job.executeUpdate('approve', { args: [{ approval_id: `${jobId}.1`, decision: 'approve', note: '' }] });
    await result();
    const summariesOf = async (handle: { fetchHistory(): Promise<History> }): Promise<string[]> =>
      ((await handle.fetchHistory()).events ?? []).flatMap(({ userMetadata }) =>
        userMetadata?.summary?.data
          ? [JSON.parse(Buffer.from(userMetadata.summary.data).toString('utf8')) as string]
          : [],
      );
    expect(await summariesOf(job)).toEqual([
      'coding: refactor the API',
      'turn 1: claude',
      'open a coding session',
      'bash something',
      'turn 2: scripted',
      'verify, round 1',
      'close the coding session',
    ]);
    expect(await summariesOf(task)).toEqual(['coding: refactor the API']);
  });

  it('sends failed verification back to the model, and fails when rounds are used up', async () => {
    const failed = {
      verification: { status: 'failed' as const, command: 'npm test', before: null, after: null, rounds: 1 },
      note: 'expected 2, got 3',
    };
    const recorded = await play({
      turns: { '*': (input) => (input.turn === 1 ? { tools: ['bash'] } : { end: 'done' }) },
      verify: () => failed,
    });
    const { result } = await one({ verify_rounds: 1 });
    expect(await result()).toMatchObject({
      status: 'failed',
      error: { type: 'VerificationFailed' },
      verification: { rounds: 2 },
    });
    expect(recorded.modelTurn.map((turn) => turn.notes.map((note) => note.text))).toEqual([
      [],
      [],
      ['expected 2, got 3'],
    ]);
    expect(recorded.closeSession[0]?.outcome).toBe('failed');
  });

  it('asks again after an unusable answer, three in a row end it, and a refusal is final', async () => {
    await play({ turns: { '*': [{ stop: 'malformed' }, { stop: 'cut_off' }, { end: 'done' }] } });
    expect(await (await one()).result()).toMatchObject({ status: 'succeeded', turns: 3 });
    await workers?.stop();
    await play({ turns: { '*': () => ({ stop: 'malformed' }) } });
    expect(await (await one()).result()).toMatchObject({
      status: 'failed',
      turns: 3,
      error: { type: 'ProviderRefused' },
    });
    await workers?.stop();
    await play({ turns: { '*': [{ stop: 'refused' }] } });
    expect(await (await one()).result()).toMatchObject({
      status: 'failed',
      turns: 1,
      error: { type: 'ProviderRefused' },
    });
  });

  it('honours Retry-After, and never retries a final error or an oversized result', async () => {
    const at: number[] = [];
    let recorded = await play({
      turns: {
        '*': () => {
          at.push(Date.now());
          return at.length === 1
            ? {
                fail: ApplicationFailure.create({
                  message: 'slow down',
                  type: 'RateLimited',
                  nextRetryDelay: '1500ms',
                }),
              }
            : { end: 'done' };
        },
      },
    });
    expect(await (await one()).result()).toMatchObject({ status: 'succeeded' });
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1_400);
    await workers?.stop();
    for (const [thrown, reported] of [
      ['Forbidden', 'Forbidden'],
      ['PayloadsTooLarge', 'PayloadTooLarge'],
    ] as const) {
      recorded = await play({ turns: { '*': [{ fail: ApplicationFailure.create({ message: 'no', type: thrown }) }] } });
      expect(await (await one()).result()).toMatchObject({ status: 'failed', error: { type: reported } });
      expect(recorded.modelTurn).toHaveLength(1);
      await workers?.stop();
    }
    workers = undefined;
  });

  it('an agent without hands opens no session and verifies nothing', async () => {
    const recorded = await play({ turns: { '*': [{ end: 'a summary' }] } });
    const { result, jobId } = await one({ environment: null });
    expect(await result()).toMatchObject({ status: 'succeeded', summary: 'a summary' });
    expect([recorded.openSession, recorded.verifyJob, recorded.closeSession]).toEqual([[], [], []]);
    const output = (await temporal.client.workflow.getHandle(agentJobId(jobId)).result()) as JobOutput;
    expect(output.result.turns).toBe(1);
  });

  it('that its task outlived (terminate) still closes its session', async () => {
    const recorded = await play({ turns: { '*': [{ tools: ['bash'] }] }, runTools: () => hang() });
    const { task, jobId } = await one();
    await until(() => recorded.runTools.length > 0 || undefined);
    await task.terminate('test');
    await temporal.client.workflow.getHandle(agentJobId(jobId)).result();
    expect(recorded.closeSession).toEqual([expect.objectContaining({ outcome: 'cancelled' })]);
  });
});
