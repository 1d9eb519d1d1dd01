import type { Express } from 'express';
import { Gauge } from 'prom-client';
import type { ArtifactStore } from '../platform/artifacts.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { Registry } from '../skills/registry.ts';
import type { Router } from '../skills/routing/router.ts';
import { createApp } from './app.ts';
import { createBrowserLogin } from './browser-login.ts';
import type { GatewayConfig } from './config.ts';
import { createControl } from './control.ts';
import { createDispatch } from './dispatch-task.ts';
import { createEdgeLinks } from './edge-link.ts';
import type { EdgeLinks } from './edge-link.ts';
import { createFollowTrace } from './follow-trace.ts';
import { createJobCommands } from './job-commands.ts';
import { createLinkEvents } from './link-events.ts';
import { createListTraces } from './list-traces.ts';
import { createLiveEvents } from './live-events.ts';
import { allowedHosts } from './middleware/guard-origin.ts';
import { createInFlight } from './middleware/limit-in-flight.ts';
import { withDescription } from './openapi.ts';
import { openParked } from './parked.ts';
import { createJobCounts, createReadiness } from './readiness.ts';
import { createReconciler } from './reconcile.ts';
import type { Reconciler } from './reconcile.ts';
import { createRemembered } from './remembered.ts';
import type { Route } from './route.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { jobRoutes } from './routes/jobs.ts';
import { loginRoutes } from './routes/login.ts';
import { operationRoutes } from './routes/operations.ts';
import { skillRoutes } from './routes/skills.ts';
import { traceRoutes } from './routes/traces.ts';
import { transcriptRoutes } from './routes/transcripts.ts';
import { createSessionOrder } from './session-order.ts';
import { createSessionTraces } from './session-traces.ts';
import { createStagePlan } from './stage-plans.ts';
import { createSubmitTranscript } from './submit-transcript.ts';
import type { SubmitTranscript } from './submit-transcript.ts';
import type { TaskEngine } from './task-engine.ts';
import { createTaskStatus } from './task-status.ts';
import { createTraceTail } from './trace-tail.ts';
import { createUnstarted } from './unstarted.ts';

export interface GatewayDeps {
  config: Pick<
    GatewayConfig,
    | 'host'
    | 'artifactDir'
    | 'traceDir'
    | 'taskBudgetUsd'
    | 'allowUnpriced'
    | 'approvalTimeoutMs'
    | 'targets'
    | 'temporalUiUrl'
  >;
  version: string;
  token: string;
  engine: TaskEngine;
  registry: Registry;
  router: Router;
  artifacts: ArtifactStore;
  /** The gateway's own small files. */
  state: Pick<ArtifactStore, 'getRef' | 'setRef'>;
  trace: TraceLog;
  metrics: Metrics;
  log: Log;
  scrub: Scrub;
  /** Where the Temporal server is, for links to its Web UI. */
  temporal: { address: string; namespace: string };
  stopping: AbortSignal;
  maxInFlight?: number;
  maxStreams?: number;
  /** Milliseconds since the epoch, for what may be said only for a while; default: the clock. */
  now?: () => number;
}

export interface Gateway {
  app: Express;
  routes: readonly Route[];
  /** `/ws/edge`, for an adapter that has sockets. */
  links: EdgeLinks;
  reconciler: Reconciler;
  close(): void;
}

/** The dev server's Web UI is a thousand ports above it. */
const UI_OFFSET = 1_000;
const uiOf = (address: string): string => {
  const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  return `http://${host ?? '127.0.0.1'}:${Number(port ?? 7_233) + UI_OFFSET}`;
};

/** What is said over HTTP is heard of on its session's link too. */
const withLinks = (submit: SubmitTranscript, links: Pick<EdgeLinks, 'answered'>): SubmitTranscript => ({
  ...submit,
  final: async (submission) => {
    const reply = await submit.final(submission);
    links.answered(submission.session_id, reply);
    return reply;
  },
});

/** Puts the gateway together from its parts; `main.ts` chooses the parts and listens. */
export const createGateway = async (deps: GatewayDeps): Promise<Gateway> => {
  const { config, engine, registry, artifacts, trace, metrics, log, temporal } = deps;
  const ui = (config.temporalUiUrl ?? uiOf(temporal.address)).replace(/\/$/, '');
  const uiLink = (workflowId: string): string => `${ui}/namespaces/${temporal.namespace}/workflows/${workflowId}`;

  const remembered = createRemembered();
  const parked = await openParked(deps.state, log);
  const unstarted = createUnstarted(remembered, config.traceDir);
  const status = createTaskStatus({ engine, artifacts, unstarted });
  const commands = createJobCommands(engine, async (traceId) => (await unstarted(traceId)) !== null);
  const submit = createSubmitTranscript({
    dispatch: createDispatch({
      engine,
      registry,
      stagePlan: createStagePlan(config.artifactDir),
      settings: {
        budgetUsd: config.taskBudgetUsd,
        allowUnpriced: config.allowUnpriced,
        approvalTimeoutMs: config.approvalTimeoutMs,
        targets: config.targets,
      },
      uiLink,
    }),
    router: deps.router,
    registry,
    targets: config.targets,
    trace,
    metrics,
    remembered,
    parked,
    order: createSessionOrder(),
    control: createControl({ engine, parked, status, commands, ...(deps.now && { now: deps.now }) }),
  });
  const tail = createTraceTail({ dir: config.traceDir, log });
  const follow = createFollowTrace({ engine, tail });
  const live = createLiveEvents({ status, follow, ...(deps.maxStreams && { maxStreams: deps.maxStreams }) });
  const sessions = createSessionTraces({ engine, state: deps.state, log });
  const inFlight = createInFlight(deps.maxInFlight);
  const hosts = allowedHosts(config.host);
  const links = createEdgeLinks({
    submit,
    events: createLinkEvents({ engine, status, follow, sessions, trace, traceDir: config.traceDir, log }),
    sessions,
    inFlight,
    hosts,
    token: deps.token,
    scrub: deps.scrub,
    log,
  });
  new Gauge({
    name: 'dual_orchestrator_edge_links',
    help: 'Edges that are linked now.',
    registers: [metrics.registry],
    collect() {
      this.set(links.size);
    },
  });
  const login = createBrowserLogin(deps.token);
  const routes = withDescription(
    [
      ...transcriptRoutes(withLinks(submit, links)),
      ...traceRoutes({ status, live, commands, listTraces: createListTraces(engine) }),
      ...jobRoutes(status, commands),
      ...skillRoutes(registry),
      ...artifactRoutes(artifacts),
      ...operationRoutes({
        readiness: createReadiness(engine, registry),
        metrics,
        countJobs: createJobCounts(engine, registry, metrics),
      }),
      ...loginRoutes(login),
    ],
    deps.version,
  );
  return {
    routes,
    links,
    app: createApp({
      routes,
      hosts,
      token: deps.token,
      login,
      log,
      scrub: deps.scrub,
      stopping: deps.stopping,
      inFlight,
    }),
    reconciler: createReconciler({ engine, trace, traceDir: config.traceDir, marks: deps.state, log }),
    close: () => tail.close(),
  };
};
