import { z } from 'zod';
import { ENVIRONMENTS } from './names.ts';
import { NAME } from './skill.ts';

export const PROVIDERS = ['anthropic', 'gemini'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** The tools an agent may be given; `activities/tool-definitions.ts` says what each is on the wire. */
export const TOOL_SETS = ['editor', 'bash', 'search', 'report', 'computer', 'page'] as const;
export type ToolSet = (typeof TOOL_SETS)[number];

/** Who does it. A file in `skills/agents/`; `environment: null` is an agent without hands. */
export const Agent = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().regex(NAME),
  version: z.number().int().min(1),
  environment: z.enum(ENVIRONMENTS).nullable(),
  model: z.strictObject({
    provider: z.enum(PROVIDERS),
    /** null: the provider's variable (`CODING_MODEL`, `BROWSER_MODEL`) decides. */
    name: z.string().min(1).max(100).nullable(),
    max_output_tokens: z.number().int().min(16).max(128_000),
  }),
  /** Prose files beside the agent's JSON, joined in order. */
  instructions: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9./-]*\.md$/))
    .min(1)
    .max(10),
  tools: z.array(z.enum(TOOL_SETS)).max(10),
  /** What the gateway adds to the opening message at dispatch. */
  context: z.array(z.enum(['recent_traces'])).default([]),
  limits: z.strictObject({
    max_turns: z.number().int().min(1).max(1_000),
    max_cost_usd: z.number().positive().max(1_000),
    timeout_ms: z.number().int().min(1_000).max(86_400_000),
  }),
  /** Rounds in which the model may mend what `verifyJob` found; absent: nothing is verified. */
  verify: z
    .strictObject({ max_rounds: z.number().int().min(0).max(10) })
    .nullable()
    .default(null),
  /** Tools that wait for a person before each call. */
  approval: z
    .strictObject({ tools: z.record(z.string(), z.enum(['never', 'always'])).default({}) })
    .default({ tools: {} }),
});
export type Agent = z.infer<typeof Agent>;

/**
 * What the gateway snapshots at dispatch as one artifact: a later reload changes nothing for a running job, and
 * workers need no registry of their own. `context` is material gathered for agents that ask for it.
 */
export const JobPlan = z.strictObject({
  v: z.literal(1),
  skill: z.strictObject({ name: z.string(), version: z.number().int(), description: z.string() }),
  agent: Agent,
  instructions: z.string(),
  utterance: z.string(),
  instruction: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  /** Origins a browser job may open, e.g. `http://127.0.0.1:4000`. */
  targets: z.array(z.strictObject({ name: z.string(), url: z.string() })),
  context: z.string(),
});
export type JobPlan = z.infer<typeof JobPlan>;
