import { ActivityFailure, ApplicationFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { SessionLease } from '../contracts/workflows.ts';
import type { JobRun } from './job-run.ts';
import { addNote, enter, JobFailed } from './job-run.ts';
import { MAX_LOST_SESSIONS, openSession } from './policies.ts';

/** The owner did not answer, or says the session is gone: those two and nothing else. */
const isSessionLost = (error: unknown): boolean => {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) return cause.timeoutType === TimeoutType.SCHEDULE_TO_START;
  return cause instanceof ApplicationFailure && cause.type === 'SessionLost';
};

/** The session at hand, opened on first need from the last checkpoint. */
const ensureSession = async (run: JobRun): Promise<SessionLease> => {
  const { state, input } = run;
  if (state.session) return state.session;
  const { environment } = input.spec;
  if (environment === null)
    throw new JobFailed('BadInput', `agent ${input.spec.agent} has no environment, but its model asked for tools`);
  enter(run, `opening a ${environment} session`);
  const generation = state.sessions_opened + 1;
  const asked = Date.now();
  const opened = await openSession(
    generation === 1 ? `open a ${environment} session` : `open ${environment} session ${generation}, after a loss`,
    {
      ...run.identity,
      environment,
      generation,
      checkpoint: state.checkpoint,
      base_commits: input.predecessors.flatMap(({ commit }) => (commit ? [commit] : [])),
    },
  );
  // The job's own time does not run while it waits for a place to work in.
  state.allowance.deadline_ms += Date.now() - asked;
  state.sessions_opened = generation;
  state.session = opened.lease;
  state.checkpoint = opened.checkpoint;
  return opened.lease;
};

/**
 * Runs a step on the host that holds the session. When that is lost, opens a new one from the last checkpoint, tells
 * the model and runs the step again. @throws JobFailed SessionLost after three losses in one job.
 */
export const onOwner = async <T>(run: JobRun, step: (lease: SessionLease) => Promise<T>): Promise<T> => {
  for (;;) {
    const lease = await ensureSession(run);
    try {
      return await step(lease);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      run.state.session = null;
      run.state.sessions_lost += 1;
      if (run.state.sessions_lost > MAX_LOST_SESSIONS)
        throw new JobFailed(
          'SessionLost',
          `its ${lease.environment} session was lost ${run.state.sessions_lost} times`,
        );
      addNote(run.state, {
        kind: 'session_lost',
        text: `The ${lease.environment} session was lost (its host stopped) and a new one was opened from the last checkpoint. Work since that checkpoint was repeated where it could be; look before you rely on it.`,
      });
    }
  }
};
