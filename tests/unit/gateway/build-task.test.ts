import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Agent, JobPlan } from '../../../contracts/agent.ts';
import { MAX_JOBS_PER_TASK, PAYLOAD_LIMIT_BYTES } from '../../../contracts/names.ts';
import { Skill } from '../../../contracts/skill.ts';
import { buildTask, detailsOf } from '../../../gateway/build-task.ts';
import type { BuiltTask, TaskSettings } from '../../../gateway/build-task.ts';
import type { RegistrySnapshot } from '../../../skills/registry.ts';
import type { RoutedClause } from '../../../skills/routing/router.ts';
import { clauseOf } from '../../fakes/scripted-router.ts';

const agentOf = (change: Partial<Agent> & { name: string }): Agent => ({
  version: 1,
  environment: 'coding',
  model: { provider: 'anthropic', name: null, max_output_tokens: 1_000 },
  instructions: ['agents/x.md'],
  tools: ['editor'],
  context: [],
  limits: { max_turns: 60, max_cost_usd: 3, timeout_ms: 3_600_000 },
  verify: { max_rounds: 2 },
  approval: { tools: {} },
  ...change,
});
const skillOf = (change: Partial<Skill> & { name: string }): Skill =>
  Skill.parse({ version: 1, agent: 'coding', description: 'd', examples: ['e'], ...change });

const snapshotOf = (skills: Skill[], agents: Agent[]): RegistrySnapshot => ({
  version: 'v',
  skills,
  agents,
  instructionsOf: (name) => `instructions of ${name}`,
  quarantined: [],
});
const settings: TaskSettings = {
  budgetUsd: 6,
  allowUnpriced: false,
  targets: [
    { name: 'staging', url: 'http://127.0.0.1:4000' },
    { name: 'production', url: 'https://example.test' },
  ],
};
const snapshot = snapshotOf(
  [
    skillOf({ name: 'coding' }),
    skillOf({ name: 'site', agent: 'browser', limits: { max_turns: 5, max_cost_usd: 9, timeout_ms: 10_000 } }),
    skillOf({ name: 'ship', approval: { policy: 'always', risk: 'irreversible' } }),
    skillOf({ name: 'careful', approval: { policy: 'on_low_confidence', risk: 'writes_code' } }),
  ],
  [
    agentOf({ name: 'coding', approval: { tools: { bash: 'always', editor: 'never' } } }),
    agentOf({ name: 'browser', environment: 'browser', verify: null }),
  ],
);

const TRACE = 'a'.repeat(32);
const build = (clauses: RoutedClause[], change: Partial<TaskSettings> = {}): BuiltTask & { plans: JobPlan[] } => {
  const plans: JobPlan[] = [];
  const built = buildTask(
    { traceId: TRACE, utterance: 'the whole sentence', clauses, contextOf: (agent) => `context for ${agent}` },
    snapshot,
    { ...settings, ...change },
    (plan) => {
      plans.push(JSON.parse(plan) as JobPlan);
      return 'f'.repeat(64);
    },
  );
  return { ...built, plans };
};

