import { TASK_OUTCOMES } from '../contracts/names.ts';
import type { TraceListing, TraceRow } from '../contracts/replies.ts';
import { sha256Of } from '../platform/artifacts.ts';
import { ProblemError } from './problems.ts';
import { quoted } from './task-engine.ts';
import type { Run, TaskEngine } from './task-engine.ts';

export interface TraceFilter {
  status?: TraceRow['status'] | undefined;
  agent?: string | undefined;
  /** ISO 8601: started at or after. */
  since?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** A task that closed without an outcome ended outside its own code. */
const STATUS_QUERY: Record<TraceRow['status'], string> = {
  running: `ExecutionStatus = 'Running'`,
  succeeded: `Outcome = 'succeeded'`,
  partially_succeeded: `Outcome = 'partially_succeeded'`,
  failed: `(Outcome = 'failed' OR (ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut') AND Outcome IS NULL))`,
  cancelled: `(Outcome = 'cancelled' OR (ExecutionStatus = 'Canceled' AND Outcome IS NULL))`,
};

const statusOf = ({ status, attributes }: Run): TraceRow['status'] => {
  if (status === 'running') return 'running';
  return (
    TASK_OUTCOMES.find((outcome) => outcome === attributes.outcome) ?? (status === 'cancelled' ? 'cancelled' : 'failed')
  );
};

const rowOf = (run: Run): TraceRow => ({
  trace_id: run.workflowId.slice('voice-'.length),
  status: statusOf(run),
  utterance: run.attributes.utterance ?? '',
  session_id: run.attributes.sessionId,
  jobs: run.memo?.jobs ?? [],
  cost_usd: run.attributes.costUsd,
  started_at: run.startedAt,
  completed_at: run.closedAt,
});

const and = (...conditions: (string | null)[]): string => conditions.filter(Boolean).join(' AND ');

/** Characters of the check in front of a cursor. The server fails at a page token of another list, or of nobody's. */
const CHECK_CHARS = 12;
const checkOf = (token: string, { agent, status, since }: TraceFilter): string =>
  sha256Of(JSON.stringify([token, agent, status, since])).slice(0, CHECK_CHARS);

/** @throws ProblemError bad-request for a cursor that this list, with this filter, did not give. */
const tokenIn = (filter: TraceFilter): string | null => {
  if (filter.cursor === undefined) return null;
  const token = filter.cursor.slice(CHECK_CHARS);
  if (filter.cursor !== checkOf(token, filter) + token)
    throw new ProblemError('bad-request', 'cursor: it is not from this list with this filter');
  return token;
};

/** Accepted transcripts, newest first, from Temporal's visibility store; a page by agent may be short, never wrong. */
export const createListTraces =
  (engine: Pick<TaskEngine, 'list'>) =>
  async (filter: TraceFilter): Promise<TraceListing> => {
    const { status, agent, since, limit } = filter;
    const cursor = tokenIn(filter);
    const sealed = (token: string | null): string | null => token && checkOf(token, filter) + token;
    const started = since === undefined ? null : `StartTime >= ${quoted(since)}`;
    const tasks = and(`WorkflowType = 'voiceTask'`, status === undefined ? null : STATUS_QUERY[status]);
    if (agent === undefined) {
      const { runs, next } = await engine.list(and(tasks, started), { limit, cursor });
      return { traces: runs.map(rowOf), next: sealed(next) };
    }
    // The agent is known of jobs alone: their page says which tasks.
    const jobs = await engine.list(and(`WorkflowType = 'agentJob'`, `Agent = ${quoted(agent)}`, started), {
      limit,
      cursor,
    });
    const ids = [...new Set(jobs.runs.flatMap(({ attributes }) => attributes.traceId ?? []))];
    if (ids.length === 0) return { traces: [], next: sealed(jobs.next) };
    const { runs } = await engine.list(and(tasks, `TraceId IN (${ids.map(quoted).join(', ')})`), { limit: ids.length });
    return { traces: runs.map(rowOf), next: sealed(jobs.next) };
  };
