import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { REPOSITORY_ROOT } from '../../platform/env.ts';

/** A real process of ours, started for one test or figure. */
export interface TestProcess {
  readonly pid: number;
  /** The JSON line by which it said that it is ready. */
  readonly announced: Readonly<Record<string, unknown>>;
  /** Everything it wrote, for the report of a failure. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL when that takes longer than 12 s. */
  stop(): Promise<void>;
}

/** What a child needs of our own environment; everything else is said on purpose. */
const inherited = (): Record<string, string> => {
  const wanted = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TEMPORAL_CLI_PATH', 'CHROMIUM_PATH', 'BWRAP_PATH'];
  return Object.fromEntries(wanted.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
};

/**
 * Starts `node <args>` (or `command`) and waits for the JSON line with `ready` or `listening` on its standard output.
 * `until`: how that line must begin, where other lines look like it. It leads a process group of its own, which is killed whole. @throws with its output when it ends before, or after `withinMs`.
 */
export const startProcess = async (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { command?: string; withinMs?: number; until?: string } = {},
): Promise<TestProcess> => {
  const child = spawn(options.command ?? process.execPath, [...args], {
    cwd: REPOSITORY_ROOT,
    env: { ...inherited(), ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const announced = new Promise<Record<string, unknown>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      const at = line.indexOf('{');
      if (at < 0 || !line.startsWith(options.until ?? '')) return;
      try {
        const said = JSON.parse(line.slice(at)) as Record<string, unknown>;
        if ('ready' in said || 'listening' in said || line.startsWith('ready ')) resolve(said);
      } catch {
        return; // a line for people
      }
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const killGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      return; // already gone
    }
  };
  const withinMs = options.withinMs ?? 60_000;
  const late = Promise.withResolvers<never>();
  const timeout = setTimeout(() => {
    late.reject(new Error(`${args.join(' ')} was not ready within ${withinMs} ms:\n${output}`));
  }, withinMs);
  const ended = exited.then((code) => Promise.reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)));
  const said = await Promise.race([announced, ended, late.promise])
    .catch((error: unknown) => {
      killGroup('SIGKILL');
      throw error;
    })
    .finally(() => clearTimeout(timeout));
  return {
    pid: child.pid ?? 0,
    announced: said,
    output: () => output,
    exited,
    kill: (signal) => process.kill(child.pid ?? 0, signal),
    stop: async () => {
      killGroup('SIGTERM');
      const timeout = setTimeout(() => killGroup('SIGKILL'), 12_000);
      await exited;
      clearTimeout(timeout);
      killGroup('SIGKILL');
    },
  };
};
