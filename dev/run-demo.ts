import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskResult } from '../contracts/task.ts';
import { fromRoot } from '../platform/env.ts';
import type { Environment } from '../platform/env.ts';
import { OperationError, messageOf } from '../platform/errors.ts';
import type { Closer } from '../platform/lifecycle.ts';
import { readToken } from './bring-up.ts';
import type { Ready } from './bring-up.ts';
import { readable } from './console.ts';
import { demoReport, diffOf, shortcomings } from './demo-report.ts';
import { runEdge } from './edge-run.ts';
import type { EdgeRun } from './edge-run.ts';
import { createGatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { findSetpriv } from './guardian.ts';
import { withoutTemporalClient } from './plan.ts';
import { fileHolder } from './processes.ts';
import { progressLine } from './progress-lines.ts';
import type { RunOptions } from './run-dev.ts';
import { readSettings } from './settings.ts';
import { startStack } from './stack.ts';

/** The sentence of the seed document. */
export const SENTENCE = 'Refactor the API and validate the staging website.';

/** The same sentence, spoken: 5 s, 16 kHz; how it was made is written beside it. */
export const SPOKEN_SENTENCE = fromRoot('examples/speech/refactor-and-validate.wav');

/** A machine under load starts the stack in half a minute; longer means that something is stuck. */
const START_WITHIN_MS = 120_000;
/** Rehearsal needs about ten seconds; real models may need minutes. */
const FINISH_WITHIN_MS = 20 * 60_000;
/** The file takes five seconds; loading the recogniser's model another two. */
const HEAR_WITHIN_MS = 60_000;
/** From the end of the task until the edge has said so. */
const ANSWER_WITHIN_MS = 30_000;
const EDGE_GRACE_MS = 3_000;
const LAST_LINES = 20;
const LOG_NAME = 'demo.log';

/**
 * Everything where it always is, so that artifacts and traces can be looked at afterwards, but ports, Temporal and the
 * worker's working folders of its own: a stack that runs beside notices nothing.
 */
const demoEnvironment = (
  environment: Environment,
): { environment: Environment; dataDir: string; artifactDir: string } => {
  const usual = fromRoot(environment['DATA_DIR'] ?? 'data');
  // A second demo at the same time would sweep the first one's sessions away; each holds its log open.
  const taken = fileHolder(join(usual, 'demo', LOG_NAME)) !== null;
  const dataDir = join(usual, taken ? `demo-${process.pid}` : 'demo');
  const artifactDir = fromRoot(environment['ARTIFACT_DIR'] ?? join(usual, 'artifacts'));
  const anyPort = {
    TEMPORAL_PORT: '0',
    WSL_GATEWAY_PORT: '0',
    WORKER_METRICS_PORT: '0',
    WSL_GATEWAY_HOST: '127.0.0.1',
  };
  const own = { DATA_DIR: dataDir, ARTIFACT_DIR: artifactDir };
  return { environment: { ...withoutTemporalClient(environment), ...anyPort, ...own }, dataDir, artifactDir };
};

/** Keeps what the children say in a file; a person sees the story instead, and the last lines when it goes wrong. */
const openLog = (file: string): { write(child: string, line: string): void; tail(): string; close(): void } => {
  const stream = createWriteStream(file, { mode: 0o600 });
  stream.on('error', () => undefined);
  const last: string[] = [];
  return {
    write: (child, line) => {
      if (line.trim() === '') return;
      stream.write(`${child.padEnd(9)} ${line}\n`);
      last.push(`${child.padEnd(9)}| ${readable(line).text}`);
      if (last.length > LAST_LINES) last.shift();
    },
    tail: () => last.join('\n'),
    close: () => void stream.end(),
  };
};

/** Texts of the artifacts a person wants to read at once, by job. A text that cannot be had is not shown. */
const fetchTexts = async (
  client: GatewayClient,
  task: TaskResult,
  pick: (job: TaskResult['jobs'][number]) => { sha256: string } | undefined,
): Promise<Map<string, string>> => {
  const texts = new Map<string, string>();
  for (const job of task.jobs) {
    const artifact = pick(job);
    if (artifact)
      texts.set(job.job_id, await client.artifact(artifact.sha256).catch((error: unknown) => messageOf(error)));
  }
  return texts;
};

/**
 * `make demo` and `make demo-voice`: one sentence, typed or spoken, end to end, on a stack of its own. Answers the exit
 * code: 0 only when it worked.
 */
export const runDemo = async (
  {
    environment: given,
    programs,
    console,
    json,
    spoken = false,
    setpriv = findSetpriv(given['PATH'] ?? ''),
  }: RunOptions & { json: boolean; spoken?: boolean },
  signal: AbortSignal,
  closer: Closer,
): Promise<number> => {
  const { environment, dataDir, artifactDir } = demoEnvironment(given);
  const settings = await readSettings(environment, signal, { inMemory: true });
  mkdirSync(dataDir, { recursive: true });
  const logFile = join(dataDir, LOG_NAME);
  const log = openLog(logFile);
  closer.add('log', () => log.close());
  const say = (text: string): void => console.say(text);

  say(
    `starting Temporal, worker and gateway on free ports${settings.rehearsalPort === null ? '' : '; rehearsal models, because no key is set for a provider'}`,
  );
  const stack = startStack(
    { settings, programs, setpriv, say, output: (child, line) => log.write(child, line) },
    signal,
  );
  closer.add('children', () => stack.stop());
  process.on('exit', () => stack.killAll());
  const limited = <T>(act: Promise<T>, ms: number, what: string): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new OperationError('EnvironmentUnavailable', `${what} took longer than ${ms / 1000} s`));
    }, ms);
    return Promise.race([act, stack.broken, late.promise]).finally(() => clearTimeout(timer));
  };

  const hearing = (ready: Ready): EdgeRun => {
    const edge = runEdge({
      wav: SPOKEN_SENTENCE,
      env: {
        ...environment,
        WSL_GATEWAY_URL: ready.gateway,
        GATEWAY_TOKEN_FILE: ready.token_file,
        TRACE_DIR: settings.traceDir,
        EDGE_METRICS_PORT: '0',
        ...(settings.rehearsalPort !== null && { REHEARSAL_URL: `http://127.0.0.1:${settings.rehearsalPort}` }),
      },
      say,
      output: (line) => log.write('edge', line),
    });
    closer.add('edge', () => edge.stop(EDGE_GRACE_MS));
    process.on('exit', () => edge.kill());
    return edge;
  };

  try {
    const ready = await limited(stack.ready, START_WITHIN_MS, 'starting');
    const client = createGatewayClient(ready.gateway, await readToken(settings, ready.token_file), signal);
    say(spoken ? `\nspeaking: ${SPOKEN_SENTENCE}` : `\nsaying: "${SENTENCE}"`);
    const edge = spoken ? hearing(ready) : null;
    const traceId = await (edge ? limited(edge.traceId, HEAR_WITHIN_MS, 'hearing') : client.submit(SENTENCE));
    const follow = async (): Promise<TaskResult> => {
      for await (const event of client.events(traceId)) {
        const line = progressLine(event);
        if (line !== null) say(line);
      }
      return client.result(traceId);
    };
    const task = await limited(follow(), FINISH_WITHIN_MS, 'the task');
    const edgeCode = edge ? await limited(edge.ended, ANSWER_WITHIN_MS, 'the spoken answer') : 0;
    const diffs = await fetchTexts(client, task, diffOf);
    const reports = await fetchTexts(client, task, (job) =>
      job.artifacts.find(({ name }) => name.endsWith('report.md')),
    );
    const repository = fromRoot(environment['CODING_WORKING_DIRECTORY'] ?? join(dataDir, 'example-workspace'));
    if (json) console.print(JSON.stringify(task));
    else console.print(demoReport({ task, diffs, reports, artifactDir, traceDir: settings.traceDir, repository }));

    const missing = shortcomings(task, diffs);
    if (edgeCode !== 0) missing.push(`the edge ended with code ${edgeCode}`);
    if (missing.length === 0) return 0;
    throw new OperationError(
      'VerificationFailed',
      `the demo did not work:\n${missing.map((line) => `  ${line}`).join('\n')}`,
    );
  } catch (error) {
    if (signal.aborted) {
      say('stopped before it was done');
      return 130;
    }
    say(`${messageOf(error)}\n\nthe last the processes said (all of it: ${logFile}):\n${log.tail()}`);
    return 1;
  }
};
