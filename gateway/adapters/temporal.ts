import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { QUEUES, voiceTaskId, WORKFLOWS } from '../../contracts/names.ts';
import type { Environment } from '../../platform/env.ts';
import { messageOf } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import type { Log } from '../../platform/log.ts';
import { EngineUnavailable } from '../task-engine.ts';
import type { CommandOutcome, Run, TaskEngine, TaskStart } from '../task-engine.ts';
import { registerAttributes } from './temporal-attributes.ts';
import { codeIn, detailsIn, GRPC } from './temporal-errors.ts';
import { runOf } from './temporal-runs.ts';

/** A start, a look-up or a signal is given up after this; the caller hears 503 and may try again. */
const CALL_MS = 3_000;
/** Queries and updates need a worker; without one nobody ever answers (503, not confirmed within 2 s). */
const WORKER_MS = 2_000;
/** An idle worker asks for work at least once a minute; seen longer ago, it is gone. */
const POLLER_FRESH_MS = 75_000;
/** Between two tries of a call that waits for a server or a cache. */
const AGAIN_MS = 200;

const KEYS = {
  traceId: defineSearchAttributeKey('TraceId', SearchAttributeType.KEYWORD),
  sessionId: defineSearchAttributeKey('SessionId', SearchAttributeType.KEYWORD),
  utterance: defineSearchAttributeKey('Utterance', SearchAttributeType.KEYWORD),
};

export interface TemporalOptions {
  /** TEMPORAL_* variables, read as `@temporalio/envconfig` does. */
  environment: Environment;
  /** Show what was said as search attribute. */
  showUtterance: boolean;
  log: Log;
}

