import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { connect } from 'node:net';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../contracts/names.ts';
import { fromRoot } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import { OperationError, messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import { fileHolder } from './processes.ts';

/** Distance from Temporal's own port to its Web UI (as the CLI itself has it) and to its metrics (ours; its default is random). */
export const UI_OFFSET = 1_000;
export const METRICS_OFFSET = 2_000;

/** How long closed workflows stay readable. The dev server's own default is one day. */
const RETENTION = '30d';

/** What set-up found, in `.toolchain/found.json`. */
const Found = z.object({
  temporal: z.string().nullish(),
  chromium: z.string().nullish(),
  bwrap: z.string().nullish(),
});
export type Found = z.infer<typeof Found>;

/** What set-up wrote down; empty when it never ran. */
export const readFound = (path = fromRoot('.toolchain/found.json')): Found =>
  existsSync(path) ? Found.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};

/** The Temporal CLI: TEMPORAL_CLI_PATH, else what set-up found, else PATH, else our own copy; null: there is none. */
export const findTemporalCli = (environment: Environment, found: Found): string | null => {
  const named = environment['TEMPORAL_CLI_PATH'];
  if (named) return fromRoot(named);
  const onPath = (environment['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'temporal'));
  const candidates = [found.temporal ?? '', ...onPath, fromRoot('.toolchain/bin/temporal')];
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
};

/** Runs the CLI and answers its standard output. @throws OperationError EnvironmentUnavailable with its last line. */
const run = (cli: string, args: readonly string[], environment: Environment, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    // 10 s: such a command takes 0.1 s; on a starting server it may wait for its own 5 s connection time-out.
    execFile(cli, [...args], { env: { ...environment }, signal, timeout: 10_000 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (signal.aborted) reject(signal.reason as Error);
      else {
        const said = stderr.trim().split('\n')[0] || error.message;
        reject(new OperationError('EnvironmentUnavailable', `temporal ${args.slice(0, 3).join(' ')}: ${said}`));
      }
    });
  });

/** `1.9` of `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`. */
export const minorOf = (version: string): string => {
  const minor = /version (\d+\.\d+)/.exec(version)?.[1];
  if (minor === undefined)
    throw new OperationError('EnvironmentUnavailable', 'the Temporal CLI does not tell its version');
  return minor;
};

/**
 * The default database file. It is named by the CLI's minor version, because the dev server does not upgrade the
 * schema of a file that another version made.
 */
export const defaultDatabase = async (
  cli: string,
  dataDir: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<string> => join(dataDir, `temporal-${minorOf(await run(cli, ['--version'], environment, signal))}.db`);

/**
 * Makes the database's folder. @throws OperationError EnvironmentBusy when another process has the file open: two dev
 * servers on one file overwrite each other's work.
 */
export const prepareDatabase = (file: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  const holder = fileHolder(file);
  if (holder)
    throw new OperationError(
      'EnvironmentBusy',
      `Temporal's database ${file} is in use by process ${holder.pid} (${holder.command}); end it, or choose another file with TEMPORAL_DB_FILE`,
      { retryable: false },
    );
};

export interface DevServerOptions {
  port: number;
  metricsPort: number;
  /** null: in memory, gone at the end. */
  databaseFile: string | null;
  namespace: string;
}

/**
 * The dev server's command line. `history.transferProcessorMaxPollRPS`: by default its one shard looks for work 20
 * times a second after a burst, and each hop of a workflow waits up to 50 ms for it; 1000 makes tasks four times
 * quicker (measured, CLI 1.9.1). `synchronous=1` with WAL: halves the time of a write; a power cut or a crash of the
 * whole machine may lose the last transactions, a crash of the server does not. Errors only: every start and stop of a
 * healthy server warns a dozen times about its own parts.
 */
export const devServerArgs = ({ port, metricsPort, databaseFile, namespace }: DevServerOptions): string[] => [
  ...['server', 'start-dev', '--ip', '127.0.0.1'],
  ...['--port', String(port), '--ui-port', String(port + UI_OFFSET), '--metrics-port', String(metricsPort)],
  ...(databaseFile === null
    ? []
    : ['--db-filename', databaseFile, '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1']),
  ...['--namespace', namespace, '--ui-disable-news-fetch', '--log-format', 'json', '--log-level', 'error'],
  ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
];

/** Resolves once a TCP connection to `host:port` succeeds. Looks every 25 ms: starting takes about a second. */
const untilListening = async (address: string, signal: AbortSignal): Promise<void> => {
  const at = address.lastIndexOf(':');
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await delay(25, signal);
  }
};

/** Tries until it works: a server that answers already may refuse for another second ("not healthy yet", cached misses). */
const insist = async <T>(act: () => Promise<T>, deadlineMs: number, signal: AbortSignal): Promise<T> => {
  const until = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted || performance.now() > until) throw error;
      await delay(100, signal);
    }
  }
};

/** Where our own server is, and how to talk to it. */
export interface TemporalAccess {
  cli: string;
  address: string;
  namespace: string;
  environment: Environment;
}

/** Waits until our own dev server answers, and sets retention, which has no flag and survives restarts. */
export const prepareDevServer = async (access: TemporalAccess, signal: AbortSignal): Promise<void> => {
  await untilListening(access.address, signal);
  const args = ['operator', 'namespace', 'update', '--retention', RETENTION];
  const where = ['--namespace', access.namespace, '--address', access.address];
  await insist(() => run(access.cli, [...args, ...where], access.environment, signal), 30_000, signal);
};

const Listed = z.object({ customAttributes: z.record(z.string(), z.string()).nullish() });

/** What is wrong with the search attributes a server lists (as JSON), one line each; none: all is well. */
export const compareSearchAttributes = (json: string): string[] => {
  const listed = Listed.parse(JSON.parse(json)).customAttributes ?? {};
  return Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => {
    const actual = listed[name]?.replace('INDEXED_VALUE_TYPE_', '');
    if (actual === undefined) return [`search attribute ${name} is not registered`];
    // The server answers OK to a registration under another type and keeps the old one: only listing shows it.
    return actual === type ? [] : [`search attribute ${name} has type ${actual}, not ${type}: use another database`];
  });
};

/** Looks whether the gateway registered the search attributes. Resolves with what is still wrong after 5 s. */
export const checkSearchAttributes = async (access: TemporalAccess, signal: AbortSignal): Promise<string[]> => {
  const args = ['operator', 'search-attribute', 'list', '--output', 'json'];
  const where = ['--namespace', access.namespace, '--address', access.address];
  let problems: string[] = [];
  const look = async (): Promise<void> => {
    problems = compareSearchAttributes(await run(access.cli, [...args, ...where], access.environment, signal));
    if (problems.length > 0) throw new OperationError('EnvironmentUnavailable', problems.join('\n'));
  };
  try {
    await insist(look, 5_000, signal);
    return [];
  } catch (error) {
    if (signal.aborted) throw error;
    return problems.length > 0 ? problems : [messageOf(error)];
  }
};
