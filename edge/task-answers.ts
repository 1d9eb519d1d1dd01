import { z } from 'zod';
import { TASK_OUTCOMES } from '../contracts/names.ts';
import type { TaskOutcome } from '../contracts/names.ts';
import type { FinalReply, Problem } from '../contracts/replies.ts';
import { Verification } from '../contracts/task.ts';
import type { TaskResult } from '../contracts/task.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { unlessAborted } from '../platform/lifecycle.ts';
import type { Answers } from './answers.ts';
import {
  approvalSentence,
  jobFailedSentence,
  questionKeyOf,
  replySentence,
  resultSentence,
  troubleSentence,
} from './spoken-answers.ts';
import type { JobTold } from './spoken-answers.ts';
import { speakable } from './speakable.ts';

/** Tasks whose story is remembered. */
const MAX_TASKS = 200;
/** Jobs of one task; the gateway starts eight at most. */
const MAX_JOBS = 32;
/** What the gateway does not tell by then is not waited for. */
const FETCH_MS = 5_000;
/** "I did not take that as an order" at most so often: noise, and our own voice, would be answered without end. */
const DECLINE_PAUSE_MS = 10_000;

const JobEnd = z.object({
  message: z.string().catch(''),
  verification: Verification.nullable().catch(null),
});
const TaskEnd = z.object({
  outcome: z.enum(TASK_OUTCOMES).nullable().catch(null),
  jobs: z.array(z.object({ job_id: z.string(), status: z.string() })).catch([]),
  rehearsal: z.boolean().catch(false),
});
const Rehearsal = z.object({ rehearsal: z.literal(true) });

/** What is known of a task that runs. */
interface Story {
  /** Of every job that was ordered, as far as it is known. */
  jobs: Map<string, JobTold>;
  rehearsal: boolean;
  over: boolean;
}

export interface TaskAnswersDeps {
  answers: Pick<Answers, 'say' | 'settle' | 'userAnswered'>;
  /** `GET /trace/{trace_id}`. Asked only where events do not tell how a job ended. */
  fetchTask: (traceId: string, signal: AbortSignal) => Promise<TaskResult>;
  /** Milliseconds since the epoch; default: the clock. */
  now?: () => number;
}

export interface TaskAnswers {
  /** The gateway answered a sentence. */
  acked(reply: FinalReply): void;
  /** The gateway refused one for good. */
  refused(problem: Problem): void;
  /** A sentence could not be recognised; `reason` is for the speaker. */
  lost(reason: string): void;
  /** Something happened to a task. */
  task(event: TraceEvent): void;
  /** Resolves when no task waits for what the gateway has to tell about it. */
  settled(): Promise<void>;
}

const asOutcome = (event: TraceEvent, told: TaskOutcome | null): TaskOutcome =>
  told ?? (event.phase === 'failed' || event.phase === 'cancelled' ? event.phase : 'succeeded');

const fromResult = (job: TaskResult['jobs'][number], told: boolean): JobTold => ({
  agent: job.agent,
  instruction: job.instruction,
  status: job.status,
  message: job.error?.message ?? job.summary,
  errorType: job.error?.type ?? null,
  verification: job.verification,
  told,
});

const isOver = ({ status }: JobTold): boolean => ['succeeded', 'failed', 'cancelled'].includes(status);

