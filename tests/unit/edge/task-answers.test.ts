import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Phase } from '../../../contracts/names.ts';
import type { FinalReply } from '../../../contracts/replies.ts';
import type { JobResult, TaskResult } from '../../../contracts/task.ts';
import { TraceEvent } from '../../../contracts/trace-event.ts';
import type { Sentence } from '../../../edge/sentence.ts';
import { createTaskAnswers } from '../../../edge/task-answers.ts';
import type { TaskAnswers } from '../../../edge/task-answers.ts';
import { until } from '../../fakes/until.ts';

const TRACE = 'ab'.repeat(16);
let said: Sentence[];
let settled: string[];
let answered: number;
let fetched: string[];
let task: TaskResult | Error | 'hangs';
let taskAnswers: TaskAnswers;
let count = 0;

const texts = (): string[] => said.filter(({ aloud = true }) => aloud).map(({ text }) => text);

const event = (phase: Phase, payload: Record<string, unknown> = {}, more: Partial<TraceEvent> = {}): TraceEvent => {
  count += 1;
  return TraceEvent.parse({
    v: 1,
    event_id: String(count).padStart(32, '0'),
    ts: new Date().toISOString(),
    seq: count,
    trace_id: TRACE,
    span_id: 's',
    parent_span_id: null,
    job_id: null,
    workflow_id: null,
    run_id: null,
    attempt: null,
    phase,
    agent: null,
    skill: null,
    provider: null,
    model: null,
    input_tokens: null,
    output_tokens: null,
    cache_read_tokens: null,
    cache_write_tokens: null,
    cost_usd: null,
    cost_source: null,
    price_version: null,
    duration_ms: null,
    error_type: null,
    payload,
    ...more,
  });
};
const ofJob = (n: number, phase: Phase, payload: Record<string, unknown> = {}, more: Partial<TraceEvent> = {}) =>
  event(phase, payload, { job_id: `${TRACE}-${n}`, agent: n === 1 ? 'coding' : 'browser', ...more });
const accepted = (...instructions: string[]): FinalReply => ({
  status: 'accepted',
  trace_id: TRACE,
  workflow_id: `voice-${TRACE}`,
  jobs: instructions.map((instruction, i) => ({
    job_id: `${TRACE}-${i + 1}`,
    agent: i === 0 ? 'coding' : 'browser',
    skill: 'x',
    instruction,
    depends_on: [],
  })),
  links: { trace: '', events: '', temporal_ui: '' },
});
const jobs = (...statuses: string[]) => statuses.map((status, i) => ({ job_id: `${TRACE}-${i + 1}`, status }));
const passed = { status: 'passed', command: 'npm test', before: null, after: null, rounds: 0 };

beforeEach(() => {
  said = [];
  settled = [];
  answered = 0;
  fetched = [];
  task = new Error('not asked for');
  taskAnswers = createTaskAnswers({
    answers: {
      say: (sentence) => void said.push(sentence),
      settle: (key) => void settled.push(key),
      userAnswered: () => (answered += 1),
    },
    fetchTask: async (traceId) => {
      fetched.push(traceId);
      if (task === 'hangs') return new Promise(() => undefined);
      if (task instanceof Error) throw task;
      return task;
    },
  });
});

