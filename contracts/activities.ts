import type { Provider } from './agent.ts';
import type { CostSource, EnvironmentName } from './names.ts';
import type { ArtifactRef, Verification } from './task.ts';
import type { TraceEventDraft } from './trace-event.ts';
import type { Note, Predecessor, SessionLease } from './workflows.ts';

/** Who is working for whom; every activity gets it, so that traces and logs need no look-up. */
export interface JobIdentity {
  trace_id: string;
  job_id: string;
  agent: string;
  skill: string;
  plan: string;
}

export interface ModelTurnInput extends JobIdentity {
  turn: number;
  /** Head of the conversation chain; null before the first turn. */
  head: string | null;
  notes: Note[];
  /** Only on the first turn. */
  predecessors: Predecessor[];
  allow_unpriced: boolean;
}

/** One tool call as people see it; its input stays in the chain. `summary` is at most 120 characters. */
export interface ToolCallBrief {
  id: string;
  name: string;
  summary: string;
  /** The provider wants a person to confirm, and says why. */
  confirm: string | null;
}

export type TurnStop = 'tools' | 'end' | 'cut_off' | 'malformed' | 'refused';

export interface ModelTurnOutput {
  head: string;
  /** Cut to 2,000 bytes. */
  text: string;
  /** The whole report as an artifact, when `stop` is `end`. */
  report: ArtifactRef | null;
  /** At most 32; calls beyond are answered with an error by `runTools`. */
  tool_calls: ToolCallBrief[];
  stop: TurnStop;
  provider: Provider;
  model: string;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number | null;
  cost_source: CostSource;
  rehearsal: boolean;
  /** A stored answer was found: nothing was bought. */
  reused: boolean;
}

export interface OpenSessionInput extends JobIdentity {
  environment: EnvironmentName;
  /** 1 for the first session of a job, 2 after the first loss, ... */
  generation: number;
  /** SHA-256 of the checkpoint artifact to start from; null: from the beginning. */
  checkpoint: string | null;
  /** Commits of the coding jobs this one depends on, in spoken order. */
  base_commits: string[];
}

export interface OpenSessionOutput {
  lease: SessionLease;
  checkpoint: string | null;
}

export interface RunToolsInput extends JobIdentity {
  session: SessionLease;
  turn: number;
  head: string;
  checkpoint: string | null;
  calls: ToolCallBrief[];
  /** Calls a person said no to (or nobody said yes to in time). */
  denied: { id: string; note: string }[];
  /** Calls of which a person confirmed what the provider asked. */
  confirmed: string[];
  /** A rehearsal model asked for them; their trace lines say so. */
  rehearsal: boolean;
}

export interface RunToolsOutput {
  head: string;
  checkpoint: string | null;
  failed: number;
  unknown: number;
}

export interface VerifyJobInput extends JobIdentity {
  session: SessionLease;
  round: number;
  checkpoint: string | null;
  rehearsal: boolean;
}

export interface VerifyJobOutput {
  verification: Verification;
  /** What the model should know when it failed; at most 4,000 characters. */
  note: string;
}

export interface CloseSessionInput extends JobIdentity {
  session: SessionLease;
  checkpoint: string | null;
  outcome: 'succeeded' | 'failed' | 'cancelled';
}

export interface CloseSessionOutput {
  /** At most 18. */
  artifacts: ArtifactRef[];
  branch: string | null;
  commit: string | null;
}

/**
 * An event that only the workflow knows of. Ends carry no `ts`: they happen when they are written, because a workflow's
 * clock can stand still at its previous task (a query that races a task does that in SDK 1.24). `since` (ISO 8601):
 * when what ended began; becomes `duration_ms`.
 */
export type WorkflowEvent = TraceEventDraft & { since?: string };

export interface RecordTraceInput {
  events: WorkflowEvent[];
}

/** The six activities, as workflows see them. */
export interface Activities {
  modelTurn: (input: ModelTurnInput) => Promise<ModelTurnOutput>;
  openSession: (input: OpenSessionInput) => Promise<OpenSessionOutput>;
  runTools: (input: RunToolsInput) => Promise<RunToolsOutput>;
  verifyJob: (input: VerifyJobInput) => Promise<VerifyJobOutput>;
  closeSession: (input: CloseSessionInput) => Promise<CloseSessionOutput>;
  recordTrace: (input: RecordTraceInput) => Promise<void>;
}
