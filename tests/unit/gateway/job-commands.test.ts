import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AcceptedReply } from '../../../contracts/replies.ts';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';

let gateway: TestGateway;
let traceId: string;
let jobId: string;
beforeEach(async () => {
  gateway = await openGateway();
  const response = await gateway.call('/transcript', { text: 'refactor', is_final: true });
  const reply = (await response.json()) as AcceptedReply;
  traceId = reply.trace_id;
  jobId = reply.jobs[0]?.job_id ?? '';
});
afterEach(() => gateway.close());

const outcome = async (path: string, body?: unknown, init?: RequestInit): Promise<unknown[]> => {
  const response = await gateway.call(path, body, { method: 'POST', ...init });
  const json = (await response.json()) as { type?: string; status?: unknown };
  return [response.status, json.type ?? json.status];
};
const problem = (name: string): string => `urn:dual:problem:${name}`;
const endAll = (): void => {
  gateway.engine.close(agentJobId(jobId), {});
  gateway.engine.close(voiceTaskId(traceId), {});
};

describe('cancel', () => {
  it('tells the task, again and again, with and without a reason', async () => {
    expect(await outcome(`/trace/${traceId}/cancel`)).toEqual([202, 'received']);
    expect(await outcome(`/trace/${traceId}/cancel`, { reason: 'changed my mind' })).toEqual([202, 'received']);
    expect(await outcome(`/jobs/${jobId}/cancel`, {})).toEqual([202, 'received']);
    expect(gateway.engine.signals).toEqual([
      {
        workflowId: voiceTaskId(traceId),
        name: 'cancelJob',
        argument: { job_id: null, reason: 'a person cancelled it' },
      },
      { workflowId: voiceTaskId(traceId), name: 'cancelJob', argument: { job_id: null, reason: 'changed my mind' } },
      {
        workflowId: voiceTaskId(traceId),
        name: 'cancelJob',
        argument: { job_id: jobId, reason: 'a person cancelled it' },
      },
    ]);
  });

  it('reaches a job that has not begun', async () => {
    gateway.engine.runs.delete(agentJobId(jobId));
    expect(await outcome(`/jobs/${jobId}/cancel`)).toEqual([202, 'received']);
  });

  it('is 409 when it is over, 404 when it never was', async () => {
    gateway.engine.close(agentJobId(jobId), {});
    expect(await outcome(`/jobs/${jobId}/cancel`)).toEqual([409, problem('already-over')]);
    expect(await outcome(`/jobs/${traceId}-9/cancel`)).toEqual([404, problem('not-found')]);
    endAll();
    expect(await outcome(`/trace/${traceId}/cancel`)).toEqual([409, problem('already-over')]);
    expect(await outcome(`/jobs/${jobId}/cancel`)).toEqual([409, problem('already-over')]);
    expect(await outcome(`/trace/${'0'.repeat(32)}/cancel`)).toEqual([404, problem('not-found')]);
  });

  it('of what was declined is 409: it started nothing', async () => {
    const { trace_id } = (await (await gateway.call('/transcript', { text: 'hi', is_final: true })).json()) as {
      trace_id: string;
    };
    expect(await outcome(`/trace/${trace_id}/cancel`)).toEqual([409, problem('already-over')]);
  });

  it('is 503 when Temporal is away', async () => {
    gateway.engine.away = true;
    expect(await outcome(`/trace/${traceId}/cancel`)).toEqual([503, problem('unavailable')]);
  });
});

