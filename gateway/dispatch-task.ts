import { UTTERANCE_SHOWN, voiceTaskId } from '../contracts/names.ts';
import type { AcceptedReply, JobBrief } from '../contracts/replies.ts';
import type { TraceEventDraft } from '../contracts/trace-event.ts';
import { oneLine } from '../platform/text.ts';
import type { Registry } from '../skills/registry.ts';
import type { RoutedClause } from '../skills/routing/router.ts';
import { buildTask, detailsOf } from './build-task.ts';
import type { TaskSettings } from './build-task.ts';
import { gatherRecentResults } from './recent-results.ts';
import { conflict } from './remembered.ts';
import type { StagePlan } from './stage-plans.ts';
import type { Run, TaskEngine } from './task-engine.ts';

export interface DispatchDeps {
  engine: TaskEngine;
  registry: Pick<Registry, 'current'>;
  stagePlan: StagePlan;
  settings: TaskSettings & { approvalTimeoutMs: number };
  /** Address of a workflow in the Temporal Web UI. */
  uiLink(workflowId: string): string;
}

export interface DispatchOrder {
  traceId: string;
  sessionId: string | null;
  utterance: string;
  bodyHash: string;
  /** At most MAX_JOBS_PER_TASK, none of them open. */
  clauses: readonly RoutedClause[];
  context: string;
  routerVersion: string;
}

export interface Dispatched {
  reply: AcceptedReply;
  /** One `submitted` event a job; null when the task had been started before and is over: nothing comes after its end. */
  submitted: TraceEventDraft[] | null;
}

export interface Dispatch {
  /**
   * Starts the task, durably, with its plans on disk; or finds it started.
   * @throws ProblemError utterance-conflict, storage-unavailable; EngineUnavailable; OperationError NotFound for a
   * skill that is gone.
   */
  start(order: DispatchOrder): Promise<Dispatched>;
  /** The reply a started task got; null when there is none. @throws ProblemError utterance-conflict */
  earlier(traceId: string, bodyHash: string): Promise<AcceptedReply | null>;
}

export const createDispatch = (deps: DispatchDeps): Dispatch => {
  const { engine, registry, settings } = deps;

  const accepted = (traceId: string, jobs: JobBrief[]): AcceptedReply => ({
    status: 'accepted',
    trace_id: traceId,
    workflow_id: voiceTaskId(traceId),
    jobs,
    links: {
      trace: `/trace/${traceId}`,
      events: `/trace/${traceId}/events`,
      temporal_ui: deps.uiLink(voiceTaskId(traceId)),
    },
  });

  /** The first reply again, from what the run carries. */
  const replyOf = (traceId: string, bodyHash: string, run: Run): AcceptedReply => {
    if (run.memo?.body_hash !== bodyHash) throw conflict();
    return accepted(traceId, run.memo.jobs);
  };

  const contextFor = async (clauses: readonly RoutedClause[], given: string): Promise<(agent: string) => string> => {
    const { agents } = registry.current();
    const wants = (name: string | null): boolean =>
      agents.some((agent) => agent.name === name && agent.context.includes('recent_traces'));
    const recent = clauses.some(({ agent }) => wants(agent)) ? await gatherRecentResults(engine) : '';
    return (name) => [given, wants(name) ? recent : ''].filter(Boolean).join('\n\n');
  };

  return {
    start: async (order) => {
      const { traceId, utterance, bodyHash, clauses } = order;
      const durable: Promise<void>[] = [];
      const store = (plan: string): string => {
        const staged = deps.stagePlan(plan);
        durable.push(staged.durable);
        return staged.sha256;
      };
      const contextOf = await contextFor(clauses, order.context);
      const built = buildTask({ traceId, utterance, clauses, contextOf }, registry.current(), settings, store);
      const submittedAt = new Date().toISOString();
      const summary = oneLine(utterance, UTTERANCE_SHOWN);
      // The disk is flushed while Temporal stores the start; the reply waits for both.
      const [run] = await Promise.all([
        engine.start({
          input: {
            trace_id: traceId,
            session_id: order.sessionId,
            utterance: summary,
            jobs: built.jobs,
            approval_timeout_ms: settings.approvalTimeoutMs,
          },
          memo: { v: 1, body_hash: bodyHash, jobs: built.briefs, plan: built.jobs[0]?.plan ?? null },
          summary,
          details: detailsOf(clauses, order.routerVersion),
        }),
        ...durable,
      ]);
      const submitted = built.briefs.map(({ job_id, agent, skill, instruction }): TraceEventDraft => ({
        trace_id: traceId,
        job_id,
        phase: 'submitted',
        ts: submittedAt,
        workflow_id: voiceTaskId(traceId),
        agent,
        skill,
        payload: { instruction },
      }));
      if (!run) return { reply: accepted(traceId, built.briefs), submitted };
      // Started by an earlier life, which may have died before it told: told again while it runs, the same events.
      return { reply: replyOf(traceId, bodyHash, run), submitted: run.status === 'running' ? submitted : null };
    },
    earlier: async (traceId, bodyHash) => {
      const run = await engine.describe(voiceTaskId(traceId));
      return run && replyOf(traceId, bodyHash, run);
    },
  };
};
