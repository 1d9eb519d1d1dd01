import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { createEdgeSocket } from '../../gateway/adapters/edge-socket.ts';
import { createGateway } from '../../gateway/create-gateway.ts';
import type { Gateway, GatewayDeps } from '../../gateway/create-gateway.ts';
import { listen } from '../../gateway/listen.ts';
import type { TaskEngine } from '../../gateway/task-engine.ts';
import { createArtifactStore } from '../../platform/artifacts.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { fromRoot } from '../../platform/env.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createScrub } from '../../platform/secrets.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import type { TraceLog } from '../../platform/trace-log.ts';
import { openRegistry } from '../../skills/registry.ts';
import type { Registry } from '../../skills/registry.ts';
import type { Router } from '../../skills/routing/router.ts';
import { createScriptedRouter } from './scripted-router.ts';
import { createFakeEngine } from './task-engine.ts';
import type { FakeEngine } from './task-engine.ts';

export const TOKEN = 'a-token-for-tests-only';

export interface TestGateway {
  readonly url: string;
  readonly dir: string;
  readonly engine: FakeEngine;
  readonly artifacts: ArtifactStore;
  readonly trace: TraceLog;
  readonly gateway: Gateway;
  /** With the token; a body makes it a POST of JSON. */
  call(path: string, body?: unknown, init?: RequestInit): Promise<Response>;
  events(traceId?: string): TraceEvent[];
  /** Ends this gateway and starts another on the same folder and the same fake Temporal. */
  restart(): Promise<TestGateway>;
  close(): Promise<void>;
}

/** The whole gateway on a free port, with a fake Temporal and a scripted router unless given others. */
export const openGateway = async (
  options: {
    router?: Router;
    engine?: FakeEngine;
    /** A real one in the fake's place. */
    temporal?: TaskEngine;
    dir?: string;
    log?: (line: string) => void;
    /** Between two pings of a link. */
    pingMs?: number;
  } & Partial<Pick<GatewayDeps, 'maxInFlight' | 'maxStreams' | 'now'>> & {
      config?: Partial<GatewayDeps['config']>;
      skillsDir?: string;
      /** One that follows its folder; whoever opened it closes it. */
      registry?: Registry;
    } = {},
): Promise<TestGateway> => {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'gateway-')));
  const engine = options.engine ?? createFakeEngine();
  const router = options.router ?? createScriptedRouter();
  const stopping = new AbortController();
  const scrub = createScrub([TOKEN]);
  const log = createLog('gateway', scrub, 'info', options.log ?? (() => undefined));
  const metrics = createMetrics('gateway', '0.0.0');
  const traceDir = join(dir, 'traces');
  const trace = createTraceLog({ dir: traceDir, process: 'gateway', metrics, log, scrub });
  const registry =
    options.registry ?? (await openRegistry({ dir: options.skillsDir ?? fromRoot('skills'), log, watch: false }));
  const artifacts = createArtifactStore(join(dir, 'artifacts'));
  const gateway = await createGateway({
    config: {
      host: '127.0.0.1',
      artifactDir: artifacts.dir,
      traceDir,
      taskBudgetUsd: 5,
      allowUnpriced: false,
      approvalTimeoutMs: 60_000,
      targets: [{ name: 'staging', url: 'http://127.0.0.1:4000' }],
      temporalUiUrl: 'http://127.0.0.1:8233',
      ...options.config,
    },
    version: '0.0.0',
    token: TOKEN,
    engine: options.temporal ?? engine,
    registry,
    router,
    artifacts,
    state: createArtifactStore(join(dir, 'state')),
    trace,
    metrics,
    log,
    scrub,
    temporal: { address: '127.0.0.1:7233', namespace: 'default' },
    stopping: stopping.signal,
    ...(options.maxInFlight && { maxInFlight: options.maxInFlight }),
    ...(options.maxStreams && { maxStreams: options.maxStreams }),
    ...(options.now && { now: options.now }),
  });
  const edges = createEdgeSocket({ links: gateway.links, log, ...(options.pingMs && { pingMs: options.pingMs }) });
  const server = await listen(gateway.app, '127.0.0.1', 0, edges);
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('ended'));
    gateway.close();
    await server.close();
    if (!options.registry) registry.close();
    trace.close();
  };
  return {
    url: server.url,
    dir,
    engine,
    artifacts,
    trace,
    gateway,
    call: (path, body, init = {}) =>
      fetch(server.url + path, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        ...init,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(init.headers as Record<string, string> | undefined),
        },
      }),
    events: (traceId) =>
      traceFiles(traceDir)
        .flatMap((file) => readTraceLines(file, 0).lines)
        .map((line) => TraceEvent.parse(JSON.parse(line)))
        .filter((event) => traceId === undefined || event.trace_id === traceId),
    restart: async () => {
      await stop();
      return openGateway({ ...options, dir, engine, router });
    },
    close: async () => {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
