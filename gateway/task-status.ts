import { z } from 'zod';
import { agentJobId, QUERIES, TASK_OUTCOMES, voiceTaskId } from '../contracts/names.ts';
import type { TaskOutcome } from '../contracts/names.ts';
import type { FinalReply, JobBrief } from '../contracts/replies.ts';
import { JobResult, TaskResult } from '../contracts/task.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import type { Run, TaskEngine } from './task-engine.ts';

export interface StatusDeps {
  engine: TaskEngine;
  artifacts: Pick<ArtifactStore, 'getJson'>;
  /** What was answered under a trace that no workflow knows; null when nothing was. */
  unstarted: (traceId: string) => Promise<{ reply: FinalReply; utterance: string; at: string } | null>;
}

export interface TaskStatus {
  /** null: no such trace. @throws EngineUnavailable */
  task(traceId: string): Promise<TaskResult | null>;
  /** null: no such job. @throws EngineUnavailable */
  job(jobId: string): Promise<JobResult | null>;
}

/** What a job's query and its result have in common. */
const JobOutput = z.object({ result: JobResult });

const Plan = z.object({ utterance: z.string() });

const TERMINAL = new Set(['succeeded', 'failed', 'cancelled']);

/** A job of which nothing is known but that it was ordered. */
const ordered = (brief: JobBrief, traceId: string): JobResult => ({
  job_id: brief.job_id,
  trace_id: traceId,
  agent: brief.agent,
  skill: brief.skill,
  status: 'pending',
  instruction: brief.instruction,
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

const sum = (jobs: readonly JobResult[], of: (job: JobResult) => number): number =>
  jobs.reduce((total, job) => total + of(job), 0);

/** How a task ended that has no result of its own to say so. */
const outcomeOf = ({ attributes, status }: Run): TaskOutcome => {
  const told = TASK_OUTCOMES.find((outcome) => outcome === attributes.outcome);
  return told ?? (status === 'cancelled' ? 'cancelled' : 'failed');
};

const HOW_IT_ENDED = {
  failed: 'failed',
  cancelled: 'was cancelled',
  terminated: 'was terminated',
  timed_out: 'timed out',
};

/** Puts together what Temporal knows: queries while it runs, results afterwards, and the bare runs when nobody answers. */
export const createTaskStatus = ({ engine, artifacts, unstarted }: StatusDeps): TaskStatus => {
  /** From the job's own closed run; `base` when it left no result we can read. */
  const closedJob = async (base: JobResult, run: Run): Promise<JobResult> => {
    const output = JobOutput.safeParse(run.status === 'completed' ? await engine.result(run.workflowId) : null);
    if (output.success) return output.data.result;
    const how = run.status === 'running' || run.status === 'completed' ? 'failed' : run.status;
    return {
      ...base,
      status: how === 'cancelled' ? 'cancelled' : 'failed',
      waiting: null,
      error: base.error ?? {
        type: how === 'cancelled' ? 'Cancelled' : 'Internal',
        message: `its workflow ${HOW_IT_ENDED[how]} in Temporal`,
      },
      started_at: base.started_at ?? run.startedAt,
      completed_at: run.closedAt,
    };
  };

  /** `asked`: a worker has just answered, so that asking for more is worth the wait. */
  const jobNow = async (base: JobResult, asked: boolean): Promise<JobResult> => {
    const id = agentJobId(base.job_id);
    if (asked && base.status !== 'pending' && !TERMINAL.has(base.status)) {
      const answer = JobOutput.safeParse(await engine.query(id, QUERIES.status));
      if (answer.success && !TERMINAL.has(answer.data.result.status)) return answer.data.result;
    }
    const run = await engine.describe(id);
    if (!run) return base;
    if (run.status !== 'running') return closedJob(base, run);
    return base.status === 'pending' ? { ...base, status: 'running', started_at: run.startedAt } : base;
  };

  /** A task is over and this job never began. */
  const unbegun = (job: JobResult, run: Run): JobResult =>
    job.status === 'pending'
      ? {
          ...job,
          status: 'cancelled',
          error: { type: 'Cancelled', message: 'its task ended before it began' },
          completed_at: run.closedAt,
        }
      : job;

  const wholeUtterance = async (run: Run, shown: string): Promise<string> => {
    if (!run.memo?.plan) return shown;
    const plan = Plan.safeParse(await artifacts.getJson(run.memo.plan).catch(() => null));
    return plan.success ? plan.data.utterance : shown;
  };

  const combine = async (
    run: Run,
    jobs: JobResult[],
    change: Pick<TaskResult, 'status' | 'summary'> & Partial<TaskResult>,
  ): Promise<TaskResult> => ({
    trace_id: run.workflowId.slice('voice-'.length),
    utterance: await wholeUtterance(run, change.utterance ?? run.attributes.utterance ?? ''),
    jobs,
    input_tokens: sum(jobs, (job) => job.input_tokens),
    output_tokens: sum(jobs, (job) => job.output_tokens),
    cost_usd: jobs.some((job) => job.cost_usd === null) ? null : sum(jobs, (job) => job.cost_usd ?? 0),
    artifacts: jobs.flatMap((job) => job.artifacts),
    started_at: run.startedAt,
    completed_at: run.closedAt,
    status: change.status,
    summary: change.summary,
  });

  const orderedJobs = (run: Run, traceId: string): JobResult[] =>
    (run.memo?.jobs ?? []).map((brief) => ordered(brief, traceId));

  const running = async (run: Run, traceId: string): Promise<TaskResult> => {
    const answer = TaskResult.safeParse(await engine.query(run.workflowId, QUERIES.status));
    const told = answer.success ? answer.data.jobs : orderedJobs(run, traceId);
    const jobs = await Promise.all(told.map((job) => jobNow(job, answer.success)));
    const waits = jobs.some((job) => job.status === 'awaiting_approval');
    return combine(run, jobs, { status: waits ? 'awaiting_approval' : 'running', summary: '' });
  };

  const closed = async (run: Run, traceId: string): Promise<TaskResult> => {
    const output = TaskResult.safeParse(run.status === 'completed' ? await engine.result(run.workflowId) : null);
    if (output.success) {
      const jobs = await Promise.all(
        output.data.jobs.map(async (job) => {
          // The task's own copy is short; a job that ran has the rest.
          const full = JobOutput.safeParse(
            job.started_at === null ? null : await engine.result(agentJobId(job.job_id)),
          );
          return full.success ? full.data.result : job;
        }),
      );
      return combine(run, jobs, output.data);
    }
    const jobs = await Promise.all(orderedJobs(run, traceId).map((job) => jobNow(job, true)));
    const how = run.status === 'running' || run.status === 'completed' ? 'failed' : run.status;
    return combine(
      run,
      jobs.map((job) => unbegun(job, run)),
      { status: outcomeOf(run), summary: `its workflow ${HOW_IT_ENDED[how]} in Temporal` },
    );
  };

  return {
    task: async (traceId) => {
      const run = await engine.describe(voiceTaskId(traceId));
      if (run) return run.status === 'running' ? running(run, traceId) : closed(run, traceId);
      const told = await unstarted(traceId);
      if (!told || told.reply.status === 'accepted') return null;
      return {
        trace_id: traceId,
        status: told.reply.status,
        utterance: told.utterance,
        summary: summaryOf(told.reply),
        jobs: [],
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: 0,
        artifacts: [],
        started_at: told.at,
        completed_at: told.at,
      };
    },
    job: async (jobId) => {
      const traceId = jobId.slice(0, 32);
      const run = await engine.describe(voiceTaskId(traceId));
      const brief = run?.memo?.jobs.find(({ job_id }) => job_id === jobId);
      if (!run || !brief) return null;
      const base = ordered(brief, traceId);
      const own = await engine.describe(agentJobId(jobId));
      if (own?.status === 'running') {
        const answer = JobOutput.safeParse(await engine.query(own.workflowId, QUERIES.status));
        return answer.success ? answer.data.result : { ...base, status: 'running', started_at: own.startedAt };
      }
      if (own) return closedJob(base, own);
      if (run.status === 'running') return base;
      // Never begun; the task says why.
      const output = TaskResult.safeParse(run.status === 'completed' ? await engine.result(run.workflowId) : null);
      return (output.success && output.data.jobs.find(({ job_id }) => job_id === jobId)) || unbegun(base, run);
    },
  };
};

const summaryOf = (reply: Exclude<FinalReply, { status: 'accepted' }>): string => {
  switch (reply.status) {
    case 'declined':
      return reply.reason;
    case 'clarify':
      return reply.question;
    case 'control':
      return reply.message;
  }
};
