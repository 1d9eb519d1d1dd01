import { z } from 'zod';
import { TASK_OUTCOMES } from '../contracts/names.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import { quoted } from './task-engine.ts';
import type { Run, TaskEngine } from './task-engine.ts';
import { isTerminal, terminalDraft } from './terminal-event.ts';
import { findEvent } from './trace-search.ts';

/** Between two passes. */
export const RECONCILE_MS = 30_000;
/** Tasks a pass looks at; what is left waits for the next pass. */
const PAGE = 100;
/** Traces remembered as settled; beyond that the file system is asked again. */
const MAX_SETTLED = 10_000;

const ENDED = `WorkflowType = 'voiceTask' AND ExecutionStatus != 'Running' AND Outcome IS NULL`;
const Output = z.object({ status: z.enum(TASK_OUTCOMES) });

export interface ReconcilerDeps {
  engine: Pick<TaskEngine, 'list' | 'count' | 'result'>;
  trace: Pick<TraceLog, 'write'>;
  traceDir: string;
  /** Remembers across restarts what was settled. */
  marks: Pick<ArtifactStore, 'getRef' | 'setRef'>;
  log: Log;
}

export interface Reconciler {
  /** One look at all ended tasks; answers how many events it wrote. @throws EngineUnavailable */
  pass(): Promise<number>;
  /** Passes now and then until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Gives a task that ended outside its own code (terminated, timed out, failed) the terminal event it could not write,
 * once none of its jobs runs any more. Such tasks are those that closed without an outcome.
 */
export const createReconciler = (deps: ReconcilerDeps): Reconciler => {
  const { engine } = deps;
  const settled = new Set<string>();

  const settle = async (run: Run): Promise<boolean> => {
    const traceId = run.workflowId.slice('voice-'.length);
    const mark = `reconciled/${traceId}`;
    if (await deps.marks.getRef(mark)) return true;
    const jobsRunning = await engine.count(
      `RootWorkflowId = ${quoted(run.workflowId)} AND ExecutionStatus = 'Running'`,
    );
    if (jobsRunning > 0) return false;
    const sinceDay = run.startedAt.slice(0, 10);
    if (!(await findEvent(deps.traceDir, traceId, isTerminal, { sinceDay }))) {
      const output = Output.safeParse(run.status === 'completed' ? await engine.result(run.workflowId) : null);
      const outcome = output.success ? output.data.status : run.status === 'cancelled' ? 'cancelled' : 'failed';
      deps.trace.write(
        terminalDraft(traceId, outcome, {
          run_id: run.runId,
          error_type: outcome === 'failed' ? 'Internal' : outcome === 'cancelled' ? 'Cancelled' : null,
          payload: { message: `its workflow ended as ${run.status} in Temporal` },
        }),
      );
    }
    await deps.marks.setRef(mark, { outcome: run.status });
    return true;
  };

  const pass = async (): Promise<number> => {
    let count = 0;
    let cursor: string | null = null;
    do {
      const page: { runs: Run[]; next: string | null } = await engine.list(ENDED, { limit: PAGE, cursor });
      for (const run of page.runs) {
        if (settled.has(run.runId)) continue;
        if (!(await settle(run))) continue;
        if (settled.size >= MAX_SETTLED) settled.clear();
        settled.add(run.runId);
        count += 1;
      }
      cursor = page.next;
    } while (cursor !== null);
    return count;
  };

  return {
    pass,
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          const count = await pass();
          if (count > 0) deps.log.info({ tasks: count }, 'tasks that ended by themselves got their last event');
        } catch (error) {
          deps.log.debug({ error: messageOf(error) }, 'ended tasks cannot be looked at now');
        }
        await delay(RECONCILE_MS, signal).catch(() => undefined);
      }
    },
  };
};
