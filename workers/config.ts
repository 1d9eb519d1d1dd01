import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../platform/env.ts';
import { fromRoot, parseEnvironment } from '../platform/env.ts';
import { codeOf, ConfigError } from '../platform/errors.ts';

export const ROLES = ['workflows', 'models', 'coding', 'browser'] as const;
export type Role = (typeof ROLES)[number];

const list = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter(Boolean))
  .default([]);
/** Commands hold spaces: commas alone separate them. */
const commands = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((command) => command.trim())
      .filter(Boolean),
  )
  .default([]);
const path = z.string().transform(fromRoot);
const httpUrl = z.url({ protocol: /^https?$/ });

const Schema = z.object({
  WORKER_ROLES: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .pipe(z.array(z.enum(ROLES)).min(1))
    .default([...ROLES]),
  WORKER_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(9_465),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  GEMINI_API_KEY: z.string().optional(),
  GEMINI_BASE_URL: httpUrl.optional(),
  REHEARSAL_URL: httpUrl.optional(),
  CODING_MODEL: z.string().max(100).optional(),
  BROWSER_MODEL: z.string().max(100).optional(),
  CODING_WORKING_DIRECTORY: path.optional(),
  CODING_SANDBOX: z.enum(['bubblewrap', 'off']).default('bubblewrap'),
  CODING_NETWORK_ALLOW: list,
  CODING_DEPLOY_ALLOW: commands,
  BWRAP_PATH: z.string().optional(),
  CHROMIUM_PATH: z.string().optional(),
  DATA_DIR: path.default(fromRoot('data')),
  TRACE_DIR: path.default(fromRoot('logs/traces')),
  ARTIFACT_DIR: path.optional(),
  PRICES_FILE: path.optional(),
  SECRETS_FILE: path.optional(),
  PATH: z.string().default(''),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** How one provider is reached. `rehearsal`: neither key nor URL was set, so the loopback models answer. */
export interface ProviderConfig {
  apiKey: string;
  baseUrl: string | null;
  rehearsal: boolean;
}

export type WorkerConfig = ReturnType<typeof loadWorkerConfig>;

/** A provider that is a URL without a key gets this one: stand-ins want a header, not a secret. */
const DUMMY_KEY = 'no-key';

const providerOf = (
  name: 'ANTHROPIC' | 'GEMINI',
  key: string | undefined,
  url: string | undefined,
  rehearsalUrl: string | undefined,
  needed: boolean,
): ProviderConfig => {
  if (key || url) return { apiKey: key ?? DUMMY_KEY, baseUrl: url ?? null, rehearsal: false };
  if (rehearsalUrl) return { apiKey: DUMMY_KEY, baseUrl: rehearsalUrl, rehearsal: true };
  if (needed)
    throw new ConfigError(
      `${name}_API_KEY`,
      `not set, nor ${name}_BASE_URL; set one, or start the rehearsal models (node rehearsal/main.ts) and set REHEARSAL_URL. make dev does that by itself.`,
    );
  return { apiKey: DUMMY_KEY, baseUrl: null, rehearsal: false };
};

/**
 * The worker's settings, parsed once.
 * @throws ConfigError naming the variable, never its value.
 */
export const loadWorkerConfig = (environment: Environment) => {
  const set = parseEnvironment(Schema, environment);
  const models = set.WORKER_ROLES.includes('models');
  return {
    roles: new Set<Role>(set.WORKER_ROLES),
    metricsPort: set.WORKER_METRICS_PORT,
    anthropic: providerOf('ANTHROPIC', set.ANTHROPIC_API_KEY, set.ANTHROPIC_BASE_URL, set.REHEARSAL_URL, models),
    gemini: providerOf('GEMINI', set.GEMINI_API_KEY, set.GEMINI_BASE_URL, set.REHEARSAL_URL, models),
    codingModel: set.CODING_MODEL ?? null,
    browserModel: set.BROWSER_MODEL ?? null,
    /** null: the shipped example, as a repository of its own. */
    repository: set.CODING_WORKING_DIRECTORY ?? null,
    sandbox: set.CODING_SANDBOX,
    networkAllow: set.CODING_NETWORK_ALLOW,
    deployAllow: set.CODING_DEPLOY_ALLOW,
    path: set.PATH,
    bwrapPath: set.BWRAP_PATH ?? null,
    chromiumPath: set.CHROMIUM_PATH ?? null,
    dataDir: set.DATA_DIR,
    traceDir: set.TRACE_DIR,
    artifactDir: set.ARTIFACT_DIR ?? join(set.DATA_DIR, 'artifacts'),
    pricesFile: set.PRICES_FILE ?? null,
    extraSecrets: readSecrets(set.SECRETS_FILE),
    logLevel: set.LOG_LEVEL,
  };
};

/** One secret a line, hidden like the keys of the environment. */
const readSecrets = (file: string | undefined): string[] => {
  if (!file) return [];
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  } catch (error) {
    throw new ConfigError('SECRETS_FILE', `cannot be read (${codeOf(error)})`);
  }
};
