import { z } from 'zod';

export const NAME = /^[a-z][a-z0-9-]{0,39}$/;

export const Limits = z.strictObject({
  timeout_ms: z.number().int().min(1_000).max(86_400_000).optional(),
  max_cost_usd: z.number().positive().max(1_000).optional(),
  max_turns: z.number().int().min(1).max(1_000).optional(),
});
export type Limits = z.infer<typeof Limits>;

export const APPROVAL_POLICIES = ['never', 'on_low_confidence', 'always'] as const;
export const RISKS = ['read_only', 'writes_code', 'writes_remote', 'irreversible'] as const;
export type Risk = (typeof RISKS)[number];

/** What people ask for. A file in `skills/`; `skills/schema/skill.schema.json` says the same to editors. */
export const Skill = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().regex(NAME),
  version: z.number().int().min(1),
  agent: z.string().regex(NAME),
  enabled: z.boolean().default(true),
  description: z.string().min(1).max(500),
  examples: z.array(z.string().min(1).max(300)).min(1).max(1_000),
  negative_examples: z.array(z.string().min(1).max(300)).max(1_000).default([]),
  keywords: z
    .strictObject({
      any: z.array(z.string().max(60)).max(200).default([]),
      none: z.array(z.string().max(60)).max(200).default([]),
    })
    .default({ any: [], none: [] }),
  parameters: z.record(z.string(), z.unknown()).default({ type: 'object', properties: {} }),
  slot_prompts: z.record(z.string(), z.string().max(300)).default({}),
  defaults: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  routing: z
    .strictObject({
      accept: z.number().min(0).max(1).nullable().default(null),
      clarify: z.number().min(0).max(1).nullable().default(null),
      priority: z.number().int().min(-100).max(100).default(0),
    })
    .default({ accept: null, clarify: null, priority: 0 }),
  approval: z
    .strictObject({ policy: z.enum(APPROVAL_POLICIES).default('never'), risk: z.enum(RISKS).default('read_only') })
    .default({ policy: 'never', risk: 'read_only' }),
  limits: Limits.default({}),
});
export type Skill = z.infer<typeof Skill>;
