import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import type { JobResult } from '../../../contracts/task.ts';
import type { JobStatusAnswer } from '../../../contracts/workflows.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';
import { speaker } from '../../fakes/speaker.ts';
import { answerAs, runningJob, waitingFor } from '../../fakes/waiting-jobs.ts';

const START = Date.parse('2026-11-26T10:00:00.000Z');
let nowMs: number;
let gateway: TestGateway;

const control = (action: string, target: string | null) => routeOf('control', [], { action, target });
const router = createScriptedRouter({
  both: routeOf('dispatch', [
    clauseOf('refactor it'),
    clauseOf('check it', { skill: 'validate-site', agent: 'browser' }),
  ]),
  approve: control('approve', 'last'),
  'approve the browser': control('approve', 'browser'),
  'approve the second': control('approve', '2'),
  'reject it': control('reject', 'last'),
});

beforeEach(async () => {
  nowMs = START;
  gateway = await openGateway({ router, now: () => nowMs });
});
afterEach(() => gateway.close());

const { post, start, steer } = speaker(() => gateway);
const jobOf = runningJob;
const tell = (traceId: string, jobs: JobResult[], more: Partial<JobStatusAnswer>[] = []): void =>
  answerAs(gateway.engine, traceId, new Date(START).toISOString(), jobs, more);

