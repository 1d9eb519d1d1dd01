import { z } from 'zod';
import { COST_SOURCES, DEPENDENCY_CONDITIONS, FAILURE_TYPES, JOB_STATUSES, TASK_OUTCOMES } from './names.ts';

/** 32 lower-case hexadecimal characters. */
export const TraceId = z.string().regex(/^[0-9a-f]{32}$/);
export type TraceId = z.infer<typeof TraceId>;

/** `<trace_id>-<n>` */
export const JobId = z.string().regex(/^[0-9a-f]{32}-[1-9][0-9]{0,2}$/);
export type JobId = z.infer<typeof JobId>;

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export type Sha256 = z.infer<typeof Sha256>;

/** A content-addressed file in the artifact store; `bytes` is its size. */
export const ArtifactRef = z.strictObject({
  sha256: Sha256,
  name: z.string().min(1).max(200),
  media_type: z.string().min(1).max(100),
  bytes: z.number().int().nonnegative(),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

export const Dependency = z.strictObject({ job_id: JobId, when: z.enum(DEPENDENCY_CONDITIONS) });
export type Dependency = z.infer<typeof Dependency>;

/** What a job waits for a person to say. `expires_at` is ISO 8601; silence until then is a "no". */
export const Waiting = z.strictObject({
  kind: z.enum(['approval', 'budget']),
  approval_id: z.string(),
  tool: z.string().nullable(),
  summary: z.string(),
  expires_at: z.string(),
});
export type Waiting = z.infer<typeof Waiting>;

/** One run of the repository's own test command. `passed`/`failed` are null when the output does not say. */
export const TestRun = z.strictObject({
  exit_code: z.number().int(),
  passed: z.number().int().nullable(),
  failed: z.number().int().nullable(),
});
export type TestRun = z.infer<typeof TestRun>;

export const Verification = z.strictObject({
  status: z.enum(['passed', 'failed', 'not_worse', 'unchanged', 'no_command']),
  command: z.string().nullable(),
  before: TestRun.nullable(),
  after: TestRun.nullable(),
  rounds: z.number().int(),
});
export type Verification = z.infer<typeof Verification>;

export const JobError = z.strictObject({ type: z.enum(FAILURE_TYPES), message: z.string() });
export type JobError = z.infer<typeof JobError>;

/** What a caller learns about one job, while it runs and afterwards. `cost_usd` null means a price was unknown. */
export const JobResult = z.strictObject({
  job_id: JobId,
  trace_id: TraceId,
  agent: z.string(),
  skill: z.string(),
  status: z.enum(JOB_STATUSES),
  instruction: z.string(),
  summary: z.string(),
  error: JobError.nullable(),
  waiting: Waiting.nullable(),
  branch: z.string().nullable(),
  artifacts: z.array(ArtifactRef),
  verification: Verification.nullable(),
  turns: z.number().int(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cost_usd: z.number().nullable(),
  cost_source: z.enum(COST_SOURCES),
  rehearsal: z.boolean(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
});
export type JobResult = z.infer<typeof JobResult>;

/** `GET /trace/{trace_id}`. `status` is a job status while it runs, the outcome afterwards. */
export const TaskResult = z.strictObject({
  trace_id: TraceId,
  status: z.enum([...TASK_OUTCOMES, 'pending', 'running', 'awaiting_approval', 'declined', 'clarify', 'control']),
  utterance: z.string(),
  summary: z.string(),
  jobs: z.array(JobResult),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cost_usd: z.number().nullable(),
  artifacts: z.array(ArtifactRef),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
});
export type TaskResult = z.infer<typeof TaskResult>;
