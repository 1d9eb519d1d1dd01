import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { nodeSettings } from '../dev/plan.ts';
import { freePorts, freePortWithNeighbour } from '../platform/ports.ts';
import { devServerArgs, UI_OFFSET } from '../dev/temporal.ts';
import { startProcess } from '../tests/fakes/processes.ts';
import { temporalCli } from '../tests/fakes/temporal-server.ts';
import { until } from '../tests/fakes/until.ts';
import { boundFigure, median, ratioFigure } from './figures.ts';
import type { Benchmark } from './figures.ts';

const ROUNDS = 3;

const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> => {
  const started = performance.now();
  const result = await work();
  return { ms: performance.now() - started, result };
};

/** Each part alone, one after the other, as it is started by `make dev`; then all of them by `make dev` itself. */
export const devStart: Benchmark = {
  name: 'dev-start',
  about: '`make dev` to ready, second start, against the sum of its parts started alone',
  run: async (say) => {
    const dir = await mkdtemp(join(tmpdir(), 'dev-start-'));
    try {
      const settings = join(dir, 'settings');
      await writeFile(settings, '');
      const port = await freePortWithNeighbour(UI_OFFSET, '127.0.0.1');
      const [metricsPort = 0, gatewayPort = 0, workerPort = 0] = await freePorts(3, '127.0.0.1');
      const address = `127.0.0.1:${port}`;
      const databaseFile = join(dir, 'temporal.db');
      const base = { DUAL_ENV_FILE: settings, DATA_DIR: join(dir, 'data'), TRACE_DIR: join(dir, 'traces') };

      /** Seconds of each part. The server is ready when it answers, ours when they say so. */
      const alone = async (): Promise<number> => {
        const args = devServerArgs({ port, metricsPort, databaseFile, namespace: 'default' });
        const temporal = await timed(async () => {
          const process_ = await startProcess(
            ['-c', 'echo \'{"ready":true}\'; exec "$@"', 'temporal', temporalCli(), ...args],
            {},
            { command: 'sh' },
          );
          const connection = await until(() => Connection.connect({ address, connectTimeout: '1s' }), 30_000);
          await connection.close();
          return process_;
        });
        const rehearsal = await timed(() =>
          startProcess(['rehearsal/main.ts'], { ...nodeSettings('rehearsal'), ...base, REHEARSAL_PORT: '0' }),
        );
        const site = await timed(() => startProcess(['examples/site/serve.mjs'], { PORT: '0' }));
        const STAGING_URL = String(site.result.announced['listening']);
        const worker = await timed(() =>
          startProcess(['workers/main.ts'], {
            ...nodeSettings('worker'),
            ...base,
            TEMPORAL_ADDRESS: address,
            WORKER_METRICS_PORT: '0',
            REHEARSAL_URL: String(rehearsal.result.announced['listening']),
          }),
        );
        const gateway = await timed(() =>
          startProcess(['gateway/main.ts'], {
            ...nodeSettings('gateway'),
            ...base,
            TEMPORAL_ADDRESS: address,
            WSL_GATEWAY_PORT: '0',
            GATEWAY_TOKEN_FILE: join(dir, 'token'),
            STAGING_URL,
          }),
        );
        const parts = [gateway, worker, site, rehearsal, temporal];
        for (const part of parts) await part.result.stop();
        return parts.reduce((sum, part) => sum + part.ms, 0);
      };

      const together = async (): Promise<number> => {
        const dev = await timed(() =>
          startProcess(
            ['dev/main.ts'],
            {
              ...base,
              TEMPORAL_PORT: String(port),
              TEMPORAL_DB_FILE: databaseFile,
              WSL_GATEWAY_PORT: String(gatewayPort),
              WORKER_METRICS_PORT: String(workerPort),
              GATEWAY_TOKEN_FILE: join(dir, 'token'),
            },
            { until: 'ready ' },
          ),
        );
        await dev.result.stop();
        return dev.ms;
      };

      say('first start of everything');
      await alone();
      await together();
      const sums: number[] = [];
      const starts: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        say(`round ${round + 1} of ${ROUNDS}`);
        sums.push(await alone());
        starts.push(await together());
      }
      const seconds = median(starts) / 1_000;
      return [
        ratioFigure({
          figure: '`make dev` to ready, second start',
          value: seconds,
          unit: 's',
          against: { what: 'sum of its parts', value: median(sums) / 1_000 },
          goal: { atMost: 1.15 },
        }),
        boundFigure({ figure: '`make dev` to ready, second start', value: seconds, unit: 's', atMost: 6 }),
      ];
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};
