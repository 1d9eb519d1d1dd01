import { randomBytes } from 'node:crypto';
import { jobIdOf } from '../../contracts/names.ts';
import type { JobSpec, TaskInput } from '../../contracts/workflows.ts';

/** A task input with as many jobs as changes are given; each job overrides what matters to its test. */
export const taskInput = (jobs: Partial<JobSpec>[], change: Partial<TaskInput> = {}): TaskInput => {
  const traceId = randomBytes(16).toString('hex');
  return {
    trace_id: traceId,
    session_id: null,
    utterance: 'Refactor the API and validate the staging website.',
    approval_timeout_ms: 60_000,
    jobs: jobs.map((job, at) => ({
      job_id: jobIdOf(traceId, at + 1),
      trace_id: traceId,
      agent: 'coding',
      skill: 'coding',
      instruction: 'refactor the API',
      depends_on: [],
      plan: '0'.repeat(64),
      model: 'claude',
      environment: 'coding',
      approve_start: false,
      risk: 'writes_code',
      approve_tools: [],
      limits: { max_turns: 50, max_cost_usd: 3, timeout_ms: 3_600_000 },
      budget_usd: 2.5,
      allow_unpriced: false,
      verify_rounds: 2,
      ...job,
    })),
    ...change,
  };
};
