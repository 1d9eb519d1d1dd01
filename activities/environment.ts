import type { JobPlan } from '../contracts/agent.ts';
import type { EnvironmentName } from '../contracts/names.ts';
import type { ArtifactRef, Verification } from '../contracts/task.ts';
import type { ToolCall, ToolResult } from './models/model.ts';

/** How an environment is driven: when to stop, which attempt this is, and how to say that it is alive. */
export interface Control {
  /** Aborted on cancellation, worker shutdown, or when a newer attempt takes over. Everything must be over soon after. */
  signal: AbortSignal;
  /** Temporal's attempt of this activity, from 1. */
  attempt: number;
  /** Says what is happening, for people; at most 120 characters. */
  progress(message: string): void;
}

export interface OpenRequest {
  traceId: string;
  jobId: string;
  plan: JobPlan;
  /** 1 for the first session of the job. */
  generation: number;
  checkpoint: string | null;
  baseCommits: string[];
}

export interface OpenedSession {
  sessionId: string;
  /** SHA-256 of the checkpoint artifact that describes the state now. */
  checkpoint: string | null;
}

export interface ToolBatch {
  sessionId: string;
  jobId: string;
  turn: number;
  calls: ToolCall[];
  /** Ids of calls of which a person confirmed what the provider asked. */
  confirmed: string[];
  /** State the batch starts from; a retry resets to it first. */
  checkpoint: string | null;
}

export interface BatchResult {
  checkpoint: string | null;
  /** One per call, in order. */
  results: ToolResult[];
}

export interface CloseRequest {
  sessionId: string;
  jobId: string;
  plan: JobPlan;
  checkpoint: string | null;
  outcome: 'succeeded' | 'failed' | 'cancelled';
}

export interface ClosedSession {
  /** At most 18; more are listed in a manifest artifact. */
  artifacts: ArtifactRef[];
  branch: string | null;
  commit: string | null;
}

export interface VerifyRequest {
  sessionId: string;
  jobId: string;
  round: number;
  checkpoint: string | null;
}

/**
 * A place where tools act. One folder implements it, `workers/environments.ts` lists it.
 * Every method but `open` throws `OperationError('SessionLost')` when the session is not here (any more).
 * `close` is repeatable, and closing what is gone is no error.
 */
export interface Environment {
  readonly name: EnvironmentName;
  /** Names the queue only this owner polls, `dual-<name>-<owner>`; 1-60 of `[a-z0-9-]`. */
  readonly owner: string;
  /** Sessions that may be open at once. */
  readonly capacity: number;
  /** @throws OperationError `EnvironmentBusy` when no slot came free soon, `BadInput` when the place cannot be made. */
  open(request: OpenRequest, control: Control): Promise<OpenedSession>;
  runTools(batch: ToolBatch, control: Control): Promise<BatchResult>;
  /** null: this environment has nothing to verify. */
  verify(request: VerifyRequest, control: Control): Promise<{ verification: Verification; note: string } | null>;
  close(request: CloseRequest, control: Control): Promise<ClosedSession>;
  /** Ends everything this process opened; leaves what another process may resume. */
  dispose(): Promise<void>;
}
