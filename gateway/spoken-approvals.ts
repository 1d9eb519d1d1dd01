import { z } from 'zod';
import { agentJobId, jobIdOf, QUERIES } from '../contracts/names.ts';
import { RISKS } from '../contracts/skill.ts';
import type { Risk } from '../contracts/skill.ts';
import { JobResult, Waiting } from '../contracts/task.ts';
import type { ApprovalAnswer } from '../contracts/workflows.ts';
import { notConfirmed } from './job-commands.ts';
import type { JobCommands } from './job-commands.ts';
import { ProblemError } from './problems.ts';
import { counted, jobName, sentence, shown } from './spoken-reports.ts';
import { isPlace } from './steered-tasks.ts';
import type { Performed, SteeredTasks } from './steered-tasks.ts';
import type { Run, TaskEngine } from './task-engine.ts';

/** A question may be answered by voice for so long. */
export const SPOKEN_MS = 60_000;
/** Clocks of one machine and its guests differ by this much; a question further in the future has another clock. */
const SKEW_MS = 5_000;
/** Answers that no worker has confirmed yet, by the utterance that gave them. */
const MAX_UNCONFIRMED = 1_000;

/** Of a job's `status` query. A worker of an earlier version says neither risk nor time, and nothing is assumed. */
const Answered = z.object({
  result: JobResult,
  waiting: Waiting.nullable(),
  asked_at: z.iso.datetime().nullish(),
  risk: z.enum(RISKS).nullish(),
});

interface Question {
  job: JobResult;
  waiting: Waiting;
  askedAtMs: number | null;
  risk: Risk | null;
}

/** Who answers: in which session, under which trace, and when it was said, if that is known. */
export interface Speaker {
  sessionId: string | null;
  traceId: string;
  saidAtMs?: number | undefined;
}

export interface SpokenAnswer extends Performed {
  /** False where no question of any kind waits, so that the word may have meant something else. */
  asked: boolean;
}

export interface SpokenApprovals {
  /**
   * Answers the one question that waits. @throws ProblemError not-confirmed when no worker says in time what waits, or
   * takes the answer; EngineUnavailable.
   */
  answer(decision: ApprovalAnswer['decision'], target: string, speaker: Speaker): Promise<SpokenAnswer>;
}