export interface TemporalEngine extends TaskEngine {
  readonly address: string;
  readonly namespace: string;
  /** Registers search attributes as soon as the server answers; ends then, or with the signal. Never rejects. */
  prepare(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Connects lazily: a server that is away makes calls fail, never the start of the gateway. */
export const createTemporalEngine = (options: TemporalOptions): TemporalEngine => {
  const { environment, log } = options;
  const config = loadClientConnectConfig({ overrideEnvVars: { ...environment } });
  const address = config.connectionOptions.address ?? '127.0.0.1:7233';
  const namespace = config.namespace ?? 'default';
  const { apiKey, tls, metadata } = config.connectionOptions;
  const connection = Connection.lazy({
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
    ...(metadata === undefined ? {} : { metadata }),
    // gRPC waits up to two minutes between tries by default; a server that is back must be found within a second.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 },
  });
  const client = new Client({ connection, namespace });
  const away = (error: unknown): EngineUnavailable => {
    if (error instanceof EngineUnavailable) return error;
    const code = codeIn(error);
    const silent = code === GRPC.DEADLINE || code === GRPC.UNAVAILABLE;
    const what = silent ? `Temporal does not answer at ${address}` : `Temporal at ${address}: ${detailsIn(error)}`;
    return new EngineUnavailable(what, { cause: error });
  };
  const { workflowService } = connection;

  /** Under way now, each with a deadline: one that is tried again on a closed connection would throw where nobody catches. */
  const calls = new Set<Promise<unknown>>();
  const within = async <T>(ms: number, call: () => Promise<T>): Promise<T> => {
    const calling = connection.withDeadline(Date.now() + ms, call);
    calls.add(calling);
    try {
      return await calling;
    } catch (error) {
      throw codeIn(error) === null && !(error instanceof EngineUnavailable) ? error : wrap(error);
    } finally {
      calls.delete(calling);
    }
  };
  /** Codes that a caller handles pass; the rest says that Temporal cannot be used now. */
  const wrap = (error: unknown): unknown => {
    const code = codeIn(error);
    return code === GRPC.NOT_FOUND || code === GRPC.INVALID || code === GRPC.PRECONDITION ? error : away(error);
  };

  let registered = false;
  let registering: Promise<void> | undefined;
  const ensureRegistered = (): Promise<void> => {
    if (registered) return Promise.resolve();
    registering ??= within(CALL_MS, () => registerAttributes(connection.operatorService, namespace))
      .then(() => void (registered = true))
      .catch((error: unknown) => {
        throw away(error);
      })
      .finally(() => (registering = undefined));
    return registering;
  };

  const describe = async (workflowId: string): Promise<Run | null> => {
    try {
      const { workflowExecutionInfo } = await within(CALL_MS, () =>
        workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } }),
      );
      return workflowExecutionInfo ? runOf(workflowExecutionInfo) : null;
    } catch (error) {
      if (codeIn(error) === GRPC.NOT_FOUND) return null;
      throw away(error);
    }
  };

  const attributesOf = ({ input, summary }: TaskStart): SearchAttributePair[] => [
    { key: KEYS.traceId, value: input.trace_id },
    ...(input.session_id === null ? [] : [{ key: KEYS.sessionId, value: input.session_id }]),
    ...(options.showUtterance ? [{ key: KEYS.utterance, value: summary }] : []),
  ];

  const startOnce = (task: TaskStart): Promise<unknown> =>
    client.workflow.start(WORKFLOWS.voiceTask, {
      workflowId: voiceTaskId(task.input.trace_id),
      taskQueue: QUEUES.workflows,
      args: [task.input],
      // FAIL and not USE_EXISTING: it alone says whether this call started the run; a retry of ours by the SDK carries
      // the same request id and is no conflict. No time-outs of the workflow: one would end it without a terminal event.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      // A killed workflow worker is noticed after this; ten seconds is the default.
      workflowTaskTimeout: '5s',
      memo: { ...task.memo },
      typedSearchAttributes: attributesOf(task),
      staticSummary: task.summary,
      staticDetails: task.details,
    });

  const command = async (ms: number, call: () => Promise<unknown>): Promise<CommandOutcome> => {
    try {
      await within(ms, call);
      return { outcome: 'done' };
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError)
        return { outcome: 'refused', reason: messageOf(error.cause ?? error) };
      if (codeIn(error) === GRPC.NOT_FOUND) return { outcome: 'gone' };
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || codeIn(error) === GRPC.DEADLINE)
        return { outcome: 'unconfirmed' };
      throw away(error);
    }
  };

  const pollerMissing = async (queue: string, taskQueueType: 1 | 2, whose: string): Promise<string[]> => {
    const { pollers } = await within(CALL_MS, () =>
      workflowService.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType }),
    );
    const since = Date.now() - POLLER_FRESH_MS;
    const alive = pollers?.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= since);
    return alive ? [] : [`no worker polls ${queue} (${whose})`];
  };

  return {
    address,
    namespace,
    describe,
    start: async (task) => {
      const until = performance.now() + CALL_MS;
      for (;;) {
        await ensureRegistered();
        try {
          await within(Math.max(1, until - performance.now()), () => startOnce(task));
          return null;
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) {
            const run = await describe(voiceTaskId(task.input.trace_id));
            if (run) return run;
            throw new EngineUnavailable('the run is known, but cannot be read');
          }
          // A server that was set up anew has forgotten the attributes, or has not read the new ones yet.
          const forgotten = codeIn(error) === GRPC.INVALID && /search attribute/i.test(detailsIn(error));
          if (!forgotten) throw away(error);
          registered = false;
          if (performance.now() + AGAIN_MS > until) throw away(error);
          await delay(AGAIN_MS);
        }
      }
    },
    query: async (workflowId, name) => {
      try {
        return await within(WORKER_MS, () => client.workflow.getHandle(workflowId).query(name));
      } catch (error) {
        if (error instanceof EngineUnavailable && codeIn(error) === GRPC.UNAVAILABLE) throw error;
        return null;
      }
    },
    result: async (workflowId) => {
      try {
        return (await within(CALL_MS, () => client.workflow.getHandle(workflowId).result())) as unknown;
      } catch (error) {
        if (error instanceof EngineUnavailable) throw error;
        return null;
      }
    },
    waitClosed: async (workflowId, signal) => {
      for (;;) {
        try {
          await connection.withAbortSignal(signal, () => client.workflow.getHandle(workflowId).result());
          return;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof Error && error.name === 'WorkflowFailedError') return;
          if (codeIn(error) === GRPC.NOT_FOUND) return;
          await delay(AGAIN_MS * 5, signal);
        }
      }
    },
    signal: (workflowId, name, argument) =>
      command(CALL_MS, () => client.workflow.getHandle(workflowId).signal(name, argument)).then((outcome) => {
        if (outcome.outcome === 'unconfirmed')
          throw new EngineUnavailable('Temporal: the signal was not taken in time');
        return outcome;
      }),
    update: async (workflowId, name, updateId, argument) => {
      const until = performance.now() + WORKER_MS;
      for (;;) {
        try {
          return await command(Math.max(1, until - performance.now()), () =>
            client.workflow.getHandle(workflowId).executeUpdate(name, { args: [argument], updateId }),
          );
        } catch (error) {
          // Around a continue-as-new; the same id is the same update.
          if (codeIn(error) !== GRPC.PRECONDITION || performance.now() + AGAIN_MS > until) throw error;
          await delay(AGAIN_MS);
        }
      }
    },
    list: async (query, { limit, cursor }) => {
      try {
        const reply = await within(CALL_MS, () =>
          workflowService.listWorkflowExecutions({
            namespace,
            query,
            pageSize: limit,
            ...(cursor ? { nextPageToken: Buffer.from(cursor, 'base64url') } : {}),
          }),
        );
        const next = reply.nextPageToken?.length ? Buffer.from(reply.nextPageToken).toString('base64url') : null;
        return { runs: (reply.executions ?? []).map(runOf), next };
      } catch (error) {
        throw away(error);
      }
    },
    count: async (query) => {
      try {
        const { count } = await within(CALL_MS, () => workflowService.countWorkflowExecutions({ namespace, query }));
        return Number(count ?? 0);
      } catch (error) {
        throw away(error);
      }
    },
    missing: async () => {
      try {
        await ensureRegistered();
        const [workflows, models] = await Promise.all([
          pollerMissing(QUEUES.workflows, 1, 'workflows'),
          pollerMissing(QUEUES.models, 2, 'model turns'),
        ]);
        return [...workflows, ...models];
      } catch (error) {
        return [messageOf(error)];
      }
    },
    prepare: async (signal) => {
      for (let said = false; !signal.aborted;) {
        try {
          await ensureRegistered();
          log.info({ address, namespace }, 'Temporal answers');
          return;
        } catch (error) {
          if (!said) log.warn({ address, error: messageOf(error) }, 'waiting for Temporal');
          said = true;
          await delay(AGAIN_MS, signal).catch(() => undefined);
        }
      }
    },
    close: async () => {
      await Promise.allSettled(calls);
      await connection.close();
    },
  };
};
