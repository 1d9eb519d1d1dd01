import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import type { JobResult } from '../../../contracts/task.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';
import { speaker } from '../../fakes/speaker.ts';
import { answerAs, runningJob, waitingFor } from '../../fakes/waiting-jobs.ts';

const ASKED_AT = '2026-11-26T10:00:00.000Z';
let gateway: TestGateway;

const control = (action: string, target: string | null) => routeOf('control', [], { action, target });
const router = createScriptedRouter({
  both: routeOf('dispatch', [
    clauseOf('refactor it'),
    clauseOf('check it', { skill: 'validate-site', agent: 'browser' }),
  ]),
  twice: routeOf('dispatch', [clauseOf('refactor this'), clauseOf('refactor that')]),
  which: routeOf('clarify', [clauseOf('refactor what', { ask: true })]),
  name: routeOf('clarify', [
    clauseOf('rename it', { skill: 'rename-symbol', ask: true, missing: ['to'], parameters: { from: 'state' } }),
  ]),
  stop: control('cancel', 'last'),
  'stop everything': control('cancel', 'all'),
  'stop the second': control('cancel', '2'),
  'stop the browser': control('cancel', 'browser'),
  'stop the coding jobs': control('cancel', 'coding'),
  'stop the deployment': control('cancel', 'deployment'),
  status: control('status', 'last'),
  'status of the browser': control('status', 'browser'),
  'status of the second': control('status', '2'),
  'status of everything': control('status', 'all'),
  cost: control('cost', 'last'),
  'cost of the second': control('cost', '2'),
  approve: control('approve', 'last'),
  'go ahead': control('approve', 'last'),
  'approve the browser': control('approve', 'browser'),
  'approve the second': control('approve', '2'),
  'reject it': control('reject', 'last'),
  dance: control('dance', 'last'),
});

beforeEach(async () => {
  gateway = await openGateway({ router });
});
afterEach(() => gateway.close());

const { post, start, steer } = speaker(() => gateway);
const jobOf = runningJob;
const tell = (traceId: string, jobs: JobResult[]): void => answerAs(gateway.engine, traceId, ASKED_AT, jobs);
const cancelled = (): unknown[] =>
  gateway.engine.signals.map(({ workflowId, argument }) => [
    workflowId,
    (argument as { job_id: string | null }).job_id,
  ]);

