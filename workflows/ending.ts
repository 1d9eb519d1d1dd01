import { isCancellation, upsertSearchAttributes } from '@temporalio/workflow';
import { ActivityFailure, ApplicationFailure, rootCause, TimeoutFailure } from '@temporalio/common';
import type { CloseSessionOutput } from '../contracts/activities.ts';
import { FAILURE_TYPES } from '../contracts/names.ts';
import type { FailureType } from '../contracts/names.ts';
import type { JobError } from '../contracts/task.ts';
import type { JobOutput, SessionLease } from '../contracts/workflows.ts';
import type { JobRun } from './job-run.ts';
import { enter, JobFailed, resultNow, writeEvent } from './job-run.ts';
import { closeSession } from './policies.ts';
import { onOwner } from './session.ts';
import { cut } from './text.ts';
import { ATTRIBUTES } from './voice-task.ts';

export type Ending = { status: 'succeeded' } | { status: 'failed' | 'cancelled'; error: JobError };

const isFailureType = (type: string | null | undefined): type is FailureType =>
  FAILURE_TYPES.some((known) => known === type);

/** How a job ends that was stopped by an error. @throws what is a fault of our own: the task is retried, and a deploy mends it. */
export const endingOf = (run: JobRun, error: unknown): Ending => {
  if (isCancellation(error))
    return { status: 'cancelled', error: { type: 'Cancelled', message: run.cancelReason ?? 'cancelled' } };
  if (error instanceof JobFailed)
    return { status: 'failed', error: { type: error.type, message: cut(error.message, 1_000) } };
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure)
    return {
      status: 'failed',
      error: {
        type: isFailureType(cause.type)
          ? cause.type
          : cause.type === 'PayloadsTooLarge'
            ? 'PayloadTooLarge'
            : 'Internal',
        message: cut(cause.message, 1_000),
      },
    };
  const what =
    cause instanceof TimeoutFailure
      ? `${error.activityType} timed out (${cause.timeoutType})`
      : `${error.activityType} failed: ${rootCause(error) ?? ''}`;
  return {
    status: 'failed',
    error: {
      type: error.activityType === 'modelTurn' ? 'ProviderUnavailable' : 'ToolFailed',
      message: cut(what, 1_000),
    },
  };
};

const NOTHING_LEFT: CloseSessionOutput = { artifacts: [], branch: null, commit: null };

/** Closes the session, whatever it takes; on success a close that cannot be done is the job's failure. */
const closeWith = async (
  run: JobRun,
  lease: SessionLease,
  ending: Ending,
): Promise<{ ending: Ending; closed: CloseSessionOutput }> => {
  const { state } = run;
  const { status: outcome } = ending;
  enter(run, 'closing the session');
  try {
    const close = (session: SessionLease): Promise<CloseSessionOutput> =>
      closeSession(`close the ${session.environment} session`, {
        ...run.identity,
        session,
        checkpoint: state.checkpoint,
        outcome,
      });
    return { ending, closed: await (outcome === 'succeeded' ? onOwner(run, close) : close(lease)) };
  } catch (error) {
    if (outcome !== 'succeeded') return { ending, closed: NOTHING_LEFT };
    return { ending: endingOf(run, error), closed: NOTHING_LEFT };
  }
};

/** Closes the session, if there is one, and tells of the end. In a scope that cannot be cancelled. */
export const finish = async (run: JobRun, wanted: Ending): Promise<JobOutput> => {
  const { state } = run;
  const { ending, closed } = state.session
    ? await closeWith(run, state.session, wanted)
    : { ending: wanted, closed: NOTHING_LEFT };
  const completedAt = new Date().toISOString();
  const result = resultNow(run, {
    status: ending.status,
    error: ending.status === 'succeeded' ? null : ending.error,
    waiting: null,
    branch: closed.branch,
    artifacts: [...(state.report ? [state.report] : []), ...closed.artifacts].slice(0, 20),
    completed_at: completedAt,
  });
  enter(run, ending.status);
  await writeEvent(run, ending.status, {
    input_tokens: result.input_tokens,
    output_tokens: result.output_tokens,
    cost_usd: result.cost_usd,
    cost_source: result.cost_source,
    since: state.started_at,
    error_type: result.error?.type ?? null,
    payload: {
      message: result.error?.message ?? cut(result.summary, 600),
      turns: result.turns,
      branch: result.branch,
      verification: result.verification,
    },
  });
  upsertSearchAttributes([
    { key: ATTRIBUTES.outcome, value: ending.status },
    { key: ATTRIBUTES.costUsd, value: result.cost_usd },
  ]);
  return { result, commit: closed.commit };
};