describe('a task', () => {
  it('is told of at its beginning and its end, from what its events say', () => {
    taskAnswers.acked(accepted('Refactor the API', 'Validate the staging website'));
    for (const phase of ['partial', 'received', 'routed'] as const) taskAnswers.task(event(phase));
    for (const n of [1, 2]) {
      taskAnswers.task(ofJob(n, 'submitted'));
      taskAnswers.task(ofJob(n, 'running', { rehearsal: true }));
      taskAnswers.task(ofJob(n, 'model_turn', { text: 'I look around', turn: 1 }));
      taskAnswers.task(ofJob(n, 'tool_call', { summary: 'edit a' }));
    }
    taskAnswers.task(ofJob(1, 'verified', passed));
    taskAnswers.task(ofJob(1, 'succeeded', { message: 'Refactored.', verification: passed, rehearsal: true }));
    taskAnswers.task(
      ofJob(2, 'succeeded', { message: 'Looked at 3 pages: 2 findings.\n1. no title', rehearsal: true }),
    );
    taskAnswers.task(
      event('completed', { outcome: 'succeeded', jobs: jobs('succeeded', 'succeeded'), rehearsal: true }),
    );
    expect(texts()).toEqual([
      'Two jobs started.',
      'Rehearsal: tests pass; two findings on staging, the worst is no title.',
    ]);
    expect(said.at(-1)).toMatchObject({ traceId: TRACE, final: true });
    expect([fetched, answered]).toEqual([[], 1]);
  });

  it('is asked for at the gateway where events do not tell', async () => {
    const result: Partial<JobResult> = {
      agent: 'coding',
      instruction: 'Run the tests',
      status: 'succeeded',
      summary: 'All 12 tests pass.',
      error: null,
      verification: null,
    };
    task = { jobs: [{ ...result, job_id: `${TRACE}-1` }] } as TaskResult;
    taskAnswers.task(event('completed', { outcome: 'succeeded', jobs: jobs('succeeded'), rehearsal: false }));
    await taskAnswers.settled();
    expect([texts(), fetched]).toEqual([['All 12 tests pass.'], [TRACE]]);
  });

  it('is told to be over even when the gateway says no more', async () => {
    taskAnswers.task(event('failed', { outcome: 'failed', message: 'its workflow ended as terminated in Temporal' }));
    await taskAnswers.settled();
    expect(texts()).toEqual(['The task failed.']);
  });

  it('does not wait for ever for a gateway that hangs', async () => {
    task = 'hangs';
    taskAnswers.task(event('completed', { outcome: 'succeeded', jobs: jobs('succeeded') }));
    await until(() => (texts().length > 0 ? true : undefined), 8_000);
    expect(texts()).toEqual(['The task is done.']);
  }, 10_000);

  it('ends once, and nothing is said of it afterwards', async () => {
    taskAnswers.acked(accepted('Refactor the API'));
    const end = event('cancelled', { outcome: 'cancelled', jobs: jobs('cancelled'), rehearsal: false });
    taskAnswers.task(ofJob(1, 'cancelled', {}, { error_type: 'Cancelled' }));
    taskAnswers.task(end);
    taskAnswers.task(end);
    taskAnswers.task(ofJob(1, 'approval_requested', { kind: 'approval', approval_id: 'a', summary: 'run git push' }));
    taskAnswers.acked(accepted('Refactor the API'));
    await taskAnswers.settled();
    expect(fetched).toEqual([]);
    expect(texts()).toEqual(['Started: refactor the API.', 'The coding job was cancelled.']);
  });

  it('that was quicker than the news of its beginning is not said to begin', async () => {
    taskAnswers.task(ofJob(1, 'succeeded', { message: 'Done it.' }));
    taskAnswers.task(event('completed', { outcome: 'succeeded', jobs: jobs('succeeded'), rehearsal: false }));
    taskAnswers.acked(accepted('Refactor the API'));
    expect(texts()).toEqual(['Done it.']);
    expect(said).toHaveLength(2);
  });
});

describe('a job that fails', () => {
  const failure = { message: 'net::ERR at http://127.0.0.1:9/', rehearsal: false };

  it('is told of at once while others run, and only named at the end', () => {
    taskAnswers.acked(accepted('Refactor the API', 'Validate staging'));
    taskAnswers.task(ofJob(2, 'failed', failure, { error_type: 'ToolFailed' }));
    expect(texts().at(-1)).toMatch(/^The browser job failed: net/);
    taskAnswers.task(ofJob(1, 'succeeded', { message: 'x', verification: passed }));
    taskAnswers.task(
      event('completed', { outcome: 'partially_succeeded', jobs: jobs('succeeded', 'failed'), rehearsal: false }),
    );
    expect(texts().at(-1)).toBe('One of two jobs succeeded: tests pass; the browser job failed.');
  });

  it('as the last one, is left to the end of the task', () => {
    taskAnswers.acked(accepted('Validate staging'));
    taskAnswers.task(ofJob(1, 'failed', { message: 'It broke.' }, { error_type: 'ToolFailed' }));
    taskAnswers.task(event('failed', { outcome: 'failed', jobs: jobs('failed'), rehearsal: false }));
    expect(texts()).toEqual(['Started: validate staging.', 'The coding job failed: it broke.']);
  });
});

