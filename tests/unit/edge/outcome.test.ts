import { describe, expect, it } from '@jest/globals';
import type { FinalReply } from '../../../contracts/replies.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { createOutcome } from '../../../edge/outcome.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const accepted = (traceId: string): FinalReply => ({
  status: 'accepted',
  trace_id: traceId,
  workflow_id: `voice-${traceId}`,
  jobs: [{ job_id: `${traceId}-1`, agent: 'coding', skill: 'coding', instruction: 'x', depends_on: [] }],
  links: { trace: '/t', events: '/e', temporal_ui: 'http://x' },
});
const clarify = (traceId: string): FinalReply => ({
  status: 'clarify',
  trace_id: traceId,
  question: 'Which?',
  candidates: [],
  missing: [],
});
const control = (outcome: 'done' | 'nothing'): FinalReply => ({
  status: 'control',
  trace_id: B,
  action: 'stop',
  target: null,
  outcome,
  message: 'm',
});
const event = (traceId: string, phase: string, more: object = {}): TraceEvent =>
  ({ trace_id: traceId, phase, job_id: null, payload: {}, ...more }) as TraceEvent;

describe('the outcome of a run', () => {
  it('is settled when every sentence was answered and every task has ended', () => {
    const outcome = createOutcome();
    outcome.begun('u-1');
    expect([outcome.undelivered, outcome.isSettled, outcome.exitCode()]).toEqual([1, false, 3]);
    outcome.acked('u-1', accepted(A));
    outcome.task(event(A, 'failed', { job_id: `${A}-1` }));
    expect([outcome.undelivered, outcome.tasks, outcome.isSettled, outcome.exitCode()]).toEqual([0, 1, false, 1]);
    outcome.task(event(A, 'completed', { payload: { outcome: 'succeeded' } }));
    expect([outcome.isSettled, outcome.exitCode()]).toEqual([true, 0]);
  });

  it('knows an end that overtakes the acknowledgement', () => {
    const outcome = createOutcome();
    outcome.begun('u-1');
    outcome.task(event(A, 'completed', { payload: { outcome: 'partially_succeeded' } }));
    outcome.acked('u-1', accepted(A));
    expect([outcome.isSettled, outcome.exitCode()]).toEqual([true, 1]);
  });

  it('lets an answer take the place of its question', () => {
    const outcome = createOutcome();
    outcome.begun('u-1');
    outcome.acked('u-1', clarify(A));
    expect(outcome.exitCode()).toBe(4);
    outcome.begun('u-2');
    outcome.acked('u-2', accepted(A));
    outcome.task(event(A, 'completed', { payload: { outcome: 'succeeded' } }));
    expect(outcome.exitCode()).toBe(0);
  });

  it.each([
    ['nothing was said', () => undefined, 4],
    ['noise alone', (o: ReturnType<typeof createOutcome>) => (o.begun('u'), o.dropped('u')), 4],
    [
      'not understood for want of a recogniser',
      (o: ReturnType<typeof createOutcome>) => (o.begun('u'), o.lost('u')),
      3,
    ],
    ['refused', (o: ReturnType<typeof createOutcome>) => (o.begun('u'), o.refused('u')), 1],
    ['a control word that did something', (o: ReturnType<typeof createOutcome>) => o.acked('u', control('done')), 0],
    ['a control word that did nothing', (o: ReturnType<typeof createOutcome>) => o.acked('u', control('nothing')), 4],
    ['cancelled', (o: ReturnType<typeof createOutcome>) => o.task(event(A, 'cancelled')), 1],
  ])('%s', (_what, act, code) => {
    const outcome = createOutcome();
    act(outcome);
    expect(outcome.exitCode()).toBe(code);
  });

  it('says the worst of several', () => {
    const outcome = createOutcome();
    outcome.task(event(A, 'completed', { payload: { outcome: 'succeeded' } }));
    outcome.acked('u', clarify(B));
    expect(outcome.exitCode()).toBe(4);
    outcome.refused('v');
    expect(outcome.exitCode()).toBe(1);
    outcome.lost('w');
    expect(outcome.exitCode()).toBe(3);
  });
});