describe('approval', () => {
  const answer = { approval_id: 'a-1', decision: 'approve' };

  it('reaches the job under an id that makes a repetition the same answer, and the opposite another', async () => {
    expect(await outcome(`/jobs/${jobId}/approval`, answer)).toEqual([202, 'received']);
    await outcome(`/jobs/${jobId}/approval`, { ...answer, note: 'go' });
    await outcome(`/jobs/${jobId}/approval`, { ...answer, decision: 'reject' });
    expect(gateway.engine.updates.map(({ workflowId, name, updateId }) => [workflowId, name, updateId])).toEqual([
      [agentJobId(jobId), 'approve', 'approve-a-1-approve'],
      [agentJobId(jobId), 'approve', 'approve-a-1-approve'],
      [agentJobId(jobId), 'approve', 'approve-a-1-reject'],
    ]);
    expect(gateway.engine.updates[1]?.argument).toEqual({ approval_id: 'a-1', decision: 'approve', note: 'go' });
  });

  it('that is not waited for is 409', async () => {
    gateway.engine.onUpdate = () => ({ outcome: 'refused', reason: 'nothing waits for approval' });
    expect(await outcome(`/jobs/${jobId}/approval`, answer)).toEqual([409, problem('not-waiting')]);
    gateway.engine.close(agentJobId(jobId), {});
    expect(await outcome(`/jobs/${jobId}/approval`, answer)).toEqual([409, problem('already-over')]);
    gateway.engine.runs.delete(agentJobId(jobId));
    expect(await outcome(`/jobs/${jobId}/approval`, answer)).toEqual([409, problem('not-waiting')]);
    expect(await outcome(`/jobs/${'0'.repeat(32)}-1/approval`, answer)).toEqual([404, problem('not-found')]);
  });

  it('that no worker confirms is 503, with when to ask again', async () => {
    gateway.engine.onUpdate = () => ({ outcome: 'unconfirmed' });
    const response = await gateway.call(`/jobs/${jobId}/approval`, answer);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({ type: problem('not-confirmed') });
  });

  it.each([{}, { approval_id: 'a' }, { approval_id: 'a', decision: 'maybe' }, { approval_id: '', decision: 'reject' }])(
    'refuses %p',
    async (body) => {
      expect(await outcome(`/jobs/${jobId}/approval`, body)).toEqual([400, problem('bad-request')]);
    },
  );
});

describe('budget', () => {
  it('adds each time, or once per key', async () => {
    const budget = `/jobs/${jobId}/budget`;
    const key = { headers: { 'idempotency-key': 'k-1' } };
    expect(await outcome(budget, { add_usd: 2 })).toEqual([202, 'received']);
    await outcome(budget, { add_usd: 2 });
    await outcome(budget, { add_usd: 2 }, key);
    await outcome(budget, { add_usd: 2 }, key);
    const ids = gateway.engine.updates.map(({ updateId }) => updateId);
    expect(new Set(ids).size).toBe(3);
    expect(ids[2]).toBe(ids[3]);
    expect(gateway.engine.updates[0]).toMatchObject({ name: 'addBudget', argument: { add_usd: 2 } });
    // The key travels along: a workflow that continued as new has forgotten the updates of its earlier run.
    const keys = gateway.engine.updates.map(({ argument }) => (argument as { key: string }).key);
    expect(keys.map((one) => `budget-${one}`)).toEqual(ids);
  });

  it('promises to count once only what has a key', async () => {
    gateway.engine.onUpdate = () => ({ outcome: 'unconfirmed' });
    const said = async (init?: RequestInit): Promise<string> => {
      const response = await gateway.call(`/jobs/${jobId}/budget`, { add_usd: 2 }, init);
      expect(response.status).toBe(503);
      return ((await response.json()) as { detail: string }).detail;
    };
    expect(await said()).toContain('ask again only with an Idempotency-Key');
    expect(await said({ headers: { 'idempotency-key': 'k-1' } })).toContain('ask again, it counts once');
  });

  it.each([0, -1, 1_001, '5', null])('refuses %p', async (add_usd) => {
    expect(await outcome(`/jobs/${jobId}/budget`, { add_usd })).toEqual([400, problem('bad-request')]);
  });

  it('refuses a key that is none', async () => {
    const init = { headers: { 'idempotency-key': 'x'.repeat(200) } };
    expect(await outcome(`/jobs/${jobId}/budget`, { add_usd: 1 }, init)).toEqual([400, problem('bad-request')]);
  });
});

describe('steer', () => {
  it('reaches the job', async () => {
    expect(await outcome(`/jobs/${jobId}/steer`, { text: ' mind the tests ' })).toEqual([202, 'received']);
    expect(gateway.engine.signals).toEqual([
      { workflowId: agentJobId(jobId), name: 'steer', argument: { text: 'mind the tests' } },
    ]);
  });

  it('is 409 when it is over or has not begun', async () => {
    gateway.engine.runs.delete(agentJobId(jobId));
    expect(await outcome(`/jobs/${jobId}/steer`, { text: 'x' })).toEqual([409, problem('not-waiting')]);
    gateway.engine.close(voiceTaskId(traceId), {});
    expect(await outcome(`/jobs/${jobId}/steer`, { text: 'x' })).toEqual([409, problem('already-over')]);
  });

  it.each(['', '  ', 'x'.repeat(2_001)])('refuses no words and too many', async (text) => {
    expect(await outcome(`/jobs/${jobId}/steer`, { text })).toEqual([400, problem('bad-request')]);
  });
});