describe('questions', () => {
  it('of agents are asked, and settled by whoever answers', () => {
    const about = { kind: 'approval', approval_id: `${TRACE}-1.1`, tool: 'bash', summary: 'run git push' };
    taskAnswers.task(ofJob(1, 'approval_requested', about));
    expect(said[0]).toMatchObject({ text: 'The coding agent wants to push. Approve?', key: `${TRACE}-1.1` });
    taskAnswers.task(ofJob(1, 'rejected', { kind: 'approval', approval_id: `${TRACE}-1.1`, answer: 'silence' }));
    expect(settled).toEqual([`${TRACE}-1.1`]);
  });

  it('that are old by the clock are not asked for an answer by voice', () => {
    const about = { kind: 'approval', approval_id: 'a.1', tool: 'bash', summary: 'run git push' };
    const ts = new Date(Date.now() - 120_000).toISOString();
    taskAnswers.task(ofJob(1, 'approval_requested', about, { ts }));
    expect(said[0]?.later?.afterMs).toBeLessThan(performance.now());
  });

  it('of the gateway are settled by its next word, but not by small talk', () => {
    const clarify: FinalReply = {
      status: 'clarify',
      trace_id: TRACE,
      question: 'Which site?',
      candidates: [],
      missing: ['target'],
    };
    taskAnswers.acked(clarify);
    taskAnswers.acked({ status: 'declined', trace_id: 'cd'.repeat(16), reason: 'no skill fits' });
    expect(settled).toEqual([]);
    taskAnswers.acked(accepted('Validate staging'));
    expect(settled).toEqual([said[0]?.key]);
    expect(answered).toBe(3);
  });
});

describe('what cannot be done', () => {
  it('is said, but small talk and noise are not answered without end', () => {
    for (let i = 0; i < 5; i += 1)
      taskAnswers.acked({ status: 'declined', trace_id: TRACE, reason: 'no order (0.99); nearest skill x (0.00)' });
    expect(texts()).toEqual(['I did not take that as an order.']);
    expect(said).toHaveLength(5);
    taskAnswers.acked({ status: 'declined', trace_id: TRACE, reason: 'no words' });
    expect(said).toHaveLength(5);
  });

  it('is said of sentences that are refused or lost, and frees what waits for an answer', () => {
    taskAnswers.refused({ type: 'conflict', title: 'Conflict', status: 409, detail: 'said before with other words' });
    taskAnswers.lost('that could not be understood');
    expect(texts()).toEqual([
      'That could not be taken: said before with other words.',
      'That could not be understood.',
    ]);
    expect(answered).toBe(2);
  });
});

it('follows only so many tasks and jobs', () => {
  const end = event('cancelled', { outcome: 'cancelled', jobs: [] });
  const told = (): number => said.filter(({ final }) => final).length;
  taskAnswers.task(ofJob(1, 'cancelled'));
  for (let i = 0; i < 3; i += 1) taskAnswers.task(end);
  expect(told()).toBe(1);
  for (let i = 0; i < 1_000; i += 1)
    taskAnswers.task(event('running', {}, { trace_id: String(i), job_id: `${i}-1`, agent: 'coding' }));
  for (let n = 1; n < 1_000; n += 1) taskAnswers.task(ofJob(n, 'cancelled'));
  taskAnswers.task(end);
  expect([told(), fetched]).toEqual([2, []]);
});
