import { relative } from 'node:path';
import { REPOSITORY_ROOT } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import { aborted } from '../platform/lifecycle.ts';
import type { Closer } from '../platform/lifecycle.ts';
import type { BackoffOptions } from './backoff.ts';
import { readToken } from './bring-up.ts';
import type { Ready } from './bring-up.ts';
import type { Console } from './console.ts';
import { createGatewayClient } from './gateway-client.ts';
import { findSetpriv } from './guardian.ts';
import type { Programs } from './plan.ts';
import { assertFree } from './ports.ts';
import { portClaims, readSettings } from './settings.ts';
import type { StackSettings } from './settings.ts';
import { startStack } from './stack.ts';
import { prepareDatabase } from './temporal.ts';

export interface RunOptions {
  /** All variables in force, the `.env` file's included. */
  environment: Environment;
  programs: Programs;
  console: Console;
  backoff?: BackoffOptions;
  /** Path of `setpriv`, null for none; default: looked for on PATH. */
  setpriv?: string | null;
}

const shown = (path: string): string => {
  const inside = relative(REPOSITORY_ROOT, path);
  return inside.startsWith('..') ? path : inside;
};

const introduce = (settings: StackSettings): string[] => {
  const { temporal, rehearsalPort, sitePort } = settings;
  return [
    temporal.kind === 'given'
      ? `Temporal: using the server at ${temporal.address} (TEMPORAL_ADDRESS)`
      : `Temporal: starting a dev server on ${shown(temporal.databaseFile ?? 'memory')}; closed workflows stay 30 days; a power cut may lose its last moment, a crash does not`,
    ...(rehearsalPort === null
      ? []
      : [
          'models: rehearsal plays the providers without a key (ANTHROPIC_API_KEY, GEMINI_API_KEY); its answers say so',
        ]),
    ...(sitePort === null ? [] : ['staging website: examples/site (set STAGING_URL for yours)']),
  ];
};

/** The five addresses a person wants. */
const addresses = (ready: Ready, settings: StackSettings, login: string | null): string => {
  const elsewhere = settings.gateway.port === 8080 ? '' : `WSL_GATEWAY_URL=${ready.gateway} `;
  return [
    '',
    `  gateway        ${ready.gateway}   (token in ${shown(ready.token_file)})`,
    ...(login === null ? [] : [`  in a browser   ${login}   (logs in once, within 5 minutes; then e.g. /traces)`]),
    `  Temporal UI    ${ready.ui}`,
    `  metrics        ${ready.metrics.join('   ')}`,
    `  traces         ${shown(settings.traceDir)}/`,
    `  say something  ${elsewhere}npm run --silent dual -- say "Refactor the API and validate the staging website."`,
    '',
  ].join('\n');
};

/** null when there is none to be had: the rest of the stack is no worse for it. */
const loginLink = async (ready: Ready, settings: StackSettings, signal: AbortSignal): Promise<string | null> => {
  try {
    const token = await readToken(settings, ready.token_file);
    return await createGatewayClient(ready.gateway, token, signal).loginLink();
  } catch {
    return null;
  }
};

/** `make dev`: the stack for daily use, until the signal ends it. */
export const runDev = async (
  { environment, programs, console, backoff, setpriv = findSetpriv(environment['PATH'] ?? '') }: RunOptions,
  signal: AbortSignal,
  closer: Closer,
): Promise<void> => {
  const settings = await readSettings(environment, signal);
  await assertFree(portClaims(settings));
  if (settings.temporal.kind === 'own' && settings.temporal.databaseFile !== null)
    prepareDatabase(settings.temporal.databaseFile);
  for (const line of introduce(settings)) console.say(line);

  const stack = startStack(
    {
      settings,
      programs,
      setpriv,
      output: (child, line) => console.child(child, line),
      say: (text) => console.say(text),
      ...(backoff ? { backoff } : {}),
    },
    signal,
  );
  closer.add('children', async () => {
    console.say('stopping: gateway, worker, then the rest');
    await stack.stop();
    console.say('stopped: nothing is left running');
  });
  // Whatever ends this process early (a second Ctrl-C) takes the children along.
  process.on('exit', () => stack.killAll());

  const ready = await stack.ready;
  console.print(addresses(ready, settings, await loginLink(ready, settings, signal)));
  console.print(`ready ${JSON.stringify(ready)}`);
  await Promise.race([aborted(signal), stack.broken]);
};