describe('cancel', () => {
  it('stops what the session asked for last, and says when nothing runs', async () => {
    const first = await start('both');
    const second = await start('both');
    expect(await steer('stop')).toEqual(['done', 'the last task is being stopped']);
    gateway.engine.close(voiceTaskId(second), {});
    expect(await steer('stop')).toEqual(['done', 'the last task is being stopped']);
    gateway.engine.close(voiceTaskId(first), {});
    expect(await steer('stop')).toEqual(['nothing', 'nothing runs']);
    expect(cancelled()).toEqual([
      [voiceTaskId(second), null],
      [voiceTaskId(first), null],
    ]);
  });

  it('leaves what other sessions asked for, with everything as well', async () => {
    await start('both', { session_id: 'other' });
    expect(await steer('stop')).toEqual(['nothing', 'nothing runs']);
    expect(await steer('stop everything')).toEqual(['nothing', 'nothing runs']);
    const own = [await start('both'), await start('twice')];
    expect(await steer('stop everything')).toEqual(['done', '2 being stopped']);
    expect(cancelled().sort()).toEqual(own.map((traceId) => [voiceTaskId(traceId), null]).sort());
  });

  it('stops a job by its place in what was said last', async () => {
    const traceId = await start('both');
    expect(await steer('stop the second')).toEqual(['done', 'job 2 is being stopped: browser']);
    expect(cancelled()).toEqual([[voiceTaskId(traceId), `${traceId}-2`]]);
    gateway.engine.close(agentJobId(`${traceId}-2`), {});
    expect(await steer('stop the second')).toEqual(['nothing', 'job 2 is over already']);
    await start('refactor one');
    expect(await steer('stop the second')).toEqual(['nothing', 'the last task has one job']);
  });

  it("stops an agent's jobs of the last task, begun or not, else those of any that runs", async () => {
    const older = await start('both');
    const last = await start('twice');
    gateway.engine.runs.delete(agentJobId(`${last}-2`));
    expect(await steer('stop the coding jobs')).toEqual(['done', 'two coding jobs are being stopped']);
    expect(await steer('stop the browser')).toEqual(['done', 'the browser job is being stopped']);
    expect(await steer('stop the deployment')).toEqual(['nothing', 'no deployment job runs']);
    expect(cancelled()).toEqual([
      [voiceTaskId(last), `${last}-1`],
      [voiceTaskId(last), `${last}-2`],
      [voiceTaskId(older), `${older}-2`],
    ]);
  });

  it('drops the question that waits, before anything is stopped', async () => {
    await start('both');
    await post('which');
    expect(await steer('stop')).toEqual(['done', 'the question is dropped']);
    expect(cancelled()).toEqual([]);
    expect((await steer('stop'))[0]).toBe('done');
    expect(cancelled()).toHaveLength(1);
  });

  it('needs to know which, where no session says it', async () => {
    const none = { session_id: undefined };
    await start('both', none);
    expect((await steer('stop', none))[0]).toBe('done');
    await start('twice');
    expect(await steer('stop', none)).toEqual(['ambiguous', 'several tasks run; say which, or stop everything']);
    expect((await steer('stop the second', none))[0]).toBe('ambiguous');
  });

  it('is 503 while Temporal is away', async () => {
    gateway.engine.away = true;
    expect((await post('stop')).status).toBe(503);
  });
});

describe('status', () => {
  it('tells of every job, and what it cost so far', async () => {
    const traceId = await start('both');
    tell(traceId, [
      jobOf(traceId, 1, { turns: 3, cost_usd: 0.12 }),
      jobOf(traceId, 2, { agent: 'browser', status: 'succeeded', completed_at: 'x', cost_usd: 0 }),
    ]);
    gateway.engine.close(agentJobId(`${traceId}-2`), {
      result: { result: jobOf(traceId, 2, { agent: 'browser', status: 'succeeded', completed_at: 'x' }), commit: null },
    });
    expect(await steer('status')).toEqual([
      'done',
      'Two jobs: coding is running, turn 3; browser succeeded. 0.12 dollars so far.',
    ]);
    expect(await steer('status of the browser')).toEqual(['done', 'Browser succeeded. No cost.']);
    expect(await steer('status of the second')).toEqual(['done', 'Browser succeeded. No cost.']);
  });

  it('names jobs of one agent by their place, and says what they wait for and why they failed', async () => {
    const traceId = await start('twice');
    tell(traceId, [
      jobOf(traceId, 1, waitingFor(traceId, 1, 'push it.')),
      jobOf(traceId, 2, waitingFor(traceId, 2, '$1.00 of $1.00 are spent; may it go on?', 'budget')),
    ]);
    expect((await steer('status'))[1]).toBe(
      'Two jobs: job 1 (coding) waits for your approval: push it; job 2 (coding) waits for more budget: $1.00 of $1.00 are spent; may it go on. No cost so far.',
    );
    tell(traceId, [jobOf(traceId, 1), jobOf(traceId, 2, { status: 'pending', started_at: null })]);
    gateway.engine.close(agentJobId(`${traceId}-1`), { status: 'terminated', answer: null });
    gateway.engine.runs.delete(agentJobId(`${traceId}-2`));
    expect((await steer('status'))[1]).toBe(
      'Two jobs: job 1 (coding) failed: its workflow was terminated in Temporal; job 2 (coding) has not begun. No cost so far.',
    );
  });

  it('says that it may be out of date when no worker answers', async () => {
    await start('both');
    expect((await steer('status'))[1]).toMatch(/^No worker answers now, so this may be out of date\. Two jobs: /);
  });

  it('tells of all that runs, and counts what runs beside the last', async () => {
    expect(await steer('status')).toEqual(['nothing', 'nothing has been asked for yet']);
    const first = await start('both');
    tell(first, [jobOf(first, 1)]);
    const second = await start('refactor two');
    tell(second, [jobOf(second, 1)]);
    expect((await steer('status'))[1]).toBe('Coding is running. No cost so far. One other task runs as well.');
    expect((await steer('status of everything'))[1]).toBe(
      '"refactor two": Coding is running. No cost so far. "both": Coding is running. No cost so far.',
    );
    expect(await steer('status of the second')).toEqual(['nothing', 'the last task has one job']);
    await post('which');
    expect((await steer('status'))[1]).toMatch(/^A question waits for your answer\. Coding is running/);
  });
});

