import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import { EngineUnavailable } from '../../gateway/task-engine.ts';
import type { CommandOutcome, Run, TaskEngine, TaskStart } from '../../gateway/task-engine.ts';

/** One workflow of the fake server; tests change it as the real one would change. */
export interface FakeRun extends Run {
  type: 'voiceTask' | 'agentJob';
  rootId: string;
  result: unknown;
  /** What the `status` query answers; null: no worker. */
  answer: unknown;
}

export interface FakeEngine extends TaskEngine {
  readonly runs: Map<string, FakeRun>;
  readonly starts: TaskStart[];
  readonly signals: { workflowId: string; name: string; argument: unknown }[];
  readonly updates: { workflowId: string; name: string; updateId: string; argument: unknown }[];
  /** true: every call fails as when Temporal is away. */
  away: boolean;
  /** Reasons of `missing`. */
  reasons: string[];
  /** What updates of running workflows come to. */
  onUpdate: () => CommandOutcome;
  /** Runs before each start; may wait or throw. */
  beforeStart: () => Promise<void> | void;
  add(run: Partial<FakeRun> & { workflowId: string }): FakeRun;
  /** Ends a run; those who wait are told. */
  close(workflowId: string, change: Partial<FakeRun>): void;
}

/** Reads the conditions the gateway writes. @throws for one it does not know, so that no filter is silently ignored. */
const matches = (run: FakeRun, query: string): boolean =>
  query.split(' AND ').every((condition) => {
    const [, field, operator, values] = /^(\w+) (=|!=|IN|IS) (.*)$/.exec(condition) ?? [];
    const known: Record<string, string | null> = {
      WorkflowType: run.type,
      ExecutionStatus: run.status === 'running' ? 'Running' : 'Closed',
      SessionId: run.attributes.sessionId,
      Agent: run.attributes.agent,
      TraceId: run.attributes.traceId,
      Outcome: run.attributes.outcome,
      RootWorkflowId: run.rootId,
    };
    if (field === undefined || !(field in known)) throw new Error(`FakeEngine: cannot evaluate "${condition}"`);
    const value = known[field] ?? null;
    if (operator === 'IS') return value === null;
    const wanted = [...(values ?? '').matchAll(/'([^']*)'/g)].map(([, text]) => text ?? '');
    return operator === '!=' ? !wanted.includes(value ?? '') : wanted.includes(value ?? '');
  });

/** Temporal as the gateway sees it, in memory. */
export const createFakeEngine = (): FakeEngine => {
  const waiting = new Map<string, (() => void)[]>();
  const present = async (): Promise<void> => {
    if (engine.away) throw new EngineUnavailable('Temporal does not answer at fake:7233');
  };
  const running = (workflowId: string): boolean => engine.runs.get(workflowId)?.status === 'running';
  const engine: FakeEngine = {
    runs: new Map(),
    starts: [],
    signals: [],
    updates: [],
    away: false,
    reasons: [],
    onUpdate: () => ({ outcome: 'done' }),
    beforeStart: () => undefined,
    add: (run) => {
      const added: FakeRun = {
        type: run.workflowId.startsWith('voice-') ? 'voiceTask' : 'agentJob',
        rootId: run.workflowId,
        runId: `run-of-${run.workflowId}`,
        status: 'running',
        startedAt: new Date().toISOString(),
        closedAt: null,
        memo: null,
        result: null,
        answer: null,
        ...run,
        attributes: {
          traceId: null,
          sessionId: null,
          agent: null,
          outcome: null,
          utterance: null,
          costUsd: null,
          ...run.attributes,
        },
      };
      engine.runs.set(run.workflowId, added);
      return added;
    },
    close: (workflowId, change) => {
      const run = engine.runs.get(workflowId);
      if (!run) throw new Error(`FakeEngine: no ${workflowId} to close`);
      Object.assign(run, { status: 'completed', closedAt: new Date().toISOString() }, change);
      for (const wake of waiting.get(workflowId) ?? []) wake();
      waiting.delete(workflowId);
    },
    start: async (task) => {
      await engine.beforeStart();
      await present();
      const workflowId = voiceTaskId(task.input.trace_id);
      const known = engine.runs.get(workflowId);
      if (known) return known;
      engine.starts.push(task);
      const attributes = {
        traceId: task.input.trace_id,
        sessionId: task.input.session_id,
        agent: null,
        outcome: null,
        utterance: task.summary,
        costUsd: null,
      };
      engine.add({ workflowId, memo: task.memo, attributes });
      for (const job of task.input.jobs)
        engine.add({
          workflowId: agentJobId(job.job_id),
          rootId: workflowId,
          attributes: { ...attributes, agent: job.agent },
        });
      return null;
    },
    describe: async (workflowId) => {
      await present();
      return engine.runs.get(workflowId) ?? null;
    },
    query: async (workflowId) => {
      await present();
      return engine.runs.get(workflowId)?.answer ?? null;
    },
    result: async (workflowId) => {
      await present();
      return engine.runs.get(workflowId)?.result ?? null;
    },
    waitClosed: (workflowId, signal) =>
      new Promise((resolve, reject) => {
        if (!running(workflowId)) return resolve();
        waiting.set(workflowId, [...(waiting.get(workflowId) ?? []), resolve]);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
    signal: async (workflowId, name, argument) => {
      await present();
      if (!running(workflowId)) return { outcome: 'gone' };
      engine.signals.push({ workflowId, name, argument });
      return { outcome: 'done' };
    },
    update: async (workflowId, name, updateId, argument) => {
      await present();
      if (!running(workflowId)) return { outcome: 'gone' };
      engine.updates.push({ workflowId, name, updateId, argument });
      return engine.onUpdate();
    },
    list: async (query, { limit, cursor }) => {
      await present();
      const found = [...engine.runs.values()].filter((run) => matches(run, query)).reverse();
      const from = Number(cursor ?? 0);
      return {
        runs: found.slice(from, from + limit),
        next: from + limit < found.length ? String(from + limit) : null,
      };
    },
    count: async (query) => {
      await present();
      return [...engine.runs.values()].filter((run) => matches(run, query)).length;
    },
    missing: async () => (engine.away ? ['Temporal does not answer at fake:7233'] : engine.reasons),
  };
  return engine;
};
