import { z } from 'zod';
import { JobBrief } from '../contracts/replies.ts';
import type { TaskInput } from '../contracts/workflows.ts';
import { delay } from '../platform/lifecycle.ts';

/** What a run carries for those who ask later: the first reply's essence, and what makes a repeated post the same one. */
export const TaskMemo = z.object({
  v: z.literal(1),
  /** Hash of text and session. */
  body_hash: z.string(),
  jobs: z.array(JobBrief),
  /** Plan of the first job, which holds the whole utterance. */
  plan: z.string().nullable(),
});
export type TaskMemo = z.infer<typeof TaskMemo>;

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

/** One workflow as the server knows it; times are ISO 8601. */
export interface Run {
  workflowId: string;
  runId: string;
  status: RunStatus;
  startedAt: string;
  closedAt: string | null;
  /** null on workflows that carry none of ours. */
  memo: TaskMemo | null;
  attributes: {
    traceId: string | null;
    sessionId: string | null;
    agent: string | null;
    outcome: string | null;
    utterance: string | null;
    costUsd: number | null;
  };
}

export interface TaskStart {
  input: TaskInput;
  memo: TaskMemo;
  /** One line for the Web UI, and Markdown behind it. */
  summary: string;
  details: string;
}

/** Temporal does not answer, or not in time. Nothing is lost: the same request may be made again. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/** Between two tries to learn something from a Temporal that is away. */
const AGAIN_MS = 1_000;

/** What `ask` answers, once Temporal does. @throws the signal's reason; anything but EngineUnavailable */
export const untilAnswered = async <T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      await delay(AGAIN_MS, signal);
    }
  }
};

/** `gone`: that workflow is closed or never was. `unconfirmed`: no worker said yes in time; it may still happen. */
export type CommandOutcome =
  { outcome: 'done' } | { outcome: 'gone' } | { outcome: 'refused'; reason: string } | { outcome: 'unconfirmed' };

/**
 * The gateway's view of Temporal. Every call has a deadline of its own (3 s; queries and updates 2 s).
 * @throws EngineUnavailable from every method, unless it says otherwise.
 */
export interface TaskEngine {
  /** Durable when it resolves. null: started now; otherwise the run that had this trace already, closed or not. */
  start(task: TaskStart): Promise<Run | null>;
  /** The newest run under that id; null when there is none. */
  describe(workflowId: string): Promise<Run | null>;
  /** null when no worker answered in time. */
  query(workflowId: string, name: string): Promise<unknown>;
  /** Result of a completed workflow; null when it has none. */
  result(workflowId: string): Promise<unknown>;
  /** Resolves when the workflow is closed; waits for a server that is away. Rejects only when the signal aborts. */
  waitClosed(workflowId: string, signal: AbortSignal): Promise<void>;
  signal(workflowId: string, name: string, argument: unknown): Promise<CommandOutcome>;
  /** `updateId` makes repetitions the same update. */
  update(workflowId: string, name: string, updateId: string, argument: unknown): Promise<CommandOutcome>;
  /** Newest first. `cursor` is opaque. */
  list(query: string, page: { limit: number; cursor?: string | null }): Promise<{ runs: Run[]; next: string | null }>;
  count(query: string): Promise<number>;
  /** What is missing before work can be taken on, in words; empty when ready. Throws nothing. */
  missing(): Promise<string[]>;
}

/** A value in a visibility query. */
export const quoted = (value: string): string => `'${value.replace(/[\\']/g, (c) => `\\${c}`)}'`;
