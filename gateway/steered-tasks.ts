import { agentJobId, jobIdOf, voiceTaskId } from '../contracts/names.ts';
import type { ControlReply, JobBrief } from '../contracts/replies.ts';
import { quoted } from './task-engine.ts';
import type { Run, TaskEngine } from './task-engine.ts';

/** Sessions of which the newest task is remembered; visibility lags behind starts. */
const MAX_SESSIONS = 1_000;
/** Tasks one word acts on at most. */
export const MAX_STEERED = 100;

/** What came of a control word. */
export type Performed = Pick<ControlReply, 'outcome' | 'message'>;

export const SEVERAL: Performed = {
  outcome: 'ambiguous',
  message: 'several tasks run; say it in their session, or say all jobs',
};

/** A task as a control word finds it. `jobs` in spoken order. */
export interface SteeredTask {
  traceId: string;
  running: boolean;
  jobs: readonly JobBrief[];
}

/** What the control words of one session may be about. Without a session that is everything. */
export interface SteeredTasks {
  /** Remembers what a session asked for last. */
  started(sessionId: string | null, traceId: string): void;
  /** The trace of what it asked for last in this life of the gateway. */
  newest(sessionId: string | null): string | null;
  /**
   * The task asked for last, over or not. Without a session: the only one that runs, else the newest of all.
   * null: there is none; 'several': there is no saying which.
   */
  last(sessionId: string | null): Promise<SteeredTask | 'several' | null>;
  /** The tasks that run, newest first, at most `limit`; the one asked for last among them though it is not listed yet. */
  running(sessionId: string | null, limit?: number): Promise<SteeredTask[]>;
  /** Those of a running task's jobs that are not over, begun or not. */
  unfinished(task: SteeredTask, agent: string): Promise<JobBrief[]>;
  /** Runs of the session's jobs that have begun and are not over. */
  runningJobs(sessionId: string, limit?: number): Promise<Run[]>;
}

const taskOf = (run: Run): SteeredTask => ({
  traceId: run.workflowId.slice('voice-'.length),
  running: run.status === 'running',
  jobs: run.memo?.jobs ?? [],
});

/** The job at a place of a task, from 1 in spoken order; undefined when it has fewer. */
export const jobAt = (task: SteeredTask, place: string): JobBrief | undefined =>
  task.jobs.find(({ job_id }) => job_id === jobIdOf(task.traceId, Number(place)));

/** True for a target that is the place of a job: '1', '2', … */
export const isPlace = (target: string): boolean => /^[1-9][0-9]?$/.test(target);

/** @throws EngineUnavailable from every method that waits. */
export const createSteeredTasks = (engine: Pick<TaskEngine, 'list' | 'describe'>): SteeredTasks => {
  const newestOf = new Map<string, string>();
  const newest = (sessionId: string | null): string | null =>
    sessionId === null ? null : (newestOf.get(sessionId) ?? null);

  const list = async (conditions: string, sessionId: string | null, limit: number): Promise<Run[]> => {
    const ofSession = sessionId === null ? '' : ` AND SessionId = ${quoted(sessionId)}`;
    return (await engine.list(conditions + ofSession, { limit })).runs;
  };
  const tasks = async (more: string, sessionId: string | null, limit: number): Promise<SteeredTask[]> =>
    (await list(`WorkflowType = 'voiceTask'${more}`, sessionId, limit)).map(taskOf);
  const remembered = async (sessionId: string | null): Promise<SteeredTask | null> => {
    const traceId = newest(sessionId);
    const run = traceId === null ? null : await engine.describe(voiceTaskId(traceId));
    return run && taskOf(run);
  };
  const running = async (sessionId: string | null, limit = MAX_STEERED): Promise<SteeredTask[]> => {
    const own = await remembered(sessionId);
    const listed = await tasks(" AND ExecutionStatus = 'Running'", sessionId, limit);
    const others = listed.filter(({ traceId }) => traceId !== own?.traceId);
    return (own?.running ? [own, ...others] : others).slice(0, limit);
  };

  return {
    newest,
    running,
    started: (sessionId, traceId) => {
      if (sessionId === null) return;
      newestOf.delete(sessionId);
      newestOf.set(sessionId, traceId);
      for (const oldest of newestOf.keys()) {
        if (newestOf.size <= MAX_SESSIONS) break;
        newestOf.delete(oldest);
      }
    },
    last: async (sessionId) => {
      const own = await remembered(sessionId);
      if (own) return own;
      const found = await running(sessionId, 2);
      if (found.length > 1 && sessionId === null) return 'several';
      return found[0] ?? (await tasks('', sessionId, 1))[0] ?? null;
    },
    unfinished: async ({ jobs, running: isRunning }, agent) => {
      if (!isRunning) return [];
      const ofAgent = jobs.filter((job) => job.agent === agent);
      const runs = await Promise.all(ofAgent.map(({ job_id }) => engine.describe(agentJobId(job_id))));
      return ofAgent.filter((_, at) => (runs[at]?.status ?? 'running') === 'running');
    },
    runningJobs: async (sessionId, limit = MAX_STEERED) => {
      const listed = await list("WorkflowType = 'agentJob' AND ExecutionStatus = 'Running'", sessionId, limit);
      const own = await remembered(sessionId);
      const unlisted = (own?.running ? own.jobs : [])
        .map(({ job_id }) => agentJobId(job_id))
        .filter((id) => !listed.some(({ workflowId }) => workflowId === id));
      const described = await Promise.all(unlisted.map((id) => engine.describe(id)));
      return [...listed, ...described.filter((run) => run?.status === 'running')].filter((run) => run !== null);
    },
  };
};
