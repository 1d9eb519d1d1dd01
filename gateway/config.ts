import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../platform/env.ts';
import { fromRoot, parseEnvironment } from '../platform/env.ts';
import { ConfigError } from '../platform/errors.ts';
import models from '../platform/models.json' with { type: 'json' };
import { loadTargets } from '../skills/targets.ts';

const path = z.string().transform(fromRoot);
const onOff = z
  .enum(['on', 'off', 'true', 'false', '1', '0'])
  .transform((value) => ['on', 'true', '1'].includes(value));
const httpUrl = z.url({ protocol: /^https?$/ });

const Schema = z.object({
  WSL_GATEWAY_HOST: z
    .string()
    .regex(/^[^\s/]+$/)
    .default('127.0.0.1'),
  WSL_GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  GATEWAY_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/)
    .optional(),
  GATEWAY_TOKEN_FILE: path.default(fromRoot('data/gateway-token')),
  TEMPORAL_UI_URL: httpUrl.optional(),
  STAGING_URL: httpUrl.optional(),
  TARGETS_FILE: path.optional(),
  DATA_DIR: path.default(fromRoot('data')),
  TRACE_DIR: path.default(fromRoot('logs/traces')),
  ARTIFACT_DIR: path.optional(),
  SKILLS_DIR: path.default(fromRoot('skills')),
  TASK_BUDGET_USD: z.coerce.number().positive().max(100_000).default(5),
  ALLOW_UNPRICED: onOff.default(false),
  APPROVAL_TIMEOUT_MS: z.coerce.number().int().min(1_000).max(86_400_000).default(1_800_000),
  UTTERANCE_SEARCH_ATTRIBUTE: onOff.default(true),
  LLM_ROUTER: z.enum(['off', 'on', 'shadow']).default('off'),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  ROUTER_MODEL: z.string().max(100).optional(),
  PRICES_FILE: path.optional(),
  EMBEDDING_SCORER: onOff.default(false),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** How the language model behind the router is reached. */
export interface LlmRouterConfig {
  mode: 'on' | 'shadow';
  apiKey: string;
  /** null: the provider itself. */
  baseUrl: string | null;
  model: string;
  /** null: the model's own. */
  reasoningEffort: string | null;
  /** null: the shipped prices. */
  pricesFile: string | null;
}

/** A URL without a key gets this one: stand-ins want a header, not a secret. */
const DUMMY_KEY = 'no-key';

const llmRouterOf = (set: z.infer<typeof Schema>): LlmRouterConfig | null => {
  if (set.LLM_ROUTER === 'off') return null;
  if (!set.OPENAI_API_KEY && !set.OPENAI_BASE_URL)
    throw new ConfigError('OPENAI_API_KEY', `LLM_ROUTER is ${set.LLM_ROUTER} and needs it, or OPENAI_BASE_URL`);
  const model = set.ROUTER_MODEL ?? models.router.name;
  return {
    mode: set.LLM_ROUTER,
    apiKey: set.OPENAI_API_KEY ?? DUMMY_KEY,
    baseUrl: set.OPENAI_BASE_URL ?? null,
    model,
    // Models differ in the efforts they know, and refuse the others.
    reasoningEffort: model === models.router.name ? models.router.reasoning_effort : null,
    pricesFile: set.PRICES_FILE ?? null,
  };
};

export type GatewayConfig = ReturnType<typeof loadGatewayConfig>;

/**
 * The gateway's settings, parsed once. A port of 0 means any free one.
 * @throws ConfigError naming the variable, never its value.
 */
export const loadGatewayConfig = (environment: Environment) => {
  const set = parseEnvironment(Schema, environment);
  return {
    host: set.WSL_GATEWAY_HOST,
    port: set.WSL_GATEWAY_PORT,
    token: set.GATEWAY_TOKEN ?? null,
    tokenFile: set.GATEWAY_TOKEN_FILE,
    /** null: the server's address with the dev server's usual offset. */
    temporalUiUrl: set.TEMPORAL_UI_URL ?? null,
    targets: loadTargets(set.STAGING_URL, set.TARGETS_FILE),
    dataDir: set.DATA_DIR,
    traceDir: set.TRACE_DIR,
    artifactDir: set.ARTIFACT_DIR ?? join(set.DATA_DIR, 'artifacts'),
    skillsDir: set.SKILLS_DIR,
    /** Sentence vectors as a second scorer of the router. */
    embeddingScorer: set.EMBEDDING_SCORER,
    taskBudgetUsd: set.TASK_BUDGET_USD,
    allowUnpriced: set.ALLOW_UNPRICED,
    approvalTimeoutMs: set.APPROVAL_TIMEOUT_MS,
    utteranceSearchAttribute: set.UTTERANCE_SEARCH_ATTRIBUTE,
    /** null: off. */
    llmRouter: llmRouterOf(set),
    logLevel: set.LOG_LEVEL,
  };
};
