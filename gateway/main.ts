import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createArtifactStore } from '../platform/artifacts.ts';
import { fromRoot, loadEnvironment } from '../platform/env.ts';
import { aborted, runProcess } from '../platform/lifecycle.ts';
import { ConfigError } from '../platform/errors.ts';
import { createLog } from '../platform/log.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { loadPrices } from '../platform/prices.ts';
import { createScrub, secretsOf } from '../platform/secrets.ts';
import { createTraceLog } from '../platform/trace-log.ts';
import { openRegistry } from '../skills/registry.ts';
import type { Registry } from '../skills/registry.ts';
import type { Embedder } from '../skills/routing/embedder.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { Router } from '../skills/routing/router.ts';
import { withSecondOpinion } from '../skills/routing/second-opinion.ts';
import { createEdgeSocket } from './adapters/edge-socket.ts';
import { createTemporalEngine } from './adapters/temporal.ts';
import { loadGatewayConfig } from './config.ts';
import type { GatewayConfig } from './config.ts';
import { createGateway } from './create-gateway.ts';
import { listen } from './listen.ts';
import { loadToken } from './token.ts';

const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string };

// Collects when the heap has grown by 30 % instead of doubling: it lives on 40 MB, and waits for Temporal most of the time.
setFlagsFromString('--heap-growing-percent=30');

/** Loaded where it is wanted: its model takes 200 MB. */
const chooseEmbedder = async (config: GatewayConfig, log: Log): Promise<Embedder | undefined> => {
  if (!config.embeddingScorer) return undefined;
  const { createUseLiteEmbedder } = await import('../skills/routing/adapters/use-lite-embedder.ts');
  return createUseLiteEmbedder({ log });
};

const chooseRouter = async (
  config: GatewayConfig,
  registry: Registry,
  embedder: Embedder | undefined,
  log: Log,
): Promise<Router> => {
  const embedded = createRouter({ registry, targets: config.targets, log, ...(embedder && { embedder }) });
  if (!config.llmRouter) return embedded;
  const { mode, pricesFile, ...options } = config.llmRouter;
  const prices = loadPrices(pricesFile);
  if (!config.allowUnpriced && !prices.knows(options.model))
    throw new ConfigError('ROUTER_MODEL', 'its price is not known; add it to PRICES_FILE, or set ALLOW_UNPRICED=on');
  // Loaded where it is wanted: the SDK takes 36 MB and a fifth of a second.
  const { createOpenaiRouter } = await import('../skills/routing/adapters/openai-router.ts');
  return withSecondOpinion(embedded, createOpenaiRouter({ ...options, prices }), { mode, registry, log });
};

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

    const embedder = await chooseEmbedder(config, log);
    if (embedder) closer.add('sentence vectors', () => embedder.close());
    const gateway = await createGateway({
      config,
      version,
      token,
      engine,
      registry,
      router: await chooseRouter(config, registry, embedder, log),
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
    const edges = createEdgeSocket({ links: gateway.links, log });
    const server = await listen(gateway.app, config.host, config.port, edges);
    closer.add('http server', () => server.close());
    closer.add('event streams', () => gateway.close());
    process.stdout.write(`${JSON.stringify({ listening: server.url, token_file: config.tokenFile })}\n`);
    log.info({ url: server.url, temporal: engine.address }, 'gateway listens');
    await aborted(signal);
  },
  (message) => process.stderr.write(`${message}\n`),
);
