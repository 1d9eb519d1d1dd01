import { createHash, randomUUID } from 'node:crypto';
import { agentJobId, SIGNALS, UPDATES, voiceTaskId } from '../contracts/names.ts';
import type { ApprovalAnswer, BudgetAddition, CancelRequest } from '../contracts/workflows.ts';
import { ProblemError } from './problems.ts';
import type { CommandOutcome, TaskEngine } from './task-engine.ts';

/** What a caller waits before it asks again whether a worker has confirmed. */
const CONFIRM_RETRY_S = 2;

export const notConfirmed = (advice: string): ProblemError =>
  new ProblemError('not-confirmed', `no worker answered within 2 s; ${advice}`, { retryAfterS: CONFIRM_RETRY_S });

export interface JobCommands {
  cancelTask(traceId: string, reason: string): Promise<void>;
  cancelJob(jobId: string, reason: string): Promise<void>;
  approve(jobId: string, answer: ApprovalAnswer): Promise<void>;
  /** `once`: a key by which a repeated call is the same one; without it every call adds. */
  addBudget(jobId: string, addUsd: number, once: string | undefined): Promise<void>;
  steer(jobId: string, text: string): Promise<void>;
}

/**
 * What people tell running work. All @throws ProblemError not-found, already-over, not-waiting, not-confirmed;
 * EngineUnavailable.
 */
export const createJobCommands = (
  engine: Pick<TaskEngine, 'describe' | 'signal' | 'update'>,
  /** True for a trace that was answered without starting anything. */
  isUnstarted: (traceId: string) => Promise<boolean>,
): JobCommands => {
  const noTask = async (traceId: string): Promise<ProblemError> =>
    (await isUnstarted(traceId))
      ? new ProblemError('already-over', 'this transcript started nothing')
      : new ProblemError('not-found', `no trace ${traceId}`);

  /** Why a command found nobody: over, not begun, or never heard of. */
  const gone = async (jobId: string): Promise<ProblemError> => {
    const traceId = jobId.slice(0, 32);
    const task = await engine.describe(voiceTaskId(traceId));
    if (!task) return (await isUnstarted(traceId)) ? notFound(jobId) : noTask(traceId);
    if (!task.memo?.jobs.some(({ job_id }) => job_id === jobId)) return notFound(jobId);
    const over = task.status !== 'running' || (await engine.describe(agentJobId(jobId))) !== null;
    return over
      ? new ProblemError('already-over', `job ${jobId} is over`)
      : new ProblemError('not-waiting', `job ${jobId} has not begun`);
  };
  const notFound = (jobId: string): ProblemError => new ProblemError('not-found', `no job ${jobId}`);

  const settle = async (jobId: string, result: CommandOutcome): Promise<void> => {
    switch (result.outcome) {
      case 'done':
        return;
      case 'gone':
        throw await gone(jobId);
      case 'refused':
        throw new ProblemError('not-waiting', result.reason);
      case 'unconfirmed':
        throw notConfirmed('ask again, it counts once');
    }
  };

  return {
    cancelTask: async (traceId, reason) => {
      const request: CancelRequest = { job_id: null, reason };
      const { outcome } = await engine.signal(voiceTaskId(traceId), SIGNALS.cancelJob, request);
      if (outcome === 'done') return;
      if (await engine.describe(voiceTaskId(traceId))) throw new ProblemError('already-over', 'this task is over');
      throw await noTask(traceId);
    },
    cancelJob: async (jobId, reason) => {
      const traceId = jobId.slice(0, 32);
      const task = await engine.describe(voiceTaskId(traceId));
      if (!task || !task.memo?.jobs.some(({ job_id }) => job_id === jobId)) throw await gone(jobId);
      const own = await engine.describe(agentJobId(jobId));
      if (task.status !== 'running' || (own && own.status !== 'running'))
        throw new ProblemError('already-over', `job ${jobId} is over`);
      const request: CancelRequest = { job_id: jobId, reason };
      await settle(jobId, await engine.signal(voiceTaskId(traceId), SIGNALS.cancelJob, request));
    },
    approve: async (jobId, answer) => {
      // One id per question and answer: said twice it counts once, and the opposite is not taken for the same.
      const updateId = `approve-${answer.approval_id}-${answer.decision}`;
      await settle(jobId, await engine.update(agentJobId(jobId), UPDATES.approve, updateId, answer));
    },
    addBudget: async (jobId, addUsd, once) => {
      const key = once === undefined ? randomUUID() : createHash('sha256').update(once).digest('hex').slice(0, 32);
      // The update's id makes it one within a run of the workflow, the key also beyond a continue-as-new.
      const addition: BudgetAddition = { add_usd: addUsd, key };
      const result = await engine.update(agentJobId(jobId), UPDATES.addBudget, `budget-${key}`, addition);
      if (result.outcome === 'unconfirmed' && once === undefined)
        throw notConfirmed('it may still be added; ask again only with an Idempotency-Key, under which it counts once');
      await settle(jobId, result);
    },
    steer: async (jobId, text) => {
      await settle(jobId, await engine.signal(agentJobId(jobId), SIGNALS.steer, { text }));
    },
  };
};
