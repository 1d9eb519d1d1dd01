import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import type { JobResult, Waiting } from '../../contracts/task.ts';
import type { JobStatusAnswer } from '../../contracts/workflows.ts';
import type { FakeEngine } from './task-engine.ts';

/** A job that has just begun; a test overrides what matters to it. */
export const runningJob = (traceId: string, n: number, change: Partial<JobResult> = {}): JobResult => ({
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
  turns: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd: 0,
  cost_source: 'priced',
  rehearsal: false,
  started_at: '2026-11-26T09:00:00.000Z',
  completed_at: null,
  ...change,
});

/** What makes a job one that waits for a person; `approval_id` is the job's first. */
export const waitingFor = (
  traceId: string,
  n: number,
  summary: string,
  kind: Waiting['kind'] = 'approval',
): Pick<JobResult, 'status'> & { waiting: Waiting } => ({
  status: 'awaiting_approval',
  waiting: { kind, approval_id: `${traceId}-${n}.1`, tool: null, summary, expires_at: '2026-11-26T10:30:00.000Z' },
});

/** Lets a task's worker answer queries: the task's own with its jobs, each job's with itself and what is in `more`. */
export const answerAs = (
  engine: FakeEngine,
  traceId: string,
  askedAt: string,
  jobs: readonly JobResult[],
  more: readonly Partial<JobStatusAnswer>[] = [],
): void => {
  const run = engine.runs.get(voiceTaskId(traceId));
  if (!run) throw new Error(`no task ${traceId}`);
  run.answer = {
    trace_id: traceId,
    status: 'running',
    utterance: 'x',
    summary: '',
    jobs: jobs.map((job) => ({ ...job, waiting: null })),
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: 0,
    artifacts: [],
    started_at: null,
    completed_at: null,
  };
  jobs.forEach((job, at) => {
    const own = engine.runs.get(agentJobId(job.job_id));
    if (own)
      own.answer = {
        result: job,
        phase: '',
        turn: job.turns,
        waiting: job.waiting,
        asked_at: job.waiting && askedAt,
        risk: 'writes_remote',
        ...more[at],
      } satisfies JobStatusAnswer;
  });
};
