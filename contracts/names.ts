/**
 * Wire names: what other processes, running workflows and recorded histories rely on. Renaming one strands running
 * work, so `tests/contract/names.test.ts` pins each as a literal. This file imports nothing: workflow code takes its
 * values from here and only from here.
 */

export const WORKFLOWS = { voiceTask: 'voiceTask', agentJob: 'agentJob' } as const;

/** Shared task queues; sessions add `dual-<environment>-<owner>`. */
export const QUEUES = {
  workflows: 'dual-workflows',
  models: 'dual-models',
  coding: 'dual-coding',
  browser: 'dual-browser',
} as const;

export const ACTIVITIES = {
  modelTurn: 'modelTurn',
  openSession: 'openSession',
  runTools: 'runTools',
  closeSession: 'closeSession',
  verifyJob: 'verifyJob',
  recordTrace: 'recordTrace',
} as const;

export const SIGNALS = { cancelJob: 'cancelJob', steer: 'steer' } as const;
export const UPDATES = { approve: 'approve', addBudget: 'addBudget' } as const;
export const QUERIES = { status: 'status' } as const;

export const SEARCH_ATTRIBUTES = {
  TraceId: 'KEYWORD',
  SessionId: 'KEYWORD',
  Agent: 'KEYWORD',
  Outcome: 'KEYWORD',
  Utterance: 'KEYWORD',
  CostUsd: 'DOUBLE',
} as const;

/** `voice-<trace_id>` */
export const voiceTaskId = (traceId: string): string => `voice-${traceId}`;
/** `job-<job_id>` */
export const agentJobId = (jobId: string): string => `job-${jobId}`;
/** `<trace_id>-<n>`, n from 1 in spoken order. */
export const jobIdOf = (traceId: string, n: number): string => `${traceId}-${n}`;
/** The queue only the owner of a session polls: one per host and data directory (coding), one per process (browser). */
export const ownerQueue = (environment: EnvironmentName, owner: string): string => `dual-${environment}-${owner}`;

export const ENVIRONMENTS = ['coding', 'browser'] as const;
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** The closed catalogue of failure types; everything foreign is classified into one of these. */
export const FAILURE_TYPES = [
  'BadInput',
  'Forbidden',
  'NotFound',
  'RateLimited',
  'ProviderUnavailable',
  'ProviderRefused',
  'BudgetExceeded',
  'ApprovalRejected',
  'EnvironmentBusy',
  'EnvironmentUnavailable',
  'SessionLost',
  'ToolFailed',
  'VerificationFailed',
  'DependencyNotMet',
  'MergeConflict',
  'Cancelled',
  'PayloadTooLarge',
  'Internal',
] as const;
export type FailureType = (typeof FAILURE_TYPES)[number];

/** Failure types that trying again cannot mend. `RateLimited`, `ProviderUnavailable`, `EnvironmentBusy` and `Internal` can. */
export const FINAL_FAILURES = [
  'BadInput',
  'Forbidden',
  'NotFound',
  'ProviderRefused',
  'BudgetExceeded',
  'ApprovalRejected',
  'EnvironmentUnavailable',
  'SessionLost',
  'ToolFailed',
  'VerificationFailed',
  'DependencyNotMet',
  'MergeConflict',
  'Cancelled',
  'PayloadTooLarge',
  'PayloadsTooLarge', // Temporal's own name for a result over 2 MiB; retryable by default, and would buy the turn again
] as const;

/** What happens to a sentence at the edge, before the gateway has heard of it. */
export const EDGE_PHASES = ['captured', 'speech_start', 'first_partial', 'final', 'spooled', 'acked'] as const;

export const PHASES = [
  ...EDGE_PHASES,
  'partial',
  'received',
  'routed',
  'declined',
  'clarify',
  'control',
  'submitted',
  'running',
  'model_turn',
  'tool_call',
  'approval_requested',
  'approved',
  'rejected',
  'verified',
  'succeeded',
  'failed',
  'cancelled',
  'completed',
] as const;
export type Phase = (typeof PHASES)[number];

export const COST_SOURCES = ['priced', 'rehearsal', 'unknown', 'uncertain'] as const;
export type CostSource = (typeof COST_SOURCES)[number];

export const JOB_STATUSES = ['pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const TASK_OUTCOMES = ['succeeded', 'partially_succeeded', 'failed', 'cancelled'] as const;
export type TaskOutcome = (typeof TASK_OUTCOMES)[number];

export const DEPENDENCY_CONDITIONS = ['succeeded', 'failed', 'finished'] as const;
export type DependencyCondition = (typeof DEPENDENCY_CONDITIONS)[number];

/** Bytes no single Temporal payload may pass; larger things travel as artifact references. */
export const PAYLOAD_LIMIT_BYTES = 16 * 1024;
/** Jobs one sentence may start: keeps the task's own payloads under the limit above. */
export const MAX_JOBS_PER_TASK = 8;
/** Characters of a message to a running job. */
export const MAX_STEER = 2_000;
/** Characters of an utterance shown as search attribute and workflow summary. */
export const UTTERANCE_SHOWN = 200;
