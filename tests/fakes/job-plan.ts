import { JobPlan } from '../../contracts/agent.ts';

type Change = Partial<Omit<JobPlan, 'agent'>> & { agent?: Partial<JobPlan['agent']> };

/** A valid plan of a coding job, with what a test needs changed. */
export const jobPlan = (change: Change = {}): JobPlan =>
  JobPlan.parse({
    v: 1,
    skill: { name: 'coding', version: 1, description: 'Change code' },
    instructions: 'You change code.',
    utterance: 'fix the tests',
    instruction: 'fix the tests',
    parameters: {},
    targets: [],
    context: '',
    ...change,
    agent: {
      name: 'coding',
      version: 1,
      environment: 'coding',
      model: { provider: 'anthropic', name: null, max_output_tokens: 16_000 },
      instructions: ['agents/coding.md'],
      tools: ['editor', 'bash', 'search', 'report'],
      limits: { max_turns: 60, max_cost_usd: 3, timeout_ms: 3_600_000 },
      ...change.agent,
    },
  });
