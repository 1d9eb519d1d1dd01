import type { Risk } from './skill.ts';
import type { EnvironmentName, JobStatus } from './names.ts';
import type { ArtifactRef, Dependency, JobResult, TaskResult, Verification, Waiting } from './task.ts';
import type { CostSource } from './names.ts';

/**
 * What the gateway hands to a job. Small on purpose: the full instruction, prose and parameters are in the `plan`
 * artifact (a JobPlan); `instruction` is a preview of at most 400 bytes for people.
 */
export interface JobSpec {
  job_id: string;
  trace_id: string;
  agent: string;
  skill: string;
  instruction: string;
  depends_on: Dependency[];
  /** SHA-256 of the JobPlan artifact. */
  plan: string;
  /** The model as people know it before it has answered: its name, or its family where the worker's variable decides. */
  model: string;
  environment: EnvironmentName | null;
  /** Ask a person before the first turn. */
  approve_start: boolean;
  risk: Risk;
  /** Tool names that ask a person before each call. */
  approve_tools: string[];
  limits: { max_turns: number; max_cost_usd: number; timeout_ms: number };
  /** This job's share of TASK_BUDGET_USD. */
  budget_usd: number;
  /** false: a model without a known price is refused. */
  allow_unpriced: boolean;
  /** null: nothing is verified. */
  verify_rounds: number | null;
}

/** Input of `voiceTask`. `utterance` is cut to 200 characters; the whole text is in every plan. */
export interface TaskInput {
  trace_id: string;
  session_id: string | null;
  utterance: string;
  jobs: JobSpec[];
  approval_timeout_ms: number;
}

/** Result of `voiceTask`: its jobs carry no artifacts and short summaries; the jobs' own results have the rest. */
export type TaskOutput = TaskResult;

/** What a dependent job learns of one it waited for. At most 600 bytes of summary and three artifacts (one, when it waited for many). */
export interface Predecessor {
  job_id: string;
  agent: string;
  status: JobStatus;
  summary: string;
  /** Commit of `dual/<job_id>`; null when the job left none. */
  commit: string | null;
  artifacts: ArtifactRef[];
}

/** A message for the model's next turn. At most 4,000 bytes. */
export interface Note {
  kind: 'steer' | 'session_lost' | 'verification_failed' | 'cut_off' | 'malformed' | 'budget_extended';
  text: string;
}

/** A leased place where tools act. Tools run on `owner_queue`. */
export interface SessionLease {
  session_id: string;
  owner_queue: string;
  environment: EnvironmentName;
}

export interface Totals {
  turns: number;
  input_tokens: number;
  output_tokens: number;
  /** null once a turn without a known price was bought. */
  cost_usd: number | null;
  cost_source: CostSource;
  rehearsal: boolean;
}

/** Everything `agentJob` carries over a continue-as-new. */
export interface JobState {
  started_at: string;
  head: string | null;
  checkpoint: string | null;
  session: SessionLease | null;
  /** Sessions opened so far, and of those, lost. */
  sessions_opened: number;
  sessions_lost: number;
  totals: Totals;
  /** What may be spent before a person is asked again; `deadline_ms` is workflow time since the epoch. */
  allowance: { usd: number; turns: number; deadline_ms: number };
  notes: Note[];
  /** A person said yes to the start, where the skill's policy asks. */
  start_approved: boolean;
  /** Keys of the newest additions to the budget, so that one asked for again counts once; at most 50. */
  budget_keys: string[];
  /** The model that answered last. */
  model: string;
  verification: Verification | null;
  verify_rounds_used: number;
  /** Unusable answers (malformed, cut off) in a row. */
  unusable_in_a_row: number;
  approvals_asked: number;
  /** The model's last words, cut to 2,000 bytes, and the whole report once it has ended. */
  last_text: string;
  report: ArtifactRef | null;
}

/** Input of `agentJob`. */
export interface JobInput {
  spec: JobSpec;
  utterance: string;
  approval_timeout_ms: number;
  predecessors: Predecessor[];
  /** null on the first run. */
  state: JobState | null;
}

/** Result of `agentJob`; it never throws for a failed job. */
export interface JobOutput {
  result: JobResult;
  commit: string | null;
}

/** Answer of the `status` query of `agentJob`. `asked_at`: since when it waits, ISO 8601; null when it does not. */
export interface JobStatusAnswer {
  result: JobResult;
  phase: string;
  turn: number;
  waiting: Waiting | null;
  asked_at: string | null;
  risk: Risk;
}

/** Signal `cancelJob`. On a `voiceTask`: `job_id` null cancels every job. */
export interface CancelRequest {
  job_id: string | null;
  reason: string;
}

/** Update `addBudget`. `key`: asked for again under the same one, it counts once. */
export interface BudgetAddition {
  add_usd: number;
  key: string;
}

/** Update `approve`. */
export interface ApprovalAnswer {
  approval_id: string;
  decision: 'approve' | 'reject';
  note: string;
}
