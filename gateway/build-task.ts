import type { JobPlan } from '../contracts/agent.ts';
import { jobIdOf } from '../contracts/names.ts';
import type { JobBrief } from '../contracts/replies.ts';
import type { Skill } from '../contracts/skill.ts';
import type { JobSpec } from '../contracts/workflows.ts';
import { OperationError } from '../platform/errors.ts';
import { oneLine, previewBytes } from '../platform/text.ts';
import type { RegistrySnapshot } from '../skills/registry.ts';
import type { RoutedClause } from '../skills/routing/router.ts';
import type { Target } from '../skills/targets.ts';
import { targetsFor } from './targets.ts';

/** Bytes of an instruction as people and payloads see it; the whole text is in the plan. */
const INSTRUCTION_BYTES = 400;
/**
 * `on_low_confidence` asks below these: 0.85 is the score from which the router calls an order certain, and 0.24 is
 * twice the distance at which it calls two skills tied.
 */
const LOW_SCORE = 0.85;
const LOW_MARGIN = 0.24;

/** What people call a provider's models; which one it is, the worker's variable says. */
const FAMILY = { anthropic: 'claude', gemini: 'gemini' } as const;

export interface TaskSettings {
  /** USD for the whole task. */
  budgetUsd: number;
  allowUnpriced: boolean;
  targets: readonly Target[];
}

export interface Order {
  traceId: string;
  utterance: string;
  /** What becomes jobs, in spoken order; at most MAX_JOBS_PER_TASK. */
  clauses: readonly RoutedClause[];
  /** Material for the agents that asked for it, by agent name; and what the caller gave, for all. */
  contextOf(agent: string): string;
}

export interface BuiltTask {
  jobs: JobSpec[];
  briefs: JobBrief[];
}

const lower = (a: number | undefined, b: number): number => (a === undefined ? b : Math.min(a, b));

const asksFirst = (skill: Skill, clause: RoutedClause): boolean => {
  switch (skill.approval.policy) {
    case 'always':
      return true;
    case 'on_low_confidence':
      return clause.score < LOW_SCORE || clause.margin < LOW_MARGIN;
    case 'never':
      return false;
  }
};

/**
 * One job for each clause: the plan snapshots skill, agent and instructions as they are now; the spec carries its hash.
 * `store` is handed each plan's JSON and answers its hash.
 * @throws OperationError NotFound when a clause names a skill or agent that is not in the snapshot; Forbidden when it
 * names an address that is not public and that nobody listed.
 */
export const buildTask = (
  order: Order,
  snapshot: RegistrySnapshot,
  settings: TaskSettings,
  store: (plan: string) => string,
): BuiltTask => {
  const { traceId, clauses } = order;
  const jobs = clauses.map((clause, index): JobSpec => {
    const skill = snapshot.skills.find(({ name }) => name === clause.skill);
    const agent = snapshot.agents.find(({ name }) => name === skill?.agent);
    if (!skill || !agent)
      throw new OperationError('NotFound', `skill ${clause.skill ?? '(none)'} is not served any more`);
    const plan: JobPlan = {
      v: 1,
      skill: { name: skill.name, version: skill.version, description: skill.description },
      agent,
      instructions: snapshot.instructionsOf(agent.name),
      utterance: order.utterance,
      instruction: clause.text,
      parameters: clause.parameters,
      targets: agent.environment === 'browser' ? targetsFor(settings.targets, clause.parameters, clause.text) : [],
      context: order.contextOf(agent.name),
    };
    return {
      job_id: jobIdOf(traceId, index + 1),
      trace_id: traceId,
      agent: agent.name,
      skill: skill.name,
      instruction: previewBytes(oneLine(clause.text, INSTRUCTION_BYTES), INSTRUCTION_BYTES),
      depends_on: clause.depends_on.map(({ clause: earlier, when }) => ({
        job_id: jobIdOf(traceId, earlier + 1),
        when,
      })),
      plan: store(JSON.stringify(plan)),
      model: agent.model.name ?? FAMILY[agent.model.provider],
      environment: agent.environment,
      approve_start: asksFirst(skill, clause),
      risk: skill.approval.risk,
      approve_tools: Object.entries(agent.approval.tools)
        .filter(([, policy]) => policy === 'always')
        .map(([tool]) => tool),
      limits: {
        max_turns: lower(skill.limits.max_turns, agent.limits.max_turns),
        max_cost_usd: lower(skill.limits.max_cost_usd, agent.limits.max_cost_usd),
        timeout_ms: lower(skill.limits.timeout_ms, agent.limits.timeout_ms),
      },
      budget_usd: settings.budgetUsd / clauses.length,
      allow_unpriced: settings.allowUnpriced,
      verify_rounds: agent.verify?.max_rounds ?? null,
    };
  });
  return {
    jobs,
    briefs: jobs.map(({ job_id, agent, skill, instruction, depends_on }) => ({
      job_id,
      agent,
      skill,
      instruction,
      depends_on,
    })),
  };
};

const cell = (text: string): string => oneLine(text, 120).replaceAll('|', '\\|');

/** Clauses, skills and scores as a Markdown table, for the details of the workflow in the Web UI; about 1.5 kB at most. */
export const detailsOf = (clauses: readonly RoutedClause[], routerVersion: string): string =>
  [
    '| clause | skill | agent | score | margin |',
    '| --- | --- | --- | --- | --- |',
    ...clauses.map(
      ({ text, skill, agent, score, margin }) =>
        `| ${cell(text)} | ${skill ?? ''} | ${agent ?? ''} | ${score.toFixed(2)} | ${margin.toFixed(2)} |`,
    ),
    '',
    `router ${routerVersion}`,
  ].join('\n');
