import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { fromRoot } from '../platform/env.ts';
import { OperationError } from '../platform/errors.ts';
import { delay, unlessAborted } from '../platform/lifecycle.ts';
import type { Child } from './child.ts';
import { bareEnvironment, temporalAddressOf } from './plan.ts';
import type { ChildRole } from './plan.ts';
import type { StackSettings } from './settings.ts';
import { checkSearchAttributes, prepareDevServer } from './temporal.ts';
import type { TemporalAccess } from './temporal.ts';

/** Where everything answers: the `ready {...}` line, key by key. */
export interface Ready {
  gateway: string;
  temporal: string;
  ui: string;
  metrics: string[];
  token_file: string;
}

const LOOK_EVERY_MS = 50;
const PROGRESS_EVERY_MS = 2_000;

const Listening = z.looseObject({ listening: z.url() });
const WorkerReady = z.looseObject({ ready: z.literal(true), metrics: z.url() });
const GatewayListening = z.looseObject({ listening: z.url(), token_file: z.string() });

/** The bearer token: the variable, else the file the gateway named. */
export const readToken = async (settings: StackSettings, tokenFile: string): Promise<string> =>
  settings.environment['GATEWAY_TOKEN'] ?? (await readFile(fromRoot(tokenFile), 'utf8')).trim();

const announcement = async <T>(child: Child, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> => {
  const parsed = schema.safeParse(await unlessAborted(child.announced, signal));
  if (parsed.success) return parsed.data;
  throw new OperationError('Internal', `${child.name} announced itself in a form we do not know`, { retryable: false });
};

const answersOk = async (url: string, headers: Record<string, string>, signal: AbortSignal): Promise<boolean> => {
  try {
    const reply = await fetch(url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
    await reply.body?.cancel();
    return reply.status === 200;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
};

/** Asks until the answer is 200; rejects only with the signal. */
const untilOk = async (url: string, headers: Record<string, string>, signal: AbortSignal): Promise<void> => {
  while (!(await answersOk(url, headers, signal))) await delay(LOOK_EVERY_MS, signal);
};

const accessOf = (settings: StackSettings): TemporalAccess | null => {
  const { temporal, environment } = settings;
  if (temporal.cli === null) return null;
  return {
    cli: temporal.cli,
    address: temporalAddressOf(settings).address,
    namespace: temporal.namespace,
    environment: temporal.kind === 'own' ? bareEnvironment(environment) : environment,
  };
};

/**
 * Waits until every child of a started stack answers, saying every 2 s who is still awaited, then checks Temporal's
 * search attributes (a problem there is said, not thrown). @throws the signal's reason when it aborts first.
 */
export const bringUp = async (
  settings: StackSettings,
  children: ReadonlyMap<ChildRole, Child>,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Ready> => {
  const access = accessOf(settings);
  const startedAt = performance.now();
  const pending = new Set<string>();
  const awaiting = async <T>(role: ChildRole, wait: (child: Child) => Promise<T>): Promise<T | null> => {
    const child = children.get(role);
    if (!child) return null;
    pending.add(role);
    const heard = await wait(child);
    child.markReady();
    pending.delete(role);
    return heard;
  };
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    if (pending.size > 0) say(`waiting for ${[...pending].join(', ')} (${seconds} s)`);
  }, PROGRESS_EVERY_MS);
  try {
    const [, , , worker, gateway] = await Promise.all([
      awaiting('temporal', async () => access && prepareDevServer(access, signal)),
      awaiting('rehearsal', async (child) => {
        const { listening } = await announcement(child, Listening, signal);
        await untilOk(new URL('/health', listening).href, {}, signal);
      }),
      awaiting('site', (child) => announcement(child, Listening, signal)),
      awaiting('worker', (child) => announcement(child, WorkerReady, signal)),
      awaiting('gateway', async (child) => {
        const heard = await announcement(child, GatewayListening, signal);
        const token = await readToken(settings, heard.token_file);
        await untilOk(new URL('/ready', heard.listening).href, { authorization: `Bearer ${token}` }, signal);
        return heard;
      }),
    ]);
    if (!worker || !gateway) throw new OperationError('Internal', 'a stack without worker or gateway');
    const problems = access ? await checkSearchAttributes(access, signal) : [];
    for (const problem of problems) say(`warning: ${problem}`);
    const base = gateway.listening.replace(/\/$/, '');
    return {
      gateway: base,
      ...{ temporal: temporalAddressOf(settings).address, ui: temporalAddressOf(settings).ui },
      metrics: [`${base}/metrics`, worker.metrics],
      token_file: fromRoot(gateway.token_file),
    };
  } finally {
    clearInterval(progress);
  }
};
