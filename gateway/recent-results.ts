import { z } from 'zod';
import { agentJobId } from '../contracts/names.ts';
import { JobResult, TaskResult } from '../contracts/task.ts';
import { previewBytes } from '../platform/text.ts';
import type { TaskEngine } from './task-engine.ts';

/** Tasks told of, and of how many the jobs' own reports are read. */
const TASKS = 10;
const TASKS_IN_FULL = 5;
/** Bytes of the whole; it becomes part of a model's opening message. */
const MAX_BYTES = 30_000;

const costOf = (usd: number | null): string => (usd === null ? 'cost unknown' : `$${usd.toFixed(4)}`);

const jobLines = (job: JobResult): string[] => [
  `- ${job.job_id} ${job.agent}/${job.skill} ${job.status}${job.rehearsal ? ' (rehearsal)' : ''}, ${job.turns} turns, ${costOf(job.cost_usd)}: ${job.instruction}`,
  ...(job.error ? [`  error: ${job.error.type}: ${job.error.message}`] : []),
  ...(job.branch ? [`  branch: ${job.branch}`] : []),
  ...(job.verification ? [`  verification: ${job.verification.status}`] : []),
  ...(job.summary ? [`  report: ${job.summary.replace(/\s+/g, ' ')}`] : []),
];

/**
 * What was done lately, newest first, for agents that report on it; from Temporal, not from trace files.
 * At most 30 kB. @throws EngineUnavailable
 */
export const gatherRecentResults = async (engine: Pick<TaskEngine, 'list' | 'result'>): Promise<string> => {
  const { runs } = await engine.list(`WorkflowType = 'voiceTask' AND ExecutionStatus != 'Running'`, { limit: TASKS });
  const told = await Promise.all(
    runs.map(async (run, index) => {
      const head = `## ${run.attributes.traceId ?? run.workflowId}, ${run.startedAt}`;
      const task = TaskResult.safeParse(run.status === 'completed' ? await engine.result(run.workflowId) : null);
      if (!task.success) return `${head}\n"${run.attributes.utterance ?? ''}": ${run.attributes.outcome ?? run.status}`;
      const { utterance, status, jobs, cost_usd } = task.data;
      const full =
        index < TASKS_IN_FULL
          ? await Promise.all(
              jobs.map(async (job) => {
                const output = z.object({ result: JobResult }).safeParse(await engine.result(agentJobId(job.job_id)));
                return output.success ? output.data.result : job;
              }),
            )
          : jobs;
      return [`${head}`, `"${utterance}": ${status}, ${costOf(cost_usd)}`, ...full.flatMap(jobLines)].join('\n');
    }),
  );
  return previewBytes(
    told.length > 0 ? `# Recent tasks\n\n${told.join('\n\n')}` : 'No task was carried out before.',
    MAX_BYTES,
  );
};
