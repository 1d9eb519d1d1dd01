import { z } from 'zod';
import { COST_SOURCES, PHASES } from './names.ts';
import { Verification } from './task.ts';

/** One line of `logs/traces/*.jsonl`. `event_id` is derived from what happened, so a retried write is the same event. */
export const TraceEvent = z.strictObject({
  v: z.literal(1),
  event_id: z.string().regex(/^[0-9a-f]{32}$/),
  ts: z.string(),
  seq: z.number().int(),
  trace_id: z.string(),
  span_id: z.string(),
  parent_span_id: z.string().nullable(),
  job_id: z.string().nullable(),
  workflow_id: z.string().nullable(),
  run_id: z.string().nullable(),
  attempt: z.number().int().nullable(),
  phase: z.enum(PHASES),
  agent: z.string().nullable(),
  skill: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  input_tokens: z.number().int().nullable(),
  output_tokens: z.number().int().nullable(),
  cache_read_tokens: z.number().int().nullable(),
  cache_write_tokens: z.number().int().nullable(),
  cost_usd: z.number().nullable(),
  cost_source: z.enum(COST_SOURCES).nullable(),
  price_version: z.string().nullable(),
  duration_ms: z.number().nullable(),
  error_type: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
});
export type TraceEvent = z.infer<typeof TraceEvent>;

/** Payload of a `verified` event. */
export const VerifiedPayload = Verification.extend({ rehearsal: z.boolean().optional() });

/**
 * What a caller hands to the trace log. `key` says what happened within (trace, job, phase), e.g. the turn; it
 * becomes part of `event_id`. `ts` (ISO 8601) defaults to the time of writing.
 */
export type TraceEventDraft = Pick<TraceEvent, 'trace_id' | 'phase'> &
  Partial<Omit<TraceEvent, 'v' | 'event_id' | 'seq' | 'span_id' | 'parent_span_id' | 'trace_id' | 'phase'>> & {
    key?: string;
  };
