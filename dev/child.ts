import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { OperationError } from '../platform/errors.ts';
import { createBackoff } from './backoff.ts';
import type { BackoffOptions } from './backoff.ts';
import type { DeathSignal, Guardian } from './guardian.ts';
import { descendantsOf, sendSignal } from './processes.ts';

/** How to start one child. */
export interface ChildPlan {
  /** The prefix of its lines. */
  name: string;
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  deathSignal: DeathSignal;
}

/** What a child said about itself: a JSON object with `listening` or `ready`, on a line of its standard output. */
export type Announcement = Readonly<Record<string, unknown>>;

export interface ChildHooks {
  /** One line the child wrote. */
  output(name: string, line: string): void;
  /** What happens to the child, for a person. */
  notice(text: string): void;
  /** It will not be started again. */
  givenUp(error: OperationError): void;
}

export interface Child {
  readonly name: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** The first announcement of its first life. Stays pending when there is none. */
  readonly announced: Promise<Announcement>;
  start(): void;
  /** From now on a death is a fault to recover from, however often it happens. */
  markReady(): void;
  /** SIGTERM, and after `graceMs` SIGKILL for it and everything below it. Resolves when it has ended; repeatable. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL for it and everything below it, now. */
  kill(): void;
}

/** A child that dies this often in a row before it was ever ready will not get better by itself. */
const DEATHS_BEFORE_READY = 5;
/** Exit code of our processes for a bad setting: starting again cannot mend it. */
const BAD_SETTING = 2;

const asAnnouncement = (line: string): Announcement | null => {
  if (!line.startsWith('{')) return null;
  try {
    const said = JSON.parse(line) as Announcement;
    return 'listening' in said || 'ready' in said ? said : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

const causeOf = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `ended with code ${code}` : `was ended by ${signal}`;

/** One supervised child: it leads its own process group, is started again when it dies, and never outlives us. */
export const createChild = (
  plan: ChildPlan,
  guardian: Guardian,
  hooks: ChildHooks,
  backoffOptions?: BackoffOptions,
): Child => {
  const backoff = createBackoff(backoffOptions);
  const announced = Promise.withResolvers<Announcement>();
  let running: { pid: number; ended: Promise<void> } | undefined;
  let restart: NodeJS.Timeout | undefined;
  let stopping = false;
  let ready = false;
  let deaths = 0;

  const read = (stream: Readable, isStdout: boolean): void => {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      const announcement = isStdout ? asAnnouncement(line) : null;
      if (announcement) announced.resolve(announcement);
      else hooks.output(plan.name, line);
    });
  };

  const giveUp = (why: string): void => {
    stopping = true;
    hooks.givenUp(new OperationError('EnvironmentUnavailable', `${plan.name} ${why}`, { retryable: false }));
  };

  const onEnd = (code: number | null, cause: string, livedMs: number): void => {
    if (stopping) return;
    deaths += 1;
    if (!ready && code === BAD_SETTING) return giveUp(`${cause}: a setting is wrong, see its last lines`);
    if (!ready && deaths >= DEATHS_BEFORE_READY)
      return giveUp(`${cause}, ${deaths} times before it was ready; see its last lines`);
    const waitMs = backoff.next(livedMs);
    hooks.notice(`${plan.name} ${cause}; starting it again ${waitMs === 0 ? 'now' : `in ${waitMs / 1000} s`}`);
    restart = setTimeout(start, waitMs);
  };

  const start = (): void => {
    const wrapped = guardian.wrap(plan.command, plan.args, plan.deathSignal);
    const startedAt = performance.now();
    const child = spawn(wrapped.command, wrapped.args, {
      env: { ...plan.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = child;
    if (pid === undefined) {
      child.once('error', (error) => onEnd(null, `cannot be started (${error.message})`, 0));
      return;
    }
    guardian.guard(pid, plan.deathSignal);
    read(child.stdout, true);
    read(child.stderr, false);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        sendSignal(-pid, 'SIGKILL');
        guardian.release(pid);
        running = undefined;
        resolve();
        onEnd(code, causeOf(code, signal), performance.now() - startedAt);
      });
    });
    running = { pid, ended };
  };

  const kill = (): void => {
    stopping = true;
    clearTimeout(restart);
    if (!running) return;
    for (const pid of descendantsOf(running.pid)) sendSignal(pid, 'SIGKILL');
    sendSignal(-running.pid, 'SIGKILL');
  };

  return {
    name: plan.name,
    get pid() {
      return running?.pid;
    },
    announced: announced.promise,
    start,
    markReady: () => void (ready = true),
    stop: async (graceMs) => {
      stopping = true;
      clearTimeout(restart);
      if (!running) return;
      const { pid, ended } = running;
      sendSignal(pid, 'SIGTERM');
      const hard = setTimeout(() => {
        hooks.notice(`${plan.name} did not end within ${(graceMs / 1000).toFixed(1)} s: killed`);
        kill();
      }, graceMs);
      await ended;
      clearTimeout(hard);
    },
    kill,
  };
};
