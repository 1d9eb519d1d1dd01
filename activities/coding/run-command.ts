import { spawn } from 'node:child_process';
import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import { OutputClip } from './output-clip.ts';
import type { ProcessId } from './processes.ts';
import { endGroup, endMarked, identify } from './processes.ts';

/** A program to start, with nothing of our own environment. */
export interface Launch {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Value of DUAL_SESSION by which to find what left the process group; null where a sandbox holds it anyway. */
  marker: string | null;
}

export interface CommandResult {
  /** 128 + the signal's number when a signal ended it; 124 at the time limit. */
  exitCode: number;
  text: string;
  timedOut: boolean;
}

export interface CommandOptions {
  signal: AbortSignal;
  timeoutMs: number;
  /** Characters of output kept: its beginning and its end. */
  maxChars: number;
  /** Told of the process group as soon as it is there. When this throws, the command is ended and the error passed on. */
  onStart?: (group: ProcessId) => void;
}

/** Exit code that says "time limit", as timeout(1) has it. */
export const TIMED_OUT = 124;
/** After the command itself has ended: how long for the last output of what it left behind (which is being killed). */
const LAST_OUTPUT_MS = 300;

/**
 * Runs a program in a process group of its own and ends the whole group when it is done, at the time limit, or on
 * abort. @throws OperationError EnvironmentUnavailable when it cannot be started; the signal's reason on abort.
 */
export const runCommand = async (launch: Launch, options: CommandOptions): Promise<CommandResult> => {
  const { signal } = options;
  signal.throwIfAborted();
  const clip = new OutputClip(options.maxChars);
  // Standard input stays an open pipe: without a sandbox a guard in the group ends it all when this process is gone.
  const child = spawn(launch.file, [...launch.args], {
    cwd: launch.cwd,
    env: { ...launch.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined); // its reader may be gone: nothing is ever written
  child.stdout.on('data', (bytes: Buffer) => clip.write(bytes));
  child.stderr.on('data', (bytes: Buffer) => clip.write(bytes)); // bwrap's own words; commands join theirs to stdout
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new OperationError('EnvironmentUnavailable', `${launch.file} cannot be started`, { cause: error })),
    );
    child.once('exit', (code, signalName) => resolve(code ?? (signalName === 'SIGKILL' ? 137 : 143)));
  });
  exited.catch(() => undefined); // nobody waits for it when `onStart` has failed
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const group = child.pid === undefined ? null : identify(child.pid);
  const endAll = async (): Promise<void> => {
    if (group) await endGroup(group);
    if (launch.marker !== null) endMarked(launch.marker);
  };

  let timedOut = false;
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // already gone
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  signal.addEventListener('abort', kill, { once: true });
  let exitCode: number;
  try {
    if (group) options.onStart?.(group);
    exitCode = await exited;
    kill();
    const late = new AbortController();
    await Promise.race([closed, delay(LAST_OUTPUT_MS, late.signal).catch(() => undefined)]);
    late.abort();
    await endAll();
  } catch (error) {
    kill();
    await endAll();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
  signal.throwIfAborted();
  return { exitCode: timedOut ? TIMED_OUT : exitCode, text: clip.end(), timedOut };
};
