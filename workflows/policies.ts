import {
  ActivityCancellationType,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { RetryPolicy } from '@temporalio/common';
import type { Activities } from '../contracts/activities.ts';
import { FINAL_FAILURES, QUEUES } from '../contracts/names.ts';

/** Every policy is bounded, by attempts or by a total time; final failures are final at once. */
const retry = (policy: RetryPolicy): RetryPolicy => ({
  backoffCoefficient: 2,
  nonRetryableErrorTypes: [...FINAL_FAILURES],
  ...policy,
});

/**
 * A heartbeat is sent twice a second. A model turn is given up late, since a false alarm may buy it again; a session's
 * step early, since a false alarm only repeats it. Eight busy processes on two cores gave no false alarm at 1.5 s.
 */
const HEARTBEAT = '4s';
const OWNER_HEARTBEAT = '1500ms';

/**
 * How long a step may wait for its turn: a backlog, a laptop that sleeps over night and a worker that is away for hours
 * end no job. What a step does once it has begun is bounded by its attempts and their own time.
 */
const QUEUEING = '24h';

/** A worker's graceful shutdown costs an attempt, so that one attempt would lose jobs at every deploy. */
const { modelTurn: modelTurnProxy } = proxyActivities<Activities>({
  taskQueue: QUEUES.models,
  startToCloseTimeout: '11m', // the providers' own limit for one answer is ten minutes
  scheduleToCloseTimeout: QUEUEING,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: retry({ initialInterval: '500ms', maximumInterval: '60s', maximumAttempts: 10 }),
});

/** A full host answers EnvironmentBusy and is asked again, which is how a job queues for a slot. */
const { openSession: openSessionProxy } = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: QUEUEING,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: retry({ initialInterval: '200ms', maximumInterval: '5s' }),
});

/** Only the owner polls its queue, with slots for every session: not started within 2 s means gone, never busy. */
const OWNER = {
  startToCloseTimeout: '15m',
  scheduleToStartTimeout: '2s',
  heartbeatTimeout: OWNER_HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: retry({ initialInterval: '100ms', maximumInterval: '5s', maximumAttempts: 20 }),
} as const;

const {
  runTools: runToolsProxy,
  verifyJob: verifyJobProxy,
  closeSession: closeSessionProxy,
} = proxyActivities<Activities>(OWNER);

/** After a failure or a cancellation nobody opens the session anew to close it: its owner may be restarting. */
const { closeSession: closePatientlyProxy } = proxyActivities<Activities>({ ...OWNER, scheduleToStartTimeout: '1m' });

/** Written from the worker that runs the workflow, within the workflow task: no server round trip. Never fails a job. */
const { recordTrace: recordTraceProxy } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '15s',
  retry: { maximumAttempts: 3, initialInterval: '100ms' },
});

type Argument<Name extends keyof Activities> = Parameters<Activities[Name]>[0];

/** `summary` is what a person reads on the row of the Temporal Web UI. */
export const modelTurn = (summary: string, input: Argument<'modelTurn'>): ReturnType<Activities['modelTurn']> =>
  modelTurnProxy.executeWithOptions({ summary }, [input]);

export const openSession = (summary: string, input: Argument<'openSession'>): ReturnType<Activities['openSession']> =>
  openSessionProxy.executeWithOptions({ summary, taskQueue: QUEUES[input.environment] }, [input]);

export const runTools = (summary: string, input: Argument<'runTools'>): ReturnType<Activities['runTools']> =>
  runToolsProxy.executeWithOptions({ summary, taskQueue: input.session.owner_queue }, [input]);

export const verifyJob = (summary: string, input: Argument<'verifyJob'>): ReturnType<Activities['verifyJob']> =>
  verifyJobProxy.executeWithOptions({ summary, taskQueue: input.session.owner_queue }, [input]);

export const closeSession = (
  summary: string,
  input: Argument<'closeSession'>,
): ReturnType<Activities['closeSession']> =>
  (input.outcome === 'succeeded' ? closeSessionProxy : closePatientlyProxy).executeWithOptions(
    { summary, taskQueue: input.session.owner_queue },
    [input],
  );

export const recordTrace = (input: Argument<'recordTrace'>): Promise<void> => recordTraceProxy(input);

/**
 * Children clean up after a terminate of the task in the Web UI (TERMINATE would leave worktrees and browsers), and
 * the parent waits until a cancelled one has. No workflow time-outs: they would end a task without its terminal event.
 */
export const CHILD = {
  parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  workflowTaskTimeout: '5s',
} as const;

/** Continue-as-new comes before 2,000 events; one turn with approvals adds at most a few dozen. */
export const HISTORY_EVENTS_PER_RUN = 1_500;
export const MAX_LOST_SESSIONS = 3;
/** Answers in a row that were cut off or could not be read. */
export const MAX_UNUSABLE_ANSWERS = 3;
/** Bytes of notes kept for the next turn, which is handed all of them; the oldest go first. */
export const NOTES_PER_TURN_BYTES = 6_000;
export const MAX_NOTES = 20;
