import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { ConfigError } from './errors.ts';

/** The repository's own folder, whatever the working directory. */
export const REPOSITORY_ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every variable a `.env` file may hold; another name there is a typing mistake. */
export const KNOWN_VARIABLES: ReadonlySet<string> = new Set(
  `OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY
   OPENAI_REALTIME_URL OPENAI_BASE_URL ANTHROPIC_BASE_URL GEMINI_BASE_URL REHEARSAL_URL REHEARSAL_PORT
   REALTIME_MODEL TRANSCRIPTION_MODEL CODING_MODEL BROWSER_MODEL ROUTER_MODEL
   WSL_GATEWAY_URL WSL_GATEWAY_HOST WSL_GATEWAY_PORT GATEWAY_TOKEN GATEWAY_TOKEN_FILE
   TEMPORAL_ADDRESS TEMPORAL_NAMESPACE TEMPORAL_API_KEY TEMPORAL_PORT TEMPORAL_DB_FILE TEMPORAL_UI_URL TEMPORAL_CLI_PATH
   TEMPORAL_TLS TEMPORAL_TLS_CLIENT_CERT_PATH TEMPORAL_TLS_CLIENT_CERT_DATA TEMPORAL_TLS_CLIENT_KEY_PATH TEMPORAL_TLS_CLIENT_KEY_DATA
   TEMPORAL_TLS_SERVER_CA_CERT_PATH TEMPORAL_TLS_SERVER_CA_CERT_DATA TEMPORAL_TLS_SERVER_NAME TEMPORAL_TLS_DISABLE_HOST_VERIFICATION
   CODING_WORKING_DIRECTORY CODING_SANDBOX CODING_NETWORK_ALLOW CODING_DEPLOY_ALLOW BWRAP_PATH CHROMIUM_PATH
   STAGING_URL TARGETS_FILE TRACE_DIR TRACE_SQLITE_PATH ARTIFACT_DIR DATA_DIR
   TASK_BUDGET_USD ALLOW_UNPRICED APPROVAL_TIMEOUT_MS WORKER_ROLES WORKER_METRICS_PORT SKILLS_DIR LLM_ROUTER EMBEDDING_SCORER
   PRICES_FILE SECRETS_FILE UTTERANCE_SEARCH_ATTRIBUTE LOG_LEVEL
   MICROPHONE MICROPHONE_DEVICE SPEAKER VOICE BARGE_IN SPEECH_DETECTOR TURN_DETECTION
   PRE_ROLL_MS HANG_OVER_MS MAX_UTTERANCE_MS EDGE_METRICS_PORT`.split(/\s+/),
);

export type Environment = Readonly<Record<string, string>>;

/**
 * The variables in force: the process environment over the file, an empty value meaning unset.
 * `fileName` is `.env.wsl` or `.env.local` in the repository root; DUAL_ENV_FILE names another one (which must exist).
 * @throws ConfigError for a name in the file that is not ours, or a DUAL_ENV_FILE that cannot be read.
 */
export const loadEnvironment = (processEnv: NodeJS.ProcessEnv, fileName: '.env.wsl' | '.env.local'): Environment => {
  const named = processEnv['DUAL_ENV_FILE'];
  const path = named ? (isAbsolute(named) ? named : join(REPOSITORY_ROOT, named)) : join(REPOSITORY_ROOT, fileName);
  const values: Record<string, string> = {};
  if (named && !existsSync(path)) throw new ConfigError('DUAL_ENV_FILE', 'no such file');
  if (existsSync(path)) {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(path, 'utf8')))) {
      if (!KNOWN_VARIABLES.has(name))
        throw new ConfigError(
          name,
          `not a variable of ours; look for a typing mistake in ${named ? 'DUAL_ENV_FILE' : fileName}`,
        );
      if (value) values[name] = value;
    }
  }
  for (const [name, value] of Object.entries(processEnv)) if (value) values[name] = value;
  return values;
};

/**
 * Parses settings at the door. The schema's keys are variable names.
 * @throws ConfigError naming the first bad variable and what is wrong with it, never its value.
 */
export const parseEnvironment = <T>(schema: z.ZodType<T>, environment: Environment): T => {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ConfigError(
    String(issue?.path[0] ?? 'environment'),
    issue?.code === 'custom' ? issue.message : `not valid: ${problemOf(issue)}`,
  );
};

/** What is wrong, from the schema's side alone: a value can be a secret. */
const problemOf = (issue: z.core.$ZodIssue | undefined): string => {
  switch (issue?.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'invalid_format':
      return `expected ${issue.format}`;
    default:
      return 'see .env.wsl.example';
  }
};

/** A path from a setting: relative ones start at the repository root. */
export const fromRoot = (path: string): string => (isAbsolute(path) ? path : join(REPOSITORY_ROOT, path));
