import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fromRoot } from '../../platform/env.ts';
import { until } from './until.ts';

/** One event of `--json`. */
export interface EdgeLine {
  event: string;
  at_ms: number;
  audio_ms: number;
  utterance_id: string | null;
  trace_id?: string;
  text?: string;
}

export interface EdgeProcess {
  readonly pid: number;
  readonly lines: readonly EdgeLine[];
  /** What it wrote besides. */
  readonly said: () => string;
  readonly stdin: NodeJS.WritableStream | null;
  /** The first such event, also one that came already. */
  event(name: string, withinMs?: number): Promise<EdgeLine>;
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): void;
  /** Its exit code; null: ended by a signal. */
  readonly ended: Promise<number | null>;
}

export interface EdgeProcessOptions {
  args: readonly string[];
  /** Where spool and traces go. */
  dir: string;
  gatewayUrl: string;
  /** Of rehearsal models; undefined: it starts its own. */
  rehearsalUrl?: string;
  env?: Readonly<Record<string, string>>;
}

/** The edge as a person starts it, with `--json`, deaf to this machine's own settings. */
export const startEdge = (options: EdgeProcessOptions): EdgeProcess => {
  const { args, dir, gatewayUrl, rehearsalUrl, env = {} } = options;
  const child = spawn(process.execPath, [fromRoot('edge/main.ts'), '--json', ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: dir,
      DUAL_ENV_FILE: '/dev/null',
      DATA_DIR: `${dir}/data`,
      TRACE_DIR: `${dir}/traces`,
      GATEWAY_TOKEN: 'edge-token',
      WSL_GATEWAY_URL: gatewayUrl,
      EDGE_METRICS_PORT: '0',
      SPEAKER: 'off',
      ...(rehearsalUrl !== undefined && { REHEARSAL_URL: rehearsalUrl }),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: EdgeLine[] = [];
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as EdgeLine));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    pid: child.pid ?? -1,
    lines,
    said: () => said,
    stdin: child.stdin,
    event: (name, withinMs = 20_000) => until(() => lines.find(({ event }) => event === name), withinMs),
    kill: (signal) => void child.kill(signal),
    ended,
  };
};
