import { z } from 'zod';
import { fromRoot, parseEnvironment } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import { ConfigError, OperationError } from '../platform/errors.ts';
import { freePortWithNeighbour, freePorts, isFree } from '../platform/ports.ts';
import type { PortClaim } from './ports.ts';
import { METRICS_OFFSET, UI_OFFSET, defaultDatabase, findTemporalCli, readFound } from './temporal.ts';
import type { Found } from './temporal.ts';

const Port = (fallback: number, max = 65_535): z.ZodType<number> =>
  z.coerce.number().int().min(0).max(max).default(fallback);

/** The variables that drive the supervisor itself. A port of 0 means any free one. */
const Variables = z.object({
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d{1,5}$/)
    .optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_PORT: Port(7233, 65_535 - UI_OFFSET),
  TEMPORAL_DB_FILE: z.string().optional(),
  TEMPORAL_UI_URL: z.url().optional(),
  WSL_GATEWAY_HOST: z.string().default('127.0.0.1'),
  WSL_GATEWAY_PORT: Port(8080),
  WORKER_METRICS_PORT: Port(9465),
  DATA_DIR: z.string().default('data'),
  TRACE_DIR: z.string().default('logs/traces'),
});

/** A Temporal server of our own, or one that is there already. */
export type TemporalSettings =
  | { kind: 'own'; cli: string; port: number; metricsPort: number; databaseFile: string | null; namespace: string }
  | { kind: 'given'; cli: string | null; address: string; ui: string; namespace: string };

/** Everything decided about a stack before its first process starts. */
export interface StackSettings {
  /** All variables in force, file and process together. */
  environment: Environment;
  found: Found;
  temporal: TemporalSettings;
  gateway: { host: string; port: number };
  workerMetricsPort: number;
  /** null: every provider has a key or a URL. */
  rehearsalPort: number | null;
  /** null: STAGING_URL or TARGETS_FILE says what the staging website is. */
  sitePort: number | null;
  /** Folder of the trace files. */
  traceDir: string;
}

const LOOPBACK = '127.0.0.1';

/** A provider without key and without URL is played by the rehearsal server. */
export const needsRehearsal = (environment: Environment): boolean =>
  ['ANTHROPIC', 'GEMINI'].some((name) => !environment[`${name}_API_KEY`] && !environment[`${name}_BASE_URL`]);

const needsSite = (environment: Environment): boolean => !environment['STAGING_URL'] && !environment['TARGETS_FILE'];

const cliOf = (environment: Environment, found: Found): string => {
  const cli = findTemporalCli(environment, found);
  if (cli === null)
    throw new OperationError(
      'EnvironmentUnavailable',
      'no Temporal CLI: `make dev` fetches one, or name yours with TEMPORAL_CLI_PATH, or a running server with TEMPORAL_ADDRESS',
      { retryable: false },
    );
  return cli;
};

/** The metrics port beside Temporal's own where it is free: a fixed place to look, not worth a refusal. */
const metricsPortOf = async (port: number): Promise<number> => {
  const wanted = port + METRICS_OFFSET;
  if (wanted <= 65_535 && (await isFree(wanted, LOOPBACK))) return wanted;
  const [other] = await freePorts(1, LOOPBACK);
  return other ?? 0;
};

const temporalOf = async (
  variables: z.infer<typeof Variables>,
  environment: Environment,
  found: Found,
  inMemory: boolean,
  signal: AbortSignal,
): Promise<TemporalSettings> => {
  const namespace = variables.TEMPORAL_NAMESPACE;
  const address = variables.TEMPORAL_ADDRESS;
  if (address !== undefined) {
    const at = address.lastIndexOf(':');
    const ui =
      variables.TEMPORAL_UI_URL ?? `http://${address.slice(0, at)}:${Number(address.slice(at + 1)) + UI_OFFSET}`;
    return { kind: 'given', cli: findTemporalCli(environment, found), address, ui, namespace };
  }
  const cli = cliOf(environment, found);
  const port = variables.TEMPORAL_PORT || (await freePortWithNeighbour(UI_OFFSET, LOOPBACK));
  const named = variables.TEMPORAL_DB_FILE;
  const databaseFile = inMemory
    ? null
    : named
      ? fromRoot(named)
      : await defaultDatabase(cli, fromRoot(variables.DATA_DIR), environment, signal);
  return { kind: 'own', cli, port, metricsPort: await metricsPortOf(port), databaseFile, namespace };
};

/**
 * Decides what `make dev` runs and where, from the variables alone. `inMemory`: a Temporal of our own forgets all.
 * @throws ConfigError for a bad value; OperationError EnvironmentUnavailable without a Temporal CLI.
 */
export const readSettings = async (
  environment: Environment,
  signal: AbortSignal,
  { inMemory = false }: { inMemory?: boolean } = {},
): Promise<StackSettings> => {
  const variables = parseEnvironment(Variables, environment);
  const found = readFound();
  const [temporal, spare] = await Promise.all([
    temporalOf(variables, environment, found, inMemory, signal),
    freePorts(4, LOOPBACK),
  ]);
  const [rehearsalPort = 0, sitePort = 0, gatewayPort = 0, workerMetricsPort = 0] = spare;
  const settings: StackSettings = {
    environment,
    found,
    temporal,
    gateway: { host: variables.WSL_GATEWAY_HOST, port: variables.WSL_GATEWAY_PORT || gatewayPort },
    workerMetricsPort: variables.WORKER_METRICS_PORT || workerMetricsPort,
    rehearsalPort: needsRehearsal(environment) ? rehearsalPort : null,
    sitePort: needsSite(environment) ? sitePort : null,
    traceDir: fromRoot(variables.TRACE_DIR),
  };
  assertDistinct(portClaims(settings));
  return settings;
};

/** The ports a person chose or left at their default, for the check before anything starts. */
export const portClaims = ({ temporal, gateway, workerMetricsPort }: StackSettings): PortClaim[] => [
  ...(temporal.kind === 'own'
    ? [
        { port: temporal.port, host: LOOPBACK, purpose: 'Temporal', change: 'TEMPORAL_PORT' },
        {
          port: temporal.port + UI_OFFSET,
          host: LOOPBACK,
          purpose: `Temporal Web UI, ${UI_OFFSET} above Temporal`,
          change: 'TEMPORAL_PORT',
        },
      ]
    : []),
  { port: gateway.port, host: gateway.host, purpose: 'gateway', change: 'WSL_GATEWAY_PORT' },
  { port: workerMetricsPort, host: LOOPBACK, purpose: 'worker metrics', change: 'WORKER_METRICS_PORT' },
];

const assertDistinct = (claims: readonly PortClaim[]): void => {
  for (const [index, claim] of claims.entries()) {
    const twin = claims.slice(0, index).find((other) => other.port === claim.port);
    if (twin) throw new ConfigError(claim.change, `the same port as that of ${twin.purpose}`);
  }
};
