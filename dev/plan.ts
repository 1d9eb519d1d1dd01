import { devNull } from 'node:os';
import { fromRoot } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import type { ChildPlan } from './child.ts';
import type { StackSettings } from './settings.ts';
import { UI_OFFSET, devServerArgs } from './temporal.ts';

/** The scripts a stack is made of; tests put small stand-ins in their place. */
export interface Programs {
  rehearsal: string;
  site: string;
  worker: string;
  gateway: string;
}

export const PROGRAMS: Programs = {
  rehearsal: fromRoot('rehearsal/main.ts'),
  site: fromRoot('examples/site/serve.mjs'),
  worker: fromRoot('workers/main.ts'),
  gateway: fromRoot('gateway/main.ts'),
};

export type ChildRole = 'temporal' | 'rehearsal' | 'site' | 'worker' | 'gateway';
export interface PlannedChild extends ChildPlan {
  role: ChildRole;
}

/** `host:port` of the Temporal server the stack uses, and its Web UI. */
export const temporalAddressOf = ({ temporal }: StackSettings): { address: string; ui: string } =>
  temporal.kind === 'given'
    ? { address: temporal.address, ui: temporal.ui }
    : { address: `127.0.0.1:${temporal.port}`, ui: `http://127.0.0.1:${temporal.port + UI_OFFSET}` };

const without = (environment: Environment, unwanted: RegExp): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !unwanted.test(name)));

/** Keys are for the processes that use them. */
const SECRETS = /(_API_KEY|_TOKEN|_DATA)$/;
/** What tells a client which server to use: never true for a server of our own. */
const TEMPORAL_CLIENT = /^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|TLS.*|PROFILE|CONFIG_FILE|ENV|ENV_FILE)$/;

/** What is left when no server is named: no variable names one, and no profile of the person's own is read. */
export const withoutTemporalClient = (environment: Environment): Record<string, string> => ({
  ...without(environment, TEMPORAL_CLIENT),
  TEMPORAL_CONFIG_FILE: fromRoot('dev/no-profile.toml'),
});

/** MiB of young generation; V8's default is 16. The worker makes more waste: at 2 it spent a tenth of its time collecting. */
const YOUNG_MIB = { gateway: 1, worker: 8, rehearsal: 2, site: 2 } as const;

/**
 * How our Node processes run. Compiled code is kept: a second start of the stack then takes a quarter less CPU (4.7 s
 * against 3.5 s, two cores, 2026-11-25), which is what a start waits for. A small young generation is collected before
 * it spreads, and two arenas of glibc's allocator instead of eight a core keep freed memory from piling up: together
 * with its slower heap (`gateway/main.ts`) the gateway holds 150 instead of 200 MiB after 200 tasks (2026-11-25).
 */
export const nodeSettings = (role: Exclude<ChildRole, 'temporal'>): Record<string, string> => ({
  NODE_COMPILE_CACHE: fromRoot('.cache/node'),
  NODE_OPTIONS: `--max-semi-space-size=${YOUNG_MIB[role]}`,
  ...(role === 'gateway' && { MALLOC_ARENA_MAX: '2' }),
});

/** Variables for processes that need no keys; the CLI must not read a person's own Temporal profile either. */
export const bareEnvironment = (environment: Environment): Record<string, string> =>
  without(withoutTemporalClient(environment), SECRETS);

/**
 * Variables of worker and gateway. The supervisor has read the `.env` file already, so they read none: what it
 * decided (its own Temporal instead of a named one, free ports) could not be unset there.
 */
const productEnvironment = (settings: StackSettings): Record<string, string> => {
  const { environment, temporal, found, gateway } = settings;
  const { address, ui } = temporalAddressOf(settings);
  const own = temporal.kind === 'own';
  return {
    ...(found.chromium ? { CHROMIUM_PATH: found.chromium } : {}),
    ...(found.bwrap ? { BWRAP_PATH: found.bwrap } : {}),
    ...(own ? withoutTemporalClient(environment) : environment),
    DUAL_ENV_FILE: devNull,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPORAL_UI_URL: ui,
    WSL_GATEWAY_HOST: gateway.host,
    WSL_GATEWAY_PORT: String(gateway.port),
    WORKER_METRICS_PORT: String(settings.workerMetricsPort),
    ...(settings.rehearsalPort === null ? {} : { REHEARSAL_URL: `http://127.0.0.1:${settings.rehearsalPort}` }),
    ...(settings.sitePort === null ? {} : { STAGING_URL: `http://127.0.0.1:${settings.sitePort}` }),
  };
};

/**
 * The children of a stack, first to start first and last to stop last. All start at the same moment: worker and
 * gateway wait for Temporal by themselves, and every port is known beforehand.
 */
export const planStack = (settings: StackSettings, programs: Programs): PlannedChild[] => {
  const { temporal, rehearsalPort, sitePort } = settings;
  const bare = bareEnvironment(settings.environment);
  const product = productEnvironment(settings);
  const ours = (role: keyof Programs, env: Record<string, string>): PlannedChild => ({
    role,
    name: role,
    command: process.execPath,
    args: [programs[role]],
    env: { ...nodeSettings(role), ...env },
    deathSignal: 'KILL',
  });
  return [
    ...(temporal.kind === 'own'
      ? [
          {
            role: 'temporal',
            name: 'temporal',
            command: temporal.cli,
            args: devServerArgs(temporal),
            env: bare,
            deathSignal: 'TERM',
          } satisfies PlannedChild,
        ]
      : []),
    ...(rehearsalPort === null
      ? []
      : [ours('rehearsal', { ...bare, DUAL_ENV_FILE: devNull, REHEARSAL_PORT: String(rehearsalPort) })]),
    ...(sitePort === null ? [] : [ours('site', { ...bare, PORT: String(sitePort) })]),
    ours('worker', product),
    ours('gateway', product),
  ];
};
