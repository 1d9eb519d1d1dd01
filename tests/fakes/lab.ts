import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { nodeSettings } from '../../dev/plan.ts';
import { freePorts, freePortWithNeighbour } from '../../platform/ports.ts';
import { devServerArgs, UI_OFFSET } from '../../dev/temporal.ts';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import type { TaskResult } from '../../contracts/task.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import { startProcess } from './processes.ts';
import type { TestProcess } from './processes.ts';
import { standing } from './standing.ts';
import { temporalCli } from './temporal-server.ts';
import { until } from './until.ts';

/**
 * A stack of real processes in a folder of its own: Temporal with a file database, the rehearsal models, and as many
 * workers and gateways as are started. Everything ends and the folder goes with `close`.
 */
export interface Lab {
  readonly dir: string;
  readonly address: string;
  readonly rehearsalUrl: string;
  readonly client: Client;
  temporal(): TestProcess;
  /** Kills the Temporal server and starts it again on the same database after `downMs`. */
  restartTemporal(downMs: number): Promise<void>;
  worker(env?: Record<string, string>): Promise<TestProcess>;
  gateway(env?: Record<string, string>): Promise<TestProcess & { url: string }>;
  /** Requests through a gateway, with its token. */
  post(gateway: { url: string }, path: string, body: unknown): Promise<Response>;
  get<T>(gateway: { url: string }, path: string): Promise<T>;
  /** Waits until a task is over. */
  finished(gateway: { url: string }, traceId: string, withinMs?: number): Promise<TaskResult>;
  /** Every whole trace line of every process of this lab. */
  events(traceId?: string): TraceEvent[];
  close(): Promise<void>;
}

const OVER = new Set(['succeeded', 'partially_succeeded', 'failed', 'cancelled']);

export interface LabOptions {
  memory?: boolean;
  repository?: string;
  stagingUrl?: string;
  worker?: Record<string, string>;
}

/** @throws when a part does not start; what was started by then is ended, and the folder removed. */
export const openLab = async (options: LabOptions = {}): Promise<Lab> => {
  const dir = await mkdtemp(join(tmpdir(), 'lab-'));
  const started: TestProcess[] = [];
  const clear = async (): Promise<void> => {
    await Promise.all(started.reverse().map((process_) => process_.stop()));
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  return fill(dir, started, clear, options).catch(async (error: unknown) => {
    await clear();
    throw error;
  });
};

const fill = async (
  dir: string,
  started: TestProcess[],
  clear: () => Promise<void>,
  options: LabOptions,
): Promise<Lab> => {
  const port = await freePortWithNeighbour(UI_OFFSET, '127.0.0.1');
  const [metricsPort = 0] = await freePorts(1, '127.0.0.1');
  const address = `127.0.0.1:${port}`;
  const settings = join(dir, 'settings');
  await writeFile(settings, '');
  await mkdir(join(dir, 'home'));

  const startTemporal = async (): Promise<TestProcess> => {
    // The CLI announces nothing a program could read: a shell says so for it once the port answers.
    const args = devServerArgs({
      port,
      metricsPort,
      databaseFile: options.memory ? null : join(dir, 'temporal.db'),
      namespace: 'default',
    });
    const process_ = await startProcess(
      ['-c', 'echo \'{"ready":true}\'; exec "$@"', 'temporal', temporalCli(), ...args],
      {},
      { command: 'sh' },
    );
    started.push(process_);
    let ended = false;
    void process_.exited.then(() => (ended = true));
    const connection = await until(
      () => (ended ? null : Connection.connect({ address, connectTimeout: '1s' })),
      30_000,
    );
    if (!connection) throw new Error(`Temporal ended before it answered:\n${process_.output()}`);
    await connection.close();
    return process_;
  };
  let temporal = await startTemporal();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const types = { KEYWORD: 2, DOUBLE: 4 } as const;
  await until(async () => {
    await connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, types[type]]),
      ),
    });
    return true;
  });
  const rehearsal = await startProcess(['rehearsal/main.ts'], {
    ...nodeSettings('rehearsal'),
    REHEARSAL_PORT: '0',
    DUAL_ENV_FILE: settings,
  });
  started.push(rehearsal);
  const rehearsalUrl = String(rehearsal.announced['listening']);

  const base: Record<string, string> = {
    DUAL_ENV_FILE: settings,
    HOME: join(dir, 'home'),
    TEMPORAL_ADDRESS: address,
    DATA_DIR: join(dir, 'data'),
    ARTIFACT_DIR: join(dir, 'artifacts'),
    TRACE_DIR: join(dir, 'traces'),
    REHEARSAL_URL: rehearsalUrl,
    ...(options.repository && { CODING_WORKING_DIRECTORY: options.repository }),
  };
  const tokenFile = join(dir, 'token');
  const token = async (): Promise<string> => (await readFile(tokenFile, 'utf8')).trim();

  const lab: Lab = {
    dir,
    address,
    rehearsalUrl,
    client,
    temporal: () => temporal,
    restartTemporal: async (downMs) => {
      temporal.kill('SIGKILL');
      await temporal.exited;
      await new Promise((resolve) => setTimeout(resolve, downMs));
      temporal = await startTemporal();
    },
    worker: async (env = {}) => {
      const process_ = await startProcess(['workers/main.ts'], {
        ...nodeSettings('worker'),
        ...base,
        WORKER_METRICS_PORT: '0',
        ...options.worker,
        ...env,
      });
      started.push(process_);
      return process_;
    },
    gateway: async (env = {}) => {
      const process_ = await startProcess(['gateway/main.ts'], {
        ...nodeSettings('gateway'),
        ...base,
        WSL_GATEWAY_PORT: '0',
        GATEWAY_TOKEN_FILE: tokenFile,
        STAGING_URL: options.stagingUrl ?? 'http://127.0.0.1:9/',
        ...env,
      });
      started.push(process_);
      const url = String(process_.announced['listening']);
      await until(async () => {
        const answer = await fetch(`${url}/ready`, { headers: { authorization: `Bearer ${await token()}` } });
        // A lab may measure a gateway without any worker: Temporal alone must answer.
        return answer.ok || !(await answer.text()).toLowerCase().includes('temporal does not') ? true : undefined;
      });
      return { ...process_, url };
    },
    post: async (gateway, path, body) =>
      fetch(gateway.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    get: async <T>(gateway: { url: string }, path: string) => {
      const answer = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${await token()}` } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    finished: async (gateway, traceId, withinMs = 90_000) => {
      let last: TaskResult | undefined;
      const over = until(async () => {
        last = await lab.get<TaskResult>(gateway, `/trace/${traceId}`);
        return OVER.has(last.status) ? last : undefined;
      }, withinMs);
      return over.catch(async (error: unknown) => {
        const said = started.map((process_) => process_.output().slice(-2_000)).join('\n--\n');
        throw new Error(`${last ? await standing(client, last) : `nothing known of ${traceId}`}\n${said}`, {
          cause: error,
        });
      });
    },
    events: (traceId) =>
      traceFiles(join(dir, 'traces'))
        .flatMap((file) => readTraceLines(file, 0).lines)
        .map((line) => TraceEvent.parse(JSON.parse(line)))
        .filter((event) => traceId === undefined || event.trace_id === traceId),
    close: async () => {
      await connection.close();
      await clear();
    },
  };
  return lab;
};