describe('approval by voice', () => {
  /** One job of two waits. */
  const ask = async (
    more: Partial<JobStatusAnswer> = {},
    kind: 'approval' | 'budget' = 'approval',
  ): Promise<string> => {
    const traceId = await start('both');
    const waits = waitingFor(traceId, 2, 'start deploy (writes_remote): deploy it', kind);
    tell(traceId, [jobOf(traceId, 1), jobOf(traceId, 2, { agent: 'browser', ...waits })], [{}, more]);
    return traceId;
  };
  const answers = (): unknown[] =>
    gateway.engine.updates.map(({ workflowId, updateId, argument }) => [workflowId, updateId, argument]);

  it.each([
    ['approve', 'approve', 'approved'],
    ['reject it', 'reject', 'rejected'],
  ])('%s answers the one question that waits, by its name', async (text, decision, past) => {
    const traceId = await ask();
    nowMs += 60_000;
    expect(await steer(text)).toEqual(['done', `${past}: start deploy (writes_remote): deploy it`]);
    const approval_id = `${traceId}-2.1`;
    expect(answers()).toEqual([
      [agentJobId(`${traceId}-2`), `approve-${approval_id}-${decision}`, { approval_id, decision, note: 'by voice' }],
    ]);
  });

  it.each(['approve', 'reject it'])(
    '"%s" comes too late after 60 seconds, and says what to do instead',
    async (text) => {
      const traceId = await ask();
      nowMs += 61_000;
      const [outcome, message] = await steer(text);
      expect(outcome).toBe('nothing');
      expect(message).toContain('more than 60 seconds ago');
      expect(message).toContain(`dual approve ${traceId}-2`);
      expect(answers()).toEqual([]);
    },
  );

  it('is refused when the clocks do not fit: a day back is no time left', async () => {
    await ask();
    nowMs -= 86_400_000;
    expect((await steer('approve'))[0]).toBe('nothing');
    expect(answers()).toEqual([]);
  });

  it('is refused for what was said before it was asked, and came late', async () => {
    await ask();
    nowMs += 20_000;
    const [outcome, message] = await steer('approve', { timestamp: new Date(START - 30_000).toISOString() });
    // A timestamp of the test's own clock may be older than a week to the gateway; it is not here.
    expect([outcome, message.includes('said before this was asked')]).toEqual(['nothing', true]);
    expect((await steer('approve', { timestamp: new Date(START + 1_000).toISOString() }))[0]).toBe('done');
  });

  it('never says yes to what cannot be taken back, nor where the risk is not known; a no is no risk', async () => {
    const traceId = await ask({ risk: 'irreversible' });
    const [outcome, message] = await steer('approve');
    expect([outcome, message]).toEqual([
      'nothing',
      `what cannot be taken back is never approved by voice: start deploy (writes_remote): deploy it; use the command dual approve ${traceId}-2`,
    ]);
    expect(answers()).toEqual([]);
    expect((await steer('reject it'))[0]).toBe('done');
    gateway.engine.close(voiceTaskId(traceId), {});
    gateway.engine.close(agentJobId(`${traceId}-2`), {});
    await ask({ risk: undefined, asked_at: undefined });
    expect((await steer('approve'))[0]).toBe('nothing');
    expect((await steer('reject it'))[0]).toBe('nothing');
    expect(answers()).toHaveLength(1);
  });

  it('belongs to the session that was asked', async () => {
    await ask();
    expect(await steer('approve', { session_id: 'other' })).toEqual(['nothing', 'no approval waits for an answer']);
    const [outcome, message] = await steer('approve', { session_id: undefined });
    expect([outcome, message.includes('only in the session')]).toEqual(['nothing', true]);
    expect(answers()).toEqual([]);
    gateway = await gateway.restart();
    expect((await steer('approve'))[0]).toBe('done');
  });

  it('never answers two at once: it names them, and each may be named', async () => {
    const traceId = await start('both');
    tell(traceId, [
      jobOf(traceId, 1, waitingFor(traceId, 1, 'push it')),
      jobOf(traceId, 2, { agent: 'browser', ...waitingFor(traceId, 2, 'click buy') }),
    ]);
    expect(await steer('approve')).toEqual([
      'ambiguous',
      'Two questions wait for you: coding: push it; browser: click buy. Say which job you mean.',
    ]);
    expect(answers()).toEqual([]);
    expect((await steer('approve the browser'))[0]).toBe('done');
    expect((await steer('approve the second'))[0]).toBe('done');
    expect(new Set(gateway.engine.updates.map(({ updateId }) => updateId))).toEqual(
      new Set([`approve-${traceId}-2.1-approve`]),
    );
  });

  it('prefers the last task for an agent by name, and finds one of an earlier task otherwise', async () => {
    const earlier = await ask();
    const last = await start('refactor it');
    tell(last, [jobOf(last, 1)]);
    expect((await steer('approve the browser'))[0]).toBe('done');
    expect((await steer('approve the second'))[0]).toBe('nothing');
    expect(gateway.engine.updates.map(({ workflowId }) => workflowId)).toEqual([agentJobId(`${earlier}-2`)]);
  });

  it('is none for a budget: that needs an amount', async () => {
    const traceId = await ask({}, 'budget');
    for (const text of ['approve', 'reject it']) {
      const [outcome, message] = await steer(text);
      expect([outcome, message.includes(`dual budget ${traceId}-2`)]).toEqual(['nothing', true]);
    }
    expect(answers()).toEqual([]);
  });

  it('says so when the question has gone meanwhile, or none waits', async () => {
    await ask();
    gateway.engine.onUpdate = () => ({ outcome: 'refused', reason: 'that approval is not waiting' });
    expect(await steer('approve')).toEqual([
      'nothing',
      'that is not waited for any more: start deploy (writes_remote): deploy it',
    ]);
    const traceId = await start('refactor it', { session_id: 'quiet' });
    tell(traceId, [jobOf(traceId, 1)]);
    expect(await steer('approve', { session_id: 'quiet' })).toEqual(['nothing', 'no approval waits for an answer']);
  });

  it('is 503 when no worker tells what waits, or confirms; said again it is the same answer to the same question', async () => {
    const traceId = await ask();
    const said = { utterance_id: 'yes-1' };
    gateway.engine.onUpdate = () => ({ outcome: 'unconfirmed' });
    expect((await post('approve', said)).status).toBe(503);
    // It had arrived after all, and by now the job asks something else.
    const waits = { ...waitingFor(traceId, 2, 'drop the database'), status: 'awaiting_approval' as const };
    waits.waiting.approval_id = `${traceId}-2.2`;
    tell(traceId, [jobOf(traceId, 1), jobOf(traceId, 2, { agent: 'browser', ...waits })]);
    gateway.engine.onUpdate = () => ({ outcome: 'done' });
    expect((await steer('approve', said))[1]).toBe('approved: start deploy (writes_remote): deploy it');
    expect(gateway.engine.updates.map(({ updateId }) => updateId)).toEqual([
      `approve-${traceId}-2.1-approve`,
      `approve-${traceId}-2.1-approve`,
    ]);
    for (const run of gateway.engine.runs.values()) run.answer = null;
    const silent = await post('approve');
    expect([silent.status, silent.body]).toMatchObject([503, { type: 'urn:dual:problem:not-confirmed' }]);
  });
});
