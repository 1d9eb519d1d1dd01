import { z } from 'zod';
import { TASK_OUTCOMES } from './names.ts';
import { Dependency, JobId, TraceId } from './task.ts';

/** One job as it was understood, in the reply to a transcript. `instruction` is a preview of at most 400 bytes. */
export const JobBrief = z.strictObject({
  job_id: JobId,
  agent: z.string(),
  skill: z.string(),
  instruction: z.string(),
  depends_on: z.array(Dependency),
});
export type JobBrief = z.infer<typeof JobBrief>;

/** A partial transcript: traced, nothing started. */
export const PartialReply = z.strictObject({ status: z.literal('partial_received') });

/** Understood and durable. `trace` and `events` are paths on this gateway, `temporal_ui` a whole address. */
export const AcceptedReply = z.strictObject({
  status: z.literal('accepted'),
  trace_id: TraceId,
  workflow_id: z.string(),
  jobs: z.array(JobBrief).min(1),
  links: z.strictObject({ trace: z.string(), events: z.string(), temporal_ui: z.string() }),
});
export type AcceptedReply = z.infer<typeof AcceptedReply>;

/** Not an order. */
export const DeclinedReply = z.strictObject({ status: z.literal('declined'), trace_id: TraceId, reason: z.string() });
export type DeclinedReply = z.infer<typeof DeclinedReply>;

/** Unsure. `missing` names parameters; the next final of the same session within 60 s is taken as the answer. */
export const ClarifyReply = z.strictObject({
  status: z.literal('clarify'),
  trace_id: TraceId,
  question: z.string(),
  candidates: z.array(z.strictObject({ skill: z.string(), text: z.string(), score: z.number() })),
  missing: z.array(z.string()),
});
export type ClarifyReply = z.infer<typeof ClarifyReply>;

/** A control word, carried out at once. */
export const ControlReply = z.strictObject({
  status: z.literal('control'),
  trace_id: TraceId,
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(['done', 'nothing', 'ambiguous']),
  message: z.string(),
});
export type ControlReply = z.infer<typeof ControlReply>;

/** What `POST /transcript` and `POST /task` answer to a final; the first with 202, the others with 200. */
export const FinalReply = z.discriminatedUnion('status', [AcceptedReply, DeclinedReply, ClarifyReply, ControlReply]);
export type FinalReply = z.infer<typeof FinalReply>;

/** An error, RFC 9457. `type` is stable; `detail` is for people. */
export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

/** One row of `GET /traces`. `cost_usd` is null while it runs and where a price is unknown. */
export const TraceRow = z.strictObject({
  trace_id: TraceId,
  status: z.enum([...TASK_OUTCOMES, 'running']),
  utterance: z.string(),
  session_id: z.string().nullable(),
  jobs: z.array(JobBrief),
  cost_usd: z.number().nullable(),
  started_at: z.string(),
  completed_at: z.string().nullable(),
});
export type TraceRow = z.infer<typeof TraceRow>;

/** `next` is the cursor of the following page; null on the last one. */
export const TraceListing = z.strictObject({ traces: z.array(TraceRow), next: z.string().nullable() });
export type TraceListing = z.infer<typeof TraceListing>;
