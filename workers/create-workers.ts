import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next, WorkerOptions } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import type { Activities } from '../contracts/activities.ts';
import { ownerQueue, QUEUES } from '../contracts/names.ts';
import type { Environments } from '../activities/sessions.ts';
import type { Journal } from './journal.ts';

export interface WorkerParts {
  connection: NativeConnection;
  namespace: string;
  bundle: { codePath: string };
  environments: Environments;
  activities: Partial<Activities>;
  journal: Journal;
}

/** Writes each running activity into the journal. Local activities have no token to report. */
class JournalInterceptor implements ActivityInboundCallsInterceptor {
  readonly #journal: Journal;
  readonly #context: Context;
  constructor(journal: Journal, context: Context) {
    this.#journal = journal;
    this.#context = context;
  }
  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const end = this.#journal.begin(this.#context.info);
    try {
      return await next(input);
    } finally {
      end();
    }
  }
}

/** Turns at the providers at once, over all jobs of this worker. */
const MAX_MODEL_TURNS = 64;
/** The cache of running workflows can exhaust the isolate when unbounded (sdk-typescript#2227). */
const MAX_CACHED_WORKFLOWS = 150;

/**
 * One Temporal worker for each role and queue; `recordTrace` runs beside the workflows as a local activity.
 * An owner queue has three slots for every session, so that a task that waits there means that its owner is gone.
 */
export const createWorkers = async (parts: WorkerParts): Promise<Worker[]> => {
  const { activities, environments } = parts;
  const base = {
    connection: parts.connection,
    namespace: parts.namespace,
    // Work is durable: what does not end within the grace is taken up by the next worker.
    shutdownGraceTime: '2s',
    shutdownForceTime: '4s',
    maxHeartbeatThrottleInterval: '500ms',
  } satisfies Partial<WorkerOptions>;
  const journaled = {
    interceptors: { activity: [(context: Context) => ({ inbound: new JournalInterceptor(parts.journal, context) })] },
  };

  const wanted: WorkerOptions[] = [];
  if (activities.recordTrace)
    wanted.push({
      ...base,
      taskQueue: QUEUES.workflows,
      workflowBundle: parts.bundle,
      activities: { recordTrace: activities.recordTrace },
      enableNonLocalActivities: false,
      maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
      // After a kill -9 its workflows go to another worker within a second instead of ten.
      stickyQueueScheduleToStartTimeout: '1s',
    });
  if (activities.modelTurn)
    wanted.push({
      ...base,
      ...journaled,
      taskQueue: QUEUES.models,
      activities: { modelTurn: activities.modelTurn },
      maxConcurrentActivityTaskExecutions: MAX_MODEL_TURNS,
    });
  for (const environment of environments.values()) {
    const { openSession, runTools, verifyJob, closeSession } = activities;
    wanted.push(
      {
        ...base,
        ...journaled,
        taskQueue: QUEUES[environment.name],
        activities: { openSession },
        maxConcurrentActivityTaskExecutions: environment.capacity,
        maxConcurrentActivityTaskPolls: 2,
      },
      {
        ...base,
        ...journaled,
        taskQueue: ownerQueue(environment.name, environment.owner),
        activities: { runTools, verifyJob, closeSession },
        maxConcurrentActivityTaskExecutions: environment.capacity * 3,
        maxConcurrentActivityTaskPolls: 4,
      },
    );
  }
  return Promise.all(wanted.map((options) => Worker.create(options)));
};
