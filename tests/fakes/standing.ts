import type { Client } from '@temporalio/client';
import { agentJobId } from '../../contracts/names.ts';
import type { TaskResult } from '../../contracts/task.ts';

/** Where a task stands that did not end in time, for the report of a failure: its jobs and what each waits for. */
export const standing = async (client: Client, task: TaskResult): Promise<string> => {
  const jobs = await Promise.all(
    task.jobs.map(async (job) => {
      const about = `${job.agent} ${job.status}, ${job.turns} turns, ${JSON.stringify(job.error ?? job.summary)}`;
      try {
        const { status, raw } = await client.workflow.getHandle(agentJobId(job.job_id)).describe();
        const pending = (raw.pendingActivities ?? []).map(
          ({ activityType, state, attempt, lastFailure }) =>
            `${activityType?.name} (state ${state}, attempt ${attempt}, ${lastFailure?.message ?? 'no failure yet'})`,
        );
        return `${about}; ${status.name}, ${pending.join(', ') || 'no activity'}, workflow task attempt ${raw.pendingWorkflowTask?.attempt ?? 'none'}`;
      } catch (error) {
        return `${about}; ${String(error)}`;
      }
    }),
  );
  return [`task ${task.trace_id} ${task.status}`, ...jobs].join('\n  ');
};
