import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { fromRoot, parseEnvironment } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import { codeOf, ConfigError } from '../platform/errors.ts';
import { loadTargets } from '../skills/targets.ts';
import type { Target } from '../skills/targets.ts';

const path = z.string().transform(fromRoot);

const Variables = z.object({
  WSL_GATEWAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  WSL_GATEWAY_HOST: z.string().default('127.0.0.1'),
  WSL_GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  GATEWAY_TOKEN: z.string().optional(),
  GATEWAY_TOKEN_FILE: path.default(fromRoot('data/gateway-token')),
  DATA_DIR: path.default(fromRoot('data')),
  SKILLS_DIR: path.default(fromRoot('skills')),
  TRACE_DIR: path.default(fromRoot('logs/traces')),
  TRACE_SQLITE_PATH: path.default(fromRoot('logs/traces.db')),
  STAGING_URL: z.url({ protocol: /^https?$/ }).optional(),
  TARGETS_FILE: path.optional(),
});

export interface CliSettings {
  /** Without a slash at its end. */
  gatewayUrl: string;
  /** null: neither GATEWAY_TOKEN nor a token file; the gateway makes the file at its first start. */
  token(): string | null;
  tokenFile: string;
  /** The sites an order may name, as the gateway reads them. @throws ConfigError TARGETS_FILE */
  targets(): Target[];
  dataDir: string;
  skillsDir: string;
  traceDir: string;
  sqlitePath: string;
  environment: Environment;
}

/** Addresses to listen on that nobody can call. */
const ANY_HOST = new Set(['0.0.0.0', '::', '[::]']);

const addressOf = (host: string, port: number): string => {
  if (port === 0)
    throw new ConfigError('WSL_GATEWAY_PORT', '0 is any free port; say with WSL_GATEWAY_URL where the gateway is now');
  const reachable = ANY_HOST.has(host) ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable}:${port}`;
};

/** @throws ConfigError naming the variable, never its value. */
export const loadCliSettings = (environment: Environment): CliSettings => {
  const set = parseEnvironment(Variables, environment);
  const tokenFile = set.GATEWAY_TOKEN_FILE;
  return {
    gatewayUrl: (set.WSL_GATEWAY_URL ?? addressOf(set.WSL_GATEWAY_HOST, set.WSL_GATEWAY_PORT)).replace(/\/+$/, ''),
    token: () => {
      if (set.GATEWAY_TOKEN) return set.GATEWAY_TOKEN;
      try {
        return readFileSync(tokenFile, 'utf8').trim() || null;
      } catch (error) {
        if (['ENOENT', 'EACCES', 'EISDIR'].includes(codeOf(error))) return null;
        throw error;
      }
    },
    tokenFile,
    targets: () => loadTargets(set.STAGING_URL, set.TARGETS_FILE),
    dataDir: set.DATA_DIR,
    skillsDir: set.SKILLS_DIR,
    traceDir: set.TRACE_DIR,
    sqlitePath: set.TRACE_SQLITE_PATH,
    environment,
  };
};
