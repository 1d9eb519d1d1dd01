import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from '../contracts/agent.ts';
import type { JobPlan } from '../contracts/agent.ts';
import { jobIdOf, QUEUES, voiceTaskId, WORKFLOWS } from '../contracts/names.ts';
import type { JobSpec, TaskInput, TaskOutput } from '../contracts/workflows.ts';
import { createArtifactStore } from '../platform/artifacts.ts';
import { fromRoot } from '../platform/env.ts';
import type { Lab } from '../tests/fakes/lab.ts';

/** Stores a plan as the gateway does and answers how to start tasks with it. */
export const planTasks = async (
  lab: Lab,
  agentName: 'summarize' | 'coding',
  instruction: string,
): Promise<(jobs?: number) => { workflowId: string; input: TaskInput }> => {
  const agent = Agent.parse(JSON.parse(readFileSync(fromRoot(`skills/agents/${agentName}.json`), 'utf8')));
  const plan: JobPlan = {
    v: 1,
    skill: { name: agentName, version: 1, description: 'benchmark' },
    agent,
    instructions: 'You are being measured.',
    utterance: instruction,
    instruction,
    parameters: {},
    targets: [],
    context: '',
  };
  const artifacts = createArtifactStore(join(lab.dir, 'artifacts'));
  const { sha256 } = await artifacts.put(JSON.stringify(plan), { name: 'plan.json', mediaType: 'application/json' });
  return (jobs = 2) => {
    const trace_id = randomBytes(16).toString('hex');
    const spec = (n: number): JobSpec => ({
      job_id: jobIdOf(trace_id, n),
      trace_id,
      agent: agentName,
      skill: agentName,
      instruction,
      depends_on: [],
      plan: sha256,
      model: 'claude',
      environment: agent.environment,
      approve_start: false,
      risk: 'read_only',
      approve_tools: [],
      limits: { max_turns: 1_000, max_cost_usd: 100, timeout_ms: 3_600_000 },
      budget_usd: 100,
      allow_unpriced: true,
      verify_rounds: null,
    });
    return {
      workflowId: voiceTaskId(trace_id),
      input: {
        trace_id,
        session_id: null,
        utterance: instruction,
        approval_timeout_ms: 60_000,
        jobs: Array.from({ length: jobs }, (_, at) => spec(at + 1)),
      },
    };
  };
};

/** Runs one task of ours to its end. @throws when it did not succeed: a failure is no figure. */
export const runTask = async (lab: Lab, task: { workflowId: string; input: TaskInput }): Promise<TaskOutput> => {
  const output = await lab.client.workflow.execute<(input: TaskInput) => Promise<TaskOutput>>(WORKFLOWS.voiceTask, {
    workflowId: task.workflowId,
    taskQueue: QUEUES.workflows,
    args: [task.input],
  });
  if (output.status !== 'succeeded') throw new Error(`a task ended ${output.status}: ${output.summary}`);
  return output;
};

/** Runs one task of the baseline to its end. */
export const runBaseline = (lab: Lab, workflow: 'minimalTask' | 'leastTask'): Promise<unknown> =>
  lab.client.workflow.execute(workflow, {
    workflowId: `bench-${randomBytes(8).toString('hex')}`,
    taskQueue: 'bench-baseline',
    args: ['say hello'],
  });