describe('cost', () => {
  const costOf = async (...changes: Partial<JobResult>[]): Promise<string> => {
    const traceId = await start('twice');
    tell(
      traceId,
      changes.map((change, at) => jobOf(traceId, at + 1, { agent: at ? 'browser' : 'coding', turns: 1, ...change })),
    );
    return (await steer('cost'))[1];
  };

  it('is told in words: known, unknown, about, rehearsed', async () => {
    expect(await costOf({ cost_usd: 0.1 }, { cost_usd: 0.021 })).toBe(
      '0.12 dollars so far: coding 0.10 dollars, browser 0.02 dollars.',
    );
    expect(await costOf({ cost_usd: 0.1 }, { cost_usd: null, cost_source: 'unknown' })).toBe(
      '0.10 dollars and an unknown price for browser so far.',
    );
    expect(await costOf({ cost_usd: null, cost_source: 'unknown' })).toBe('An unknown price for coding so far.');
    expect(await costOf({ cost_usd: 0.1, cost_source: 'uncertain' })).toBe('About 0.10 dollars so far.');
    expect(await costOf({ cost_usd: 0.0004 })).toBe('Less than a cent so far.');
    expect(await costOf({ rehearsal: true, cost_source: 'rehearsal' })).toBe('No cost so far; it is a rehearsal.');
    expect(await costOf({ rehearsal: true, cost_source: 'rehearsal' }, { cost_usd: 2 })).toBe(
      '2.00 dollars so far; a part of it is a rehearsal.',
    );
    expect(await steer('cost of the second')).toEqual(['done', '2.00 dollars so far.']);
  });

  it('is that of the last task also when it is over, and after a restart', async () => {
    const traceId = await start('refactor it');
    const over = jobOf(traceId, 1, { status: 'succeeded', cost_usd: 0.5, completed_at: 'x' });
    gateway.engine.close(agentJobId(`${traceId}-1`), { result: { result: over, commit: null } });
    gateway.engine.close(voiceTaskId(traceId), { status: 'terminated' });
    expect(await steer('cost')).toEqual(['done', '0.50 dollars.']);
    gateway = await gateway.restart();
    expect(await steer('cost')).toEqual(['done', '0.50 dollars.']);
    expect(await steer('cost', { session_id: undefined })).toEqual(['done', '0.50 dollars.']);
    expect((await steer('cost', { session_id: 'other' }))[0]).toBe('nothing');
  });
});

describe('a control word while a question waits', () => {
  it('agrees to "do you mean", where nothing else is meant', async () => {
    await post('which');
    expect((await post('go ahead')).body).toMatchObject({ status: 'accepted' });
  });

  it('may be the value that was asked for', async () => {
    await post('name');
    const { status } = await post('status');
    expect(status).toBe(202);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('drops it with a no, where no approval waits', async () => {
    await post('which');
    expect(await steer('reject it')).toEqual(['done', 'the question is dropped']);
    expect(await steer('reject it')).toEqual(['nothing', 'no approval waits for an answer']);
  });
});

describe('an action nobody knows', () => {
  it('does nothing and says so', async () => {
    expect(await steer('dance')).toEqual(['nothing', 'the gateway does not know how to dance']);
  });
});
