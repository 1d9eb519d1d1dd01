import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fromRoot } from '../platform/env.ts';
import { OperationError } from '../platform/errors.ts';

/** Loading its code takes half a second; longer means that something is stuck. */
const START_WITHIN_MS = 20_000;
const GRACE_MS = 2_000;
const LAST_LINES = 5;

export interface RehearsalChild {
  /** `http://127.0.0.1:port` */
  url: string;
  close(): Promise<void>;
}

/**
 * The loopback models as a child of ours, on a free port. It ends with us, however we end: the channel between us closes.
 * @throws OperationError EnvironmentUnavailable with the last it said
 */
export const startRehearsalChild = async (
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<RehearsalChild> => {
  let isReady = false;
  let isClosing = false;
  const child = spawn(process.execPath, [fromRoot('rehearsal/main.ts')], {
    env: { ...env, REHEARSAL_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  });
  const last: string[] = [];
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const started = Promise.withResolvers<string>();
  const giveUp = (why: string): void =>
    started.reject(
      new OperationError('EnvironmentUnavailable', [`the rehearsal models ${why}`, ...last].join('\n'), {
        retryable: false,
      }),
    );
  const linesOf = (stream: Readable | null): Interface | undefined =>
    stream ? createInterface({ input: stream, crlfDelay: Infinity }) : undefined;
  linesOf(child.stdout)?.on('line', (line) => {
    const url = /^\{"listening":"(http:[^"]+)"/.exec(line)?.[1];
    if (url !== undefined) started.resolve(url);
  });
  linesOf(child.stderr)?.on('line', (line) => {
    // What it warns of is for the person: that no recogniser is installed, for example.
    if (isReady) say(`rehearsal: ${line}`);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  });
  child.once('error', (error) => giveUp(`cannot be started: ${error.message}`));
  child.once('exit', (code) => {
    giveUp(`ended with code ${code}`);
    if (isReady && !isClosing) say(`the rehearsal models ended with code ${code}; start the edge again`);
  });
  const timer = setTimeout(() => giveUp(`did not start within ${START_WITHIN_MS / 1_000} s`), START_WITHIN_MS);
  const onAbort = (): void => giveUp('were stopped');
  signal.addEventListener('abort', onAbort, { once: true });

  const close = async (): Promise<void> => {
    isClosing = true;
    if (child.exitCode === null && child.connected) child.disconnect();
    const kill = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(kill);
  };
  try {
    const url = await started.promise;
    isReady = true;
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
};
