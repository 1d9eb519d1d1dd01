import type { Activities } from '../contracts/activities.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { TraceLog } from '../platform/trace-log.ts';

const ENDS = new Set(['succeeded', 'failed', 'cancelled']);

/**
 * Writes what only the workflow knows: approvals, ends of jobs and of the task. A local activity: a repeated workflow
 * task may repeat it, and the same event then has the same `event_id`. Never throws.
 */
export const createRecordTrace =
  (
    deps: { traceLog: TraceLog; metrics: Pick<Metrics, 'jobDurationSeconds'> },
    now: () => number = Date.now,
  ): Activities['recordTrace'] =>
  async ({ events }) => {
    for (const { since, ...draft } of events) {
      const duration = since === undefined ? {} : { duration_ms: Math.max(0, now() - Date.parse(since)) };
      const event = deps.traceLog.write({ ...draft, ...duration });
      if (event.job_id !== null && event.agent !== null && event.duration_ms !== null && ENDS.has(event.phase))
        deps.metrics.jobDurationSeconds.observe(
          { agent: event.agent, outcome: event.phase },
          event.duration_ms / 1_000,
        );
    }
  };
