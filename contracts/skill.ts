import { z } from 'zod';

export const NAME = /^[a-z][a-z0-9-]{0,39}$/;

export const Limits = z.strictObject({
  timeout_ms: z
    .number()
    .int()
    .min(1_000)
    .max(86_400_000)
    .optional()
    .describe("Milliseconds a job may take before it asks. Default: the agent's, which is also the most."),
  max_cost_usd: z
    .number()
    .positive()
    .max(1_000)
    .optional()
    .describe("US dollars a job may spend before it asks. Default: the agent's, which is also the most."),
  max_turns: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe("Turns of the model before a job asks. Default: the agent's, which is also the most."),
});
export type Limits = z.infer<typeof Limits>;

export const APPROVAL_POLICIES = ['never', 'on_low_confidence', 'always'] as const;
export const RISKS = ['read_only', 'writes_code', 'writes_remote', 'irreversible'] as const;
export type Risk = (typeof RISKS)[number];

/** What a text parameter is, where its words are not simply taken as they are: how it is read from speech. */
export const SPOKEN_FORMATS = ['uri', 'symbol', 'file', 'branch', 'target'] as const;
export type SpokenFormat = (typeof SPOKEN_FORMATS)[number];

const phrases = { type: 'array', items: { type: 'string', minLength: 1, maxLength: 60 }, maxItems: 20 } as const;
/** Our own keywords in a parameter's schema; `skills/parameters.ts` checks them, editors complete them. */
export const SPOKEN_KEYWORDS = {
  'x-cues': {
    ...phrases,
    description: 'Words after which the value is said, e.g. ["rename", "name of"]. Default: the name of the parameter.',
  },
  'x-synonyms': {
    type: 'object',
    additionalProperties: phrases,
    description:
      'Other words for a value: {"production": ["prod", "live"]}. Keys are values of the enum, or names of targets.',
  },
} as const;

/** For editors only; what a skill may really say is checked by a JSON Schema validator at loading. */
const PARAMETERS_FOR_EDITORS = {
  description: 'JSON Schema of an object. Its properties are read from the words of an order.',
  properties: {
    type: { const: 'object' },
    additionalProperties: { type: 'boolean' },
    required: { type: 'array', items: { type: 'string' } },
    properties: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: {
          type: { enum: ['string', 'integer', 'number', 'boolean'] },
          description: { type: 'string' },
          enum: { type: 'array', minItems: 1 },
          format: {
            enum: SPOKEN_FORMATS,
            description:
              'uri: a web address, spoken or written. symbol: a name in code ("get user by I D" is getUserById). file: a path ("user service dot t s"). branch: a git branch ("feature slash login"). target: a site of TARGETS_FILE by name, or an address.',
          },
          minLength: { type: 'integer', minimum: 0 },
          maxLength: { type: 'integer', minimum: 0 },
          minimum: { type: 'number' },
          maximum: { type: 'number' },
          ...SPOKEN_KEYWORDS,
        },
      },
    },
  },
} as const;

/** What people ask for. A file in `skills/`; `skills/schema/skill.schema.json` says the same to editors. */
export const Skill = z.strictObject({
  $schema: z.string().optional().describe('Where editors find this schema: ./schema/skill.schema.json'),
  name: z
    .string()
    .regex(NAME)
    .describe('Unique; lower-case letters, digits and dashes. Traces, metrics and "dual skills test" say it.'),
  version: z.number().int().min(1).describe('Raise it with every change; a job keeps the version it started with.'),
  agent: z.string().regex(NAME).describe('Who does it: a file of agents/ by its name.'),
  enabled: z.boolean().default(true).describe('false: the file is checked and not served.'),
  description: z
    .string()
    .min(1)
    .max(500)
    .describe('What it does, in one sentence; read by people, by the language model of LLM_ROUTER, and by the agent.'),
  examples: z
    .array(z.string().min(1).max(300))
    .min(1)
    .max(1_000)
    .describe('What people say, one order each, as speech recognition writes it. Twenty in different words are good.'),
  negative_examples: z
    .array(z.string().min(1).max(300))
    .max(1_000)
    .default([])
    .describe("What has this skill's words and is no order to anybody: remarks, questions, things already done."),
  keywords: z
    .strictObject({
      any: z
        .array(z.string().max(60))
        .max(200)
        .default([])
        .describe('Each of these words or phrases speaks for the skill: it doubles its odds.'),
      none: z
        .array(z.string().max(60))
        .max(200)
        .default([])
        .describe('With one of these words or phrases it is never this skill.'),
    })
    .default({ any: [], none: [] })
    .describe('Words that count beside the examples. Rarely needed: better examples teach more.'),
  parameters: z
    .record(z.string(), z.unknown())
    .default({ type: 'object', properties: {} })
    .meta(PARAMETERS_FOR_EDITORS),
  slot_prompts: z
    .record(z.string(), z.string().max(300))
    .default({})
    .describe('What is asked when a required parameter was not said: {"target": "Staging or production?"}.'),
  defaults: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Values of parameters that nobody said; with one, a required parameter is never asked for.'),
  routing: z
    .strictObject({
      accept: z
        .number()
        .min(0)
        .max(1)
        .nullable()
        .default(null)
        .describe('Score from which on it is carried out. null: the one measured for all skills of its risk.'),
      clarify: z
        .number()
        .min(0)
        .max(1)
        .nullable()
        .default(null)
        .describe('Score from which on a person is asked; below it is no order. null: the measured one.'),
      priority: z
        .number()
        .int()
        .min(-100)
        .max(100)
        .default(0)
        .describe('Of two skills that fit nearly as well the higher one is taken; equal ones are asked about.'),
    })
    .default({ accept: null, clarify: null, priority: 0 })
    .describe('Bars of its own. Leave them null unless "dual skills test" says otherwise.'),
  approval: z
    .strictObject({
      policy: z
        .enum(APPROVAL_POLICIES)
        .default('never')
        .describe('Whether a person has to say yes before a job starts; no answer is a no.'),
      risk: z
        .enum(RISKS)
        .default('read_only')
        .describe(
          'The worst it can do. writes_remote and irreversible need a higher score; irreversible is never approved by voice.',
        ),
    })
    .default({ policy: 'never', risk: 'read_only' })
    .describe('Who has to agree, and what it can do.'),
  limits: Limits.default({}).describe(
    "Tighter limits than the agent's; a job that reaches one asks a person before it goes on.",
  ),
});
export type Skill = z.infer<typeof Skill>;
