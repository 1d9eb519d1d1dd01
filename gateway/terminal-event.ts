import { voiceTaskId } from '../contracts/names.ts';
import type { TaskOutcome } from '../contracts/names.ts';
import type { TaskResult } from '../contracts/task.ts';
import type { TraceEvent, TraceEventDraft } from '../contracts/trace-event.ts';

const PHASES = new Set(['completed', 'failed', 'cancelled']);

/** The one event that ends an accepted transcript. */
export const isTerminal = (event: TraceEvent): boolean => event.job_id === null && PHASES.has(event.phase);

/** That event for a task that has none; its id is that of the one that may still turn up. */
export const terminalDraft = (
  traceId: string,
  outcome: TaskOutcome,
  more: Partial<TraceEventDraft> & Pick<TraceEvent, 'payload'>,
): TraceEventDraft => ({
  trace_id: traceId,
  phase: outcome === 'failed' || outcome === 'cancelled' ? outcome : 'completed',
  workflow_id: voiceTaskId(traceId),
  ...more,
  payload: { outcome, ...more.payload },
});

const ENDED = new Set(['succeeded', 'failed', 'cancelled']);

/** True when none of its jobs can do anything any more. */
export const isSettled = (task: TaskResult): boolean => task.jobs.every(({ status }) => ENDED.has(status));

/** From the result that Temporal tells; as the workflow itself would have written it. */
export const terminalOf = (task: TaskResult, outcome: TaskOutcome): TraceEventDraft =>
  terminalDraft(task.trace_id, outcome, {
    input_tokens: task.input_tokens,
    output_tokens: task.output_tokens,
    cost_usd: task.cost_usd,
    payload: {
      jobs: task.jobs.map(({ job_id, status }) => ({ job_id, status })),
      rehearsal: task.jobs.some(({ rehearsal }) => rehearsal),
    },
  });