/** Follows tasks, and says what a person wants to hear of them: that they began, what they ask, how they ended. */
export const createTaskAnswers = ({ answers, fetchTask, now = Date.now }: TaskAnswersDeps): TaskAnswers => {
  const stories = new Map<string, Story>();
  const openQuestions = new Set<string>();
  const fetching = new Set<Promise<void>>();
  let declinedAtMs = -Infinity;

  const storyOf = (traceId: string): Story => {
    const known = stories.get(traceId);
    if (known) return known;
    const story: Story = { jobs: new Map(), rehearsal: false, over: false };
    stories.set(traceId, story);
    for (const oldest of stories.keys()) {
      if (stories.size <= MAX_TASKS) break;
      stories.delete(oldest);
    }
    return story;
  };

  const jobOf = (story: Story, jobId: string | null, agent: string | null): JobTold | null => {
    if (jobId === null) return null;
    const known = story.jobs.get(jobId);
    if (known) return known;
    if (story.jobs.size >= MAX_JOBS) return null;
    const job: JobTold = {
      agent: agent ?? 'last',
      instruction: '',
      status: 'running',
      message: '',
      errorType: null,
      verification: null,
      told: false,
    };
    story.jobs.set(jobId, job);
    return job;
  };

  /** Also remembers what it tells. */
  const isWorthSaying = (reply: FinalReply): boolean => {
    if (reply.status === 'declined') {
      const saidLately = performance.now() - declinedAtMs < DECLINE_PAUSE_MS;
      if (!saidLately) declinedAtMs = performance.now();
      return !saidLately;
    }
    if (reply.status !== 'accepted') return true;
    const story = storyOf(reply.trace_id);
    if (story.over) return false; // its end was quicker than the news of its beginning
    for (const { job_id: jobId, agent, instruction } of reply.jobs) {
      const job = jobOf(story, jobId, agent);
      if (job) Object.assign(job, { agent, instruction });
    }
    return true;
  };

  const settleQuestions = (): void => {
    for (const key of openQuestions) answers.settle(key);
    openQuestions.clear();
  };

  const jobEnded = (event: TraceEvent): void => {
    const story = storyOf(event.trace_id);
    const job = jobOf(story, event.job_id, event.agent);
    if (!job || isOver(job) || story.over) return;
    const { message, verification } = JobEnd.parse(event.payload);
    const status = event.phase === 'succeeded' || event.phase === 'failed' ? event.phase : 'cancelled';
    Object.assign(job, { status, message, verification, errorType: event.error_type });
    // The last job's failure is the task's, which comes at once and tells of all.
    const othersRun = [...story.jobs.values()].some((other) => !isOver(other));
    if (status !== 'failed' || !othersRun) return;
    job.told = true;
    answers.say(jobFailedSentence(event.trace_id, job));
  };

  const sayEnd = (event: TraceEvent, story: Story, jobs: readonly JobTold[]): void => {
    const { outcome, rehearsal } = TaskEnd.parse(event.payload);
    answers.say(resultSentence(event.trace_id, asOutcome(event, outcome), jobs, rehearsal || story.rehearsal));
    stories.delete(event.trace_id);
    stories.set(event.trace_id, { jobs: new Map(), rehearsal: false, over: true });
  };

  const taskEnded = (event: TraceEvent): void => {
    const story = storyOf(event.trace_id);
    if (story.over) return;
    story.over = true;
    const named = TaskEnd.parse(event.payload).jobs.map(({ job_id: jobId }) => jobId);
    const ids = named.length > 0 ? named : [...story.jobs.keys()];
    const known = ids.map((id) => story.jobs.get(id));
    if (ids.length > 0 && known.every((job) => job !== undefined && isOver(job))) {
      sayEnd(
        event,
        story,
        known.filter((job) => job !== undefined),
      );
      return;
    }
    const signal = AbortSignal.timeout(FETCH_MS);
    const told = unlessAborted(fetchTask(event.trace_id, signal), signal)
      .then((task) => task.jobs.map((job) => fromResult(job, story.jobs.get(job.job_id)?.told ?? false)))
      // Away, or forgotten: that it ended is known all the same.
      .catch((): JobTold[] => [])
      .then((jobs) => sayEnd(event, story, jobs))
      .finally(() => fetching.delete(told));
    fetching.add(told);
  };

  return {
    acked: (reply) => {
      // A question about what to do is settled by whatever the gateway makes of the next sentence, but for small talk.
      if (reply.status !== 'declined') settleQuestions();
      const said = replySentence(reply);
      if (said) answers.say({ ...said, aloud: isWorthSaying(reply) });
      if (said?.urgency === 'question' && said.key !== null) openQuestions.add(said.key);
      answers.userAnswered();
    },
    refused: (problem) => {
      answers.say(troubleSentence(`That could not be taken: ${speakable(problem.detail ?? problem.title, 16)}`));
      answers.userAnswered();
    },
    lost: (reason) => {
      answers.say(troubleSentence(reason));
      answers.userAnswered();
    },
    task: (event) => {
      const { phase, job_id: jobId } = event;
      if (Rehearsal.safeParse(event.payload).success && !storyOf(event.trace_id).over)
        storyOf(event.trace_id).rehearsal = true;
      switch (phase) {
        case 'submitted':
        case 'running':
          jobOf(storyOf(event.trace_id), jobId, event.agent);
          return;
        case 'approval_requested': {
          if (storyOf(event.trace_id).over) return;
          const said = approvalSentence(event, now() - Date.parse(event.ts), performance.now());
          if (said) answers.say(said);
          return;
        }
        case 'approved':
        case 'rejected': {
          const key = questionKeyOf(event);
          if (key !== null) answers.settle(key);
          return;
        }
        case 'succeeded':
          if (jobId !== null) jobEnded(event);
          return;
        case 'failed':
        case 'cancelled':
          if (jobId !== null) jobEnded(event);
          else taskEnded(event);
          return;
        case 'completed':
          taskEnded(event);
          return;
        default:
      }
    },
    settled: async () => {
      await Promise.all(fetching);
    },
  };
};