export interface SpokenApprovalDeps {
  engine: Pick<TaskEngine, 'query'>;
  commands: Pick<JobCommands, 'approve'>;
  tasks: Pick<SteeredTasks, 'last' | 'runningJobs'>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

const nothing = (message: string): SpokenAnswer => ({ outcome: 'nothing', message, asked: true });
const otherwise = (jobId: string): string => `use the command dual approve ${jobId}`;

/**
 * Approvals by voice. One word answers one question, never more; within 60 s of the question, in the session whose task
 * asks it; and no yes to what cannot be taken back. A no is held to the same time and session, but not to the risk: it
 * is what silence would say.
 */
export const createSpokenApprovals = ({ engine, commands, tasks, now }: SpokenApprovalDeps): SpokenApprovals => {
  const unconfirmed = new Map<string, { jobId: string; answer: ApprovalAnswer; summary: string }>();

  const questionOf = async ({ workflowId }: Run): Promise<Question | null> => {
    const answer = Answered.safeParse(await engine.query(workflowId, QUERIES.status));
    // Who does not hear the job must not guess that it waits for nothing.
    if (!answer.success) throw notConfirmed('what waits is not known; ask again');
    const { result, waiting, asked_at: askedAt, risk } = answer.data;
    if (!waiting) return null;
    return { job: result, waiting, askedAtMs: askedAt == null ? null : Date.parse(askedAt), risk: risk ?? null };
  };

  /** Everything that waits for a person and that the target may mean. */
  const questionsFor = async (target: string, sessionId: string): Promise<Question[]> => {
    const runs = await tasks.runningJobs(sessionId);
    const last = await tasks.last(sessionId);
    const lastTrace = last === null || last === 'several' ? null : last.traceId;
    if (isPlace(target)) {
      const id = lastTrace === null ? null : agentJobId(jobIdOf(lastTrace, Number(target)));
      const found = await Promise.all(runs.filter(({ workflowId }) => workflowId === id).map(questionOf));
      return found.filter((question) => question !== null);
    }
    const named = target === 'last' || target === 'all' ? runs : runs.filter((run) => run.attributes.agent === target);
    const found = (await Promise.all(named.map(questionOf))).filter((question) => question !== null);
    const ofLast = found.filter(({ job }) => job.trace_id === lastTrace);
    return named !== runs && ofLast.length > 0 ? ofLast : found;
  };

  /** Why this question may not be answered by voice now; null when it may. */
  const refusal = (decision: ApprovalAnswer['decision'], question: Question, saidAtMs?: number): string | null => {
    const { waiting, job, risk, askedAtMs } = question;
    const summary = shown(waiting.summary);
    if (waiting.kind === 'budget')
      return `${job.agent} waits for more budget and not for an approval: ${summary}; use the command dual budget ${job.job_id} with an amount`;
    if (decision === 'approve' && risk === 'irreversible')
      return `what cannot be taken back is never approved by voice: ${summary}; ${otherwise(job.job_id)}`;
    if (decision === 'approve' && risk === null)
      return `its worker does not say how risky it is: ${summary}; ${otherwise(job.job_id)}`;
    const age = askedAtMs === null ? Infinity : now() - askedAtMs;
    if (age > SPOKEN_MS || age < -SKEW_MS)
      return `it was asked more than 60 seconds ago, too long for an answer by voice: ${summary}; ${otherwise(job.job_id)}`;
    if (saidAtMs !== undefined && askedAtMs !== null && saidAtMs < askedAtMs - SKEW_MS)
      return `that was said before this was asked: ${summary}; say it again, or ${otherwise(job.job_id)}`;
    return null;
  };

  const give = async (
    traceId: string,
    jobId: string,
    answer: ApprovalAnswer,
    summary: string,
  ): Promise<SpokenAnswer> => {
    try {
      await commands.approve(jobId, answer);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.problem === 'not-confirmed') {
        // The same utterance again is the same answer to the same question, whatever waits by then.
        unconfirmed.set(traceId, { jobId, answer, summary });
        for (const oldest of unconfirmed.keys()) {
          if (unconfirmed.size <= MAX_UNCONFIRMED) break;
          unconfirmed.delete(oldest);
        }
        throw error;
      }
      unconfirmed.delete(traceId);
      return nothing(`that is not waited for any more: ${summary}`);
    }
    unconfirmed.delete(traceId);
    return {
      outcome: 'done',
      message: `${answer.decision === 'approve' ? 'approved' : 'rejected'}: ${summary}`,
      asked: true,
    };
  };

  return {
    answer: async (decision, target, { sessionId, traceId, saidAtMs }) => {
      const again = unconfirmed.get(traceId);
      if (again) return give(traceId, again.jobId, again.answer, again.summary);
      if (sessionId === null)
        return nothing(
          'approvals are answered by voice only in the session that was asked; use the command dual approve',
        );
      const found = await questionsFor(target, sessionId);
      const questions = found.toSorted((a, b) => (a.job.job_id < b.job.job_id ? -1 : 1));
      const [question] = questions;
      if (!question) return { outcome: 'nothing', message: 'no approval waits for an answer', asked: false };
      if (questions.length > 1) {
        const jobs = questions.map(({ job }) => job);
        const each = questions.map(({ job, waiting }) => `${jobName(job, jobs)}: ${shown(waiting.summary)}`).join('; ');
        return {
          outcome: 'ambiguous',
          message: `${sentence(counted(questions.length, 'question'))} wait for you: ${each}. Say which job you mean.`,
          asked: true,
        };
      }
      const refused = refusal(decision, question, saidAtMs);
      if (refused !== null) return nothing(refused);
      const { job, waiting } = question;
      const answer: ApprovalAnswer = { approval_id: waiting.approval_id, decision, note: 'by voice' };
      return give(traceId, job.job_id, answer, shown(waiting.summary));
    },
  };
};
