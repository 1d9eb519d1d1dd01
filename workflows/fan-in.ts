import type { JobResult, TaskResult } from '../contracts/task.ts';
import type { TaskOutcome } from '../contracts/names.ts';
import type { JobSpec } from '../contracts/workflows.ts';
import { cut } from './text.ts';

const TERMINAL = new Set(['succeeded', 'failed', 'cancelled']);
export const isTerminal = (result: JobResult): boolean => TERMINAL.has(result.status);

/** A job nobody has started yet. */
export const pendingResult = (spec: JobSpec): JobResult => ({
  job_id: spec.job_id,
  trace_id: spec.trace_id,
  agent: spec.agent,
  skill: spec.skill,
  status: 'pending',
  instruction: spec.instruction,
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
  started_at: null,
  completed_at: null,
});

/** Why a dependent job can not start, or null when it can. Call when everything it waits for is terminal. */
export const unmetCondition = (spec: JobSpec, results: ReadonlyMap<string, JobResult>): string | null => {
  for (const { job_id, when } of spec.depends_on) {
    const earlier = results.get(job_id);
    const status = earlier?.status;
    // "If it fails, mend it; either way, tell me": what was not needed is over as well. What a person stopped is not.
    const finished =
      status === 'succeeded' ||
      status === 'failed' ||
      (status === 'cancelled' && earlier?.error?.type === 'DependencyNotMet');
    const met = when === 'finished' ? finished : status === when;
    if (!met) return `it was to start when ${job_id} ${when}, which ${status ?? 'does not exist'}`;
  }
  return null;
};

/** All succeeded; some; none, and a person cancelled; otherwise failed. */
export const outcomeOf = (jobs: readonly JobResult[], cancelledByPerson: boolean): TaskOutcome => {
  const succeeded = jobs.filter((job) => job.status === 'succeeded').length;
  if (succeeded === jobs.length) return 'succeeded';
  if (succeeded > 0) return 'partially_succeeded';
  return cancelledByPerson ? 'cancelled' : 'failed';
};

/** A sum in which one unknown makes the whole unknown. */
const sumCost = (jobs: readonly JobResult[]): number | null =>
  jobs.reduce<number | null>((sum, job) => (sum === null || job.cost_usd === null ? null : sum + job.cost_usd), 0);

/** One line a job, failed and cancelled ones named with their reason. */
export const summarise = (jobs: readonly JobResult[]): string =>
  jobs
    .map((job) => {
      const said = job.status === 'succeeded' ? job.summary : `${job.error?.type ?? ''} ${job.error?.message ?? ''}`;
      return cut(`${job.agent} ${job.status}: ${said.replace(/\s+/g, ' ').trim()}`, 200);
    })
    .join('\n');

/** Bytes of each text of a job in the task's own payloads: eight jobs and the summary stay below 16 KiB together. */
const SHOWN = { instruction: 120, summary: 250, error: 250, waiting: 120, command: 60 } as const;

/** As small as it travels in the task's own payloads; the job's own result has the rest. */
export const slim = (result: JobResult): JobResult => {
  const { error, waiting, verification } = result;
  return {
    ...result,
    instruction: cut(result.instruction, SHOWN.instruction),
    summary: cut(result.summary, SHOWN.summary),
    error: error && { ...error, message: cut(error.message, SHOWN.error) },
    waiting: waiting && { ...waiting, summary: cut(waiting.summary, SHOWN.waiting) },
    verification: verification && {
      ...verification,
      command: verification.command && cut(verification.command, SHOWN.command),
    },
    artifacts: [],
  };
};

export interface TaskFacts {
  trace_id: string;
  utterance: string;
  started_at: string;
  jobs: readonly JobResult[];
}

/** The answer to the whole sentence, at any time. `outcome` null: not over yet. */
export const combine = (facts: TaskFacts, outcome: TaskOutcome | null, completedAt: string | null): TaskResult => {
  const waiting = facts.jobs.some((job) => job.status === 'awaiting_approval');
  return {
    trace_id: facts.trace_id,
    status: outcome ?? (waiting ? 'awaiting_approval' : 'running'),
    utterance: facts.utterance,
    summary: outcome ? summarise(facts.jobs) : '',
    jobs: facts.jobs.map(slim),
    input_tokens: facts.jobs.reduce((sum, job) => sum + job.input_tokens, 0),
    output_tokens: facts.jobs.reduce((sum, job) => sum + job.output_tokens, 0),
    cost_usd: sumCost(facts.jobs),
    artifacts: [],
    started_at: facts.started_at,
    completed_at: completedAt,
  };
};
