import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createArtifactStore } from '../platform/artifacts.ts';
import { fromRoot, loadEnvironment } from '../platform/env.ts';
import { aborted, runProcess } from '../platform/lifecycle.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createScrub, secretsOf } from '../platform/secrets.ts';
import { createTraceLog } from '../platform/trace-log.ts';
import { openRegistry } from '../skills/registry.ts';
import { createRouter } from '../skills/routing/route.ts';
import { createTemporalEngine } from './adapters/temporal.ts';
import { loadGatewayConfig } from './config.ts';
import { createGateway } from './create-gateway.ts';
import { listen } from './listen.ts';
import { loadToken } from './token.ts';

const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string };

// Collects when the heap has grown by 30 % instead of doubling: it lives on 40 MB, and waits for Temporal most of the time.
setFlagsFromString('--heap-growing-percent=30');

await runProcess(
  async (signal, closer) => {
    const environment = loadEnvironment(process.env, '.env.wsl');
    const config = loadGatewayConfig(environment);
    const token = config.token ?? (await loadToken(config.tokenFile));
    const scrub = createScrub([...secretsOf(environment), token]);
    const log = createLog('gateway', scrub, config.logLevel);
    if (token.length < 16) log.warn('the token is short; a long random one cannot be guessed');
    const metrics = createMetrics('gateway', version);
    const trace = createTraceLog({ dir: config.traceDir, process: 'gateway', metrics, log, scrub });
    closer.add('trace log', () => trace.close());
    const engine = createTemporalEngine({ environment, showUtterance: config.utteranceSearchAttribute, log });
    closer.add('Temporal connection', () => engine.close());
    const registry = await openRegistry({ dir: config.skillsDir, log, watch: true });
    closer.add('skill registry', () => registry.close());

    const gateway = await createGateway({
      config,
      version,
      token,
      engine,
      registry,
      router: createRouter({ registry }),
      artifacts: createArtifactStore(config.artifactDir),
      state: createArtifactStore(join(config.dataDir, 'gateway')),
      trace,
      metrics,
      log,
      scrub,
      temporal: engine,
      stopping: signal,
    });
    const background = Promise.all([engine.prepare(signal), gateway.reconciler.run(signal)]);
    closer.add('background work', () => background);
    const server = await listen(gateway.app, config.host, config.port);
    closer.add('http server', () => server.close());
    closer.add('event streams', () => gateway.close());
    process.stdout.write(`${JSON.stringify({ listening: server.url, token_file: config.tokenFile })}\n`);
    log.info({ url: server.url, temporal: engine.address }, 'gateway listens');
    await aborted(signal);
  },
  (message) => process.stderr.write(`${message}\n`),
);