describe('building a task', () => {
  it('makes one job a clause, numbered in spoken order, with equal shares of the budget', () => {
    const { jobs, briefs } = build([
      clauseOf('refactor the API'),
      clauseOf('check the site', { skill: 'site', depends_on: [{ clause: 0, when: 'failed' }] }),
    ]);
    expect(jobs.map((job) => [job.job_id, job.skill, job.agent, job.budget_usd])).toEqual([
      [`${TRACE}-1`, 'coding', 'coding', 3],
      [`${TRACE}-2`, 'site', 'browser', 3],
    ]);
    expect(jobs[1]?.depends_on).toEqual([{ job_id: `${TRACE}-1`, when: 'failed' }]);
    expect(briefs[1]).toEqual({
      job_id: `${TRACE}-2`,
      agent: 'browser',
      skill: 'site',
      instruction: 'check the site',
      depends_on: [{ job_id: `${TRACE}-1`, when: 'failed' }],
    });
  });

  it('snapshots skill, agent, instructions and the whole sentence in the plan', () => {
    const [plan] = build([clauseOf('refactor the API', { parameters: { x: 1 } })]).plans;
    expect(plan).toMatchObject({
      v: 1,
      skill: { name: 'coding', version: 1, description: 'd' },
      agent: { name: 'coding' },
      instructions: 'instructions of coding',
      utterance: 'the whole sentence',
      instruction: 'refactor the API',
      parameters: { x: 1 },
      targets: [],
      context: 'context for coding',
    });
  });

  it('takes the lower of the limits of skill and agent', () => {
    const { jobs } = build([clauseOf('check', { skill: 'site' }), clauseOf('code')]);
    expect(jobs[0]?.limits).toEqual({ max_turns: 5, max_cost_usd: 3, timeout_ms: 10_000 });
    expect(jobs[1]?.limits).toEqual({ max_turns: 60, max_cost_usd: 3, timeout_ms: 3_600_000 });
  });

  it('opens the target that was named and no other, and nothing for a name nobody configured', () => {
    const targetsOf = (parameters: Record<string, unknown>): string[] | undefined =>
      build([clauseOf('check', { skill: 'site', parameters })]).plans[0]?.targets.map(({ name }) => name);
    expect(targetsOf({ target: 'production' })).toEqual(['production']);
    expect(targetsOf({})).toEqual(['staging', 'production']);
    expect(targetsOf({ target: 'elsewhere' })).toEqual([]);
  });

  it('opens a public address that was said for that job alone, and refuses a private one nobody listed', () => {
    const { plans } = build([
      clauseOf('check staging dot example dot com', {
        skill: 'site',
        parameters: { target: 'https://staging.example.com/' },
      }),
      clauseOf('check staging', { skill: 'site', parameters: { target: 'staging' } }),
      clauseOf('read example dot org in the code', { skill: 'coding' }),
    ]);
    expect(plans.map(({ targets }) => targets)).toEqual([
      [{ name: 'staging.example.com', url: 'https://staging.example.com/' }],
      [{ name: 'staging', url: 'http://127.0.0.1:4000' }],
      [],
    ]);
    expect(() => build([clauseOf('check ten dot zero dot zero dot five', { skill: 'site' })])).toThrow(
      expect.objectContaining({
        type: 'Forbidden',
        message: '10.0.0.5 is a private address; list it in TARGETS_FILE to allow it',
      }),
    );
  });

  it.each([
    ['ship', {}, true],
    ['coding', { score: 0.1, margin: 0 }, false],
    ['careful', { score: 0.9, margin: 0.5 }, false],
    ['careful', { score: 0.69, margin: 0.5 }, true],
    ['careful', { score: 0.9, margin: 0.23 }, true],
  ])('asks before %s at %p: %p', (skill, change, asks) => {
    expect(build([clauseOf('do it', { skill, ...change })]).jobs[0]?.approve_start).toBe(asks);
  });

  it('carries what waits for a person: risk and tools', () => {
    const { jobs } = build([clauseOf('ship it', { skill: 'ship' })]);
    expect(jobs[0]).toMatchObject({ risk: 'irreversible', approve_tools: ['bash'], verify_rounds: 2 });
    expect(build([clauseOf('check', { skill: 'site' })]).jobs[0]?.verify_rounds).toBeNull();
  });

  it('refuses a skill that is not served any more', () => {
    expect(() => build([clauseOf('x', { skill: 'gone' })])).toThrow('skill gone is not served any more');
  });

  it('keeps every payload small, whatever was said', () => {
    const saying = fc.string({ unit: 'binary', minLength: 0, maxLength: 1_000 });
    fc.assert(
      fc.property(fc.array(saying, { minLength: MAX_JOBS_PER_TASK, maxLength: MAX_JOBS_PER_TASK }), (texts) => {
        const everything = (at: number): RoutedClause['depends_on'] =>
          Array.from({ length: at }, (_, clause) => ({ clause, when: 'succeeded' as const }));
        const clauses = texts.map((text, at) => clauseOf(text, { depends_on: everything(at) }));
        const { jobs, briefs } = build(clauses);
        for (const payload of [jobs, briefs, detailsOf(clauses, 'v')])
          expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(PAYLOAD_LIMIT_BYTES - 1_024);
      }),
      { numRuns: 50 },
    );
  });

  it('writes details a person can read, in which no clause breaks the table', () => {
    const details = detailsOf([clauseOf('one | two\nthree')], 'tfidf-1');
    expect(details).toContain('| one \\| two three | coding | coding | 0.90 | 0.80 |');
    expect(details).toContain('router tfidf-1');
  });
});
