import { SIGNALS, voiceTaskId } from '../contracts/names.ts';
import type { ControlReply } from '../contracts/replies.ts';
import type { CancelRequest } from '../contracts/workflows.ts';
import type { RouteResult } from '../skills/routing/router.ts';
import type { ParkedTranscripts } from './parked.ts';
import { quoted } from './task-engine.ts';
import type { TaskEngine } from './task-engine.ts';

/** Tasks one word stops at most. */
const MAX_STOPPED = 100;
/** Sessions of which the newest task is remembered; visibility lags behind starts. */
const MAX_SESSIONS = 1_000;

export interface Control {
  /** Remembers what a session asked for last. */
  started(sessionId: string | null, traceId: string): void;
  /** Carries out a control word. @throws EngineUnavailable */
  perform(
    control: NonNullable<RouteResult['control']>,
    sessionId: string | null,
    traceId: string,
  ): Promise<ControlReply>;
}

/**
 * Control words act on what the same session asked for: `last` its newest running task (or the question it is being
 * asked), `all` every one. Without a session they act on whatever runs, and `last` then needs to be the only one.
 */
export const createControl = (
  engine: Pick<TaskEngine, 'list' | 'signal'>,
  parked: Pick<ParkedTranscripts, 'of' | 'settle'>,
): Control => {
  const newest = new Map<string, string>();
  const cancel = async (workflowId: string): Promise<boolean> => {
    const request: CancelRequest = { job_id: null, reason: 'a person said so' };
    return (await engine.signal(workflowId, SIGNALS.cancelJob, request)).outcome === 'done';
  };
  const running = async (sessionId: string | null, limit: number): Promise<string[]> => {
    const ofSession = sessionId === null ? '' : ` AND SessionId = ${quoted(sessionId)}`;
    const { runs } = await engine.list(`WorkflowType = 'voiceTask' AND ExecutionStatus = 'Running'${ofSession}`, {
      limit,
    });
    return runs.map(({ workflowId }) => workflowId);
  };

  const stopLast = async (sessionId: string | null): Promise<[ControlReply['outcome'], string]> => {
    if (sessionId !== null && parked.of(sessionId)) {
      await parked.settle(sessionId);
      return ['done', 'the question is dropped'];
    }
    const last = sessionId === null ? undefined : newest.get(sessionId);
    if (last !== undefined && (await cancel(voiceTaskId(last)))) return ['done', 'the last task is being stopped'];
    const found = await running(sessionId, 2);
    if (sessionId === null && found.length > 1)
      return ['ambiguous', 'several tasks run; say which, or stop everything'];
    for (const workflowId of found) if (await cancel(workflowId)) return ['done', 'the last task is being stopped'];
    return ['nothing', 'nothing runs'];
  };

  const stopAll = async (sessionId: string | null): Promise<[ControlReply['outcome'], string]> => {
    if (sessionId !== null) await parked.settle(sessionId);
    const last = sessionId === null ? undefined : newest.get(sessionId);
    const found = new Set([
      ...(last === undefined ? [] : [voiceTaskId(last)]),
      ...(await running(sessionId, MAX_STOPPED)),
    ]);
    const stopped = (await Promise.all([...found].map(cancel))).filter(Boolean).length;
    return stopped > 0 ? ['done', `${stopped} being stopped`] : ['nothing', 'nothing runs'];
  };

  return {
    started: (sessionId, traceId) => {
      if (sessionId === null) return;
      newest.delete(sessionId);
      newest.set(sessionId, traceId);
      for (const oldest of newest.keys()) {
        if (newest.size <= MAX_SESSIONS) break;
        newest.delete(oldest);
      }
    },
    perform: async ({ action, target }, sessionId, traceId) => {
      const [outcome, message] =
        action === 'cancel'
          ? await (target === 'all' ? stopAll(sessionId) : stopLast(sessionId))
          : (['nothing', `the gateway does not know how to ${action}`] as const);
      return { status: 'control', trace_id: traceId, action, target, outcome, message };
    },
  };
};
