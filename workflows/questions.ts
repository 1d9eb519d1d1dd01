import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { UPDATES } from '../contracts/names.ts';
import type { Waiting } from '../contracts/task.ts';
import type { ApprovalAnswer, BudgetAddition } from '../contracts/workflows.ts';

const approveUpdate = defineUpdate<{ job_id: string; approval_id: string }, [ApprovalAnswer]>(UPDATES.approve);
const addBudgetUpdate = defineUpdate<{ job_id: string; budget_usd: number }, [BudgetAddition]>(UPDATES.addBudget);

/** More money at once than this is a typing mistake. */
const MAX_ADD_USD = 1_000;

export type Answer = { kind: 'approve' | 'reject' | 'silence'; note: string } | { kind: 'budget'; addUsd: number };

/** What a job asks a person, one question at a time, and how the answer finds its way back. */
export interface Questions {
  readonly waiting: Waiting | null;
  /** When the newest question was opened, ISO 8601; null before the first. */
  readonly askedAt: string | null;
  /** Opens the question, announces it, waits for the answer; nobody's answer until `expires_at` is `silence`. */
  ask(
    question: Omit<Waiting, 'expires_at'>,
    timeoutMs: number,
    announce: (waiting: Waiting) => Promise<void>,
  ): Promise<Answer>;
}

/**
 * Sets the update handlers; call before the first await. They are synchronous, and take the question away themselves,
 * so that the second of two answers to one question is refused by its validator.
 * `onBudget` gets the money that arrives, asked for or not, and answers the budget as it then is.
 */
export const createQuestions = (jobId: string, onBudget: (addition: BudgetAddition) => number): Questions => {
  let waiting: Waiting | null = null;
  let askedAt: string | null = null;
  let answer: Answer | null = null;
  const settle = (given: Answer): void => {
    answer = given;
    waiting = null;
  };

  setHandler(
    approveUpdate,
    ({ approval_id, decision, note }) => {
      settle({ kind: decision, note });
      return { job_id: jobId, approval_id };
    },
    {
      validator: (given: ApprovalAnswer) => {
        if (!waiting) throw new Error('nothing waits for approval');
        if (given.approval_id !== waiting.approval_id)
          throw new Error(`that approval is not waiting; ${waiting.approval_id} is`);
        if (given.decision !== 'approve' && given.decision !== 'reject')
          throw new Error('decision is approve or reject');
        if (typeof given.note !== 'string' || given.note.length > 1_000)
          throw new Error('note is a text of at most 1,000 characters');
      },
    },
  );
  setHandler(
    addBudgetUpdate,
    (addition) => {
      const budgetUsd = onBudget(addition);
      if (waiting?.kind === 'budget') settle({ kind: 'budget', addUsd: addition.add_usd });
      return { job_id: jobId, budget_usd: budgetUsd };
    },
    {
      validator: ({ add_usd, key }: BudgetAddition) => {
        if (typeof add_usd !== 'number' || !(add_usd > 0 && add_usd <= MAX_ADD_USD))
          throw new Error(`add_usd is more than 0 and at most ${MAX_ADD_USD}`);
        if (typeof key !== 'string' || key.length > 100) throw new Error('key is a text of at most 100 characters');
      },
    },
  );

  return {
    get waiting() {
      return waiting;
    },
    get askedAt() {
      return askedAt;
    },
    ask: async (question, timeoutMs, announce) => {
      answer = null;
      const now = Date.now();
      askedAt = new Date(now).toISOString();
      const opened = { ...question, expires_at: new Date(now + timeoutMs).toISOString() };
      waiting = opened;
      try {
        await announce(opened);
        await condition(() => answer !== null, timeoutMs);
        return answer ?? { kind: 'silence', note: 'nobody answered in time' };
      } finally {
        waiting = null;
      }
    },
  };
};
