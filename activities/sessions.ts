import type { Activities } from '../contracts/activities.ts';
import { ownerQueue } from '../contracts/names.ts';
import type { EnvironmentName } from '../contracts/names.ts';
import { OperationError } from '../platform/errors.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { Environment } from './environment.ts';
import type { ReadPlan } from './plans.ts';
import { attemptFacts } from './record-turn.ts';
import { runActivity } from './run-activity.ts';

export type Environments = ReadonlyMap<EnvironmentName, Environment>;

/** @throws OperationError EnvironmentUnavailable when this worker has no such environment. */
export const environmentOf = (environments: Environments, name: EnvironmentName): Environment => {
  const environment = environments.get(name);
  if (!environment)
    throw new OperationError('EnvironmentUnavailable', `this worker has no ${name} environment; see WORKER_ROLES`);
  return environment;
};

export interface SessionDependencies {
  environments: Environments;
  readPlan: ReadPlan;
  traceLog: TraceLog;
  scrub: Scrub;
}

/** The activities around a session: open it, verify what was done in it, close it. */
export const createSessionActivities = (
  deps: SessionDependencies,
): Pick<Activities, 'openSession' | 'verifyJob' | 'closeSession'> => ({
  openSession: (input) =>
    runActivity(deps.scrub, async (control) => {
      const environment = environmentOf(deps.environments, input.environment);
      const opened = await environment.open(
        {
          traceId: input.trace_id,
          jobId: input.job_id,
          plan: await deps.readPlan(input.plan),
          generation: input.generation,
          checkpoint: input.checkpoint,
          baseCommits: input.base_commits,
        },
        control,
      );
      return {
        lease: {
          session_id: opened.sessionId,
          owner_queue: ownerQueue(environment.name, environment.owner),
          environment: environment.name,
        },
        checkpoint: opened.checkpoint,
      };
    }),

  verifyJob: (input) =>
    runActivity(deps.scrub, async (control) => {
      const started = performance.now();
      const found = await environmentOf(deps.environments, input.session.environment).verify(
        { sessionId: input.session.session_id, jobId: input.job_id, round: input.round, checkpoint: input.checkpoint },
        control,
      );
      const verified = found ?? {
        verification: { status: 'no_command' as const, command: null, before: null, after: null, rounds: input.round },
        note: '',
      };
      deps.traceLog.write({
        trace_id: input.trace_id,
        job_id: input.job_id,
        phase: 'verified',
        key: String(input.round),
        agent: input.agent,
        skill: input.skill,
        ...attemptFacts(),
        duration_ms: performance.now() - started,
        payload: { ...verified.verification, rehearsal: input.rehearsal },
      });
      return verified;
    }),

  closeSession: (input) =>
    runActivity(deps.scrub, async (control) =>
      environmentOf(deps.environments, input.session.environment).close(
        {
          sessionId: input.session.session_id,
          jobId: input.job_id,
          plan: await deps.readPlan(input.plan),
          checkpoint: input.checkpoint,
          outcome: input.outcome,
        },
        control,
      ),
    ),
});
