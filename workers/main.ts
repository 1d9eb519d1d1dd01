import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { Client } from '@temporalio/client';
import { createConversation } from '../activities/conversation.ts';
import { createModelTurn } from '../activities/model-turn.ts';
import { createModels } from '../activities/models/index.ts';
import { createReadPlan } from '../activities/plans.ts';
import { createRecordTrace } from '../activities/record-trace.ts';
import { createRunTools } from '../activities/run-tools.ts';
import { createSessionActivities } from '../activities/sessions.ts';
import type { Activities } from '../contracts/activities.ts';
import { createArtifactStore } from '../platform/artifacts.ts';
import { fromRoot, loadEnvironment } from '../platform/env.ts';
import { aborted, runProcess } from '../platform/lifecycle.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { serveMetrics } from '../platform/metrics-server.ts';
import { loadPrices } from '../platform/prices.ts';
import { createScrub, secretsOf } from '../platform/secrets.ts';
import { createTraceLog } from '../platform/trace-log.ts';
import { bundleWorkflows } from './bundle-workflows.ts';
import { loadWorkerConfig } from './config.ts';
import { connect, installRuntime } from './connect.ts';
import { createWorkers } from './create-workers.ts';
import { openEnvironments } from './environments.ts';
import { openJournal, reportDead } from './journal.ts';

const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string };

await runProcess(
  async (signal, closer) => {
    const environment = loadEnvironment(process.env, '.env.wsl');
    const config = loadWorkerConfig(environment);
    const scrub = createScrub([...secretsOf(environment), ...config.extraSecrets]);
    const log = createLog('worker', scrub, config.logLevel);
    const metrics = createMetrics('worker', version);
    const traceLog = createTraceLog({ dir: config.traceDir, process: 'worker', metrics, log, scrub });
    closer.add('trace log', () => traceLog.close());
    const artifacts = createArtifactStore(config.artifactDir);
    const conversation = createConversation({ artifacts, scrub });
    const readPlan = createReadPlan(artifacts);

    const metricsServer = await serveMetrics({
      port: config.metricsPort,
      variable: 'WORKER_METRICS_PORT',
      registry: metrics.registry,
      coreUrl: await installRuntime(log),
    });
    closer.add('metrics', () => metricsServer.close());
    const bundling = bundleWorkflows(fromRoot('.cache'));
    bundling.catch(() => undefined); // awaited below
    const { connection, namespace } = await connect(environment, log, signal);
    closer.add('Temporal connection', () => connection.close());

    // Before anything else: what a killed predecessor left running goes on as soon as its end is known.
    const journalDir = join(config.dataDir, 'journal');
    const journal = openJournal(journalDir);
    closer.add('journal', () => journal.close());
    const client = new Client({ connection, namespace });
    const reported = await reportDead(
      journalDir,
      ({ token, queue }) =>
        client.activity.fail(
          token,
          // A dead process takes its browser along; a worktree is still there.
          queue.startsWith('dual-browser-')
            ? ApplicationFailure.nonRetryable('the worker that held the browser died', 'SessionLost')
            : ApplicationFailure.create({ message: 'the worker died', type: 'Internal', nextRetryDelay: '1ms' }),
        ),
      log,
    );
    if (reported > 0) log.warn({ activities: reported }, 'taking over from a worker that died');

    const environments = await openEnvironments({ config, artifacts, log, scrub, signal }, closer);
    const activities: Partial<Activities> = {
      ...(config.roles.has('workflows') && { recordTrace: createRecordTrace({ traceLog, metrics }) }),
      ...(config.roles.has('models') && {
        modelTurn: createModelTurn({
          models: createModels({
            anthropic: { ...config.anthropic, defaultModel: config.codingModel },
            gemini: { ...config.gemini, defaultModel: config.browserModel },
          }),
          artifacts,
          readPlan,
          conversation,
          prices: loadPrices(config.pricesFile),
          traceLog,
          metrics,
          log,
          scrub,
        }),
      }),
      ...createSessionActivities({ environments, readPlan, traceLog, scrub }),
      runTools: createRunTools({ environments, conversation, traceLog, scrub }),
    };
    const workers = await createWorkers({
      connection,
      namespace,
      bundle: await bundling,
      environments,
      activities,
      journal,
    });
    const running = Promise.all(workers.map((worker) => worker.run()));
    running.catch(() => undefined); // awaited below, in every case
    process.stdout.write(`${JSON.stringify({ ready: true, metrics: metricsServer.url, roles: [...config.roles] })}\n`);
    log.info({ roles: [...config.roles] }, 'worker polls');

    await Promise.race([aborted(signal), running]);
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  },
  (message) => process.stderr.write(`${message}\n`),
);
