import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { QUEUES, voiceTaskId, WORKFLOWS } from '../../contracts/names.ts';
import type { Activities } from '../../contracts/activities.ts';
import type { TaskInput, TaskOutput } from '../../contracts/workflows.ts';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflows } from '../../workers/bundle-workflows.ts';
import { fromRoot } from '../../platform/env.ts';

/** Call before the first worker: warnings of faults that tests inject would drown the report. */
export const quietRuntime = (): void => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
};

export interface RunningWorkers {
  stop(): Promise<void>;
}

/** The real workflows with given activities on every queue a script uses. */
export const runWorkers = async (
  environment: TestWorkflowEnvironment,
  activities: Activities,
  ownerQueues: string[] = ['dual-coding-owner', 'dual-browser-owner'],
): Promise<RunningWorkers> => {
  const { recordTrace, modelTurn, openSession, runTools, verifyJob, closeSession } = activities;
  const base = {
    connection: environment.nativeConnection,
    maxHeartbeatThrottleInterval: '200ms',
    shutdownGraceTime: '500ms',
    shutdownForceTime: '1s',
  } as const;
  const workflowBundle = await bundleWorkflows(fromRoot('.cache'));
  const workers = await Promise.all([
    Worker.create({
      ...base,
      taskQueue: QUEUES.workflows,
      workflowBundle,
      activities: { recordTrace },
      enableNonLocalActivities: false,
      stickyQueueScheduleToStartTimeout: '1s',
    }),
    Worker.create({ ...base, taskQueue: QUEUES.models, activities: { modelTurn } }),
    Worker.create({ ...base, taskQueue: QUEUES.coding, activities: { openSession } }),
    Worker.create({ ...base, taskQueue: QUEUES.browser, activities: { openSession } }),
    ...ownerQueues.map((taskQueue) =>
      Worker.create({ ...base, taskQueue, activities: { runTools, verifyJob, closeSession } }),
    ),
  ]);
  const running = workers.map((worker) => worker.run());
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    },
  };
};

export const startTask = (
  environment: TestWorkflowEnvironment,
  input: TaskInput,
): Promise<WorkflowHandle<(input: TaskInput) => Promise<TaskOutput>>> =>
  environment.client.workflow.start<(input: TaskInput) => Promise<TaskOutput>>(WORKFLOWS.voiceTask, {
    workflowId: voiceTaskId(input.trace_id),
    taskQueue: QUEUES.workflows,
    args: [input],
  });
