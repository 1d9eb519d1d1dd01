import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import type { Environment } from '../platform/env.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { freePorts } from '../platform/ports.ts';

/** Said of every worker that serves activities alone, as most of ours do. */
const EXPECTED = 'No workflows registered, not polling for workflow tasks';

/** The SDK's warnings in our log. A task token is a capability: who has it can end the activity. */
const logForSdk = (log: Log, { level, message, meta }: LogEntry): void => {
  if (message.startsWith(EXPECTED)) return;
  const { taskToken: _taskToken, ...fields } = meta ?? {};
  if (level === 'ERROR') log.error(fields, message);
  else log.warn(fields, message);
};

/** Sets up Temporal's native runtime: our log, our signals (it would install its own), its metrics. Answers their URL. */
export const installRuntime = async (log: Log): Promise<string> => {
  // The SDK's exporter takes no port 0.
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const address = `127.0.0.1:${port}`;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', (entry) => logForSdk(log, entry)),
    telemetryOptions: {
      metrics: {
        prometheus: { bindAddress: address, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
      },
    },
  });
  return `http://${address}/metrics`;
};

/** How long a worker waits for a Temporal that is still starting. */
const CONNECT_WITHIN_MS = 30_000;

/** Connects as @temporalio/envconfig says, `127.0.0.1:7233` by default; asks again while Temporal is starting. */
export const connect = async (
  environment: Environment,
  log: Log,
  signal: AbortSignal,
): Promise<{ connection: NativeConnection; namespace: string }> => {
  const config = loadClientConnectConfig({ overrideEnvVars: { ...environment } });
  const options = { ...config.connectionOptions, address: config.connectionOptions.address ?? '127.0.0.1:7233' };
  const deadline = Date.now() + CONNECT_WITHIN_MS;
  for (let said = false; ;) {
    try {
      return { connection: await NativeConnection.connect(options), namespace: config.namespace ?? 'default' };
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`Temporal does not answer at ${options.address} (TEMPORAL_ADDRESS); start it with make dev`, {
          cause: error,
        });
      if (!said) log.info({ address: options.address }, 'waiting for Temporal');
      said = true;
      await delay(200, signal);
    }
  }
};
