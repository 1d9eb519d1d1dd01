import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { REPOSITORY_ROOT } from '../platform/env.ts';
import { freePorts } from '../platform/ports.ts';
import { EdgeLine } from './edge-timeline.ts';

/** A real edge that hears a file, without loudspeaker. */
export interface EdgeProcess {
  /** What it told so far. */
  readonly lines: readonly EdgeLine[];
  /** Everything else it wrote, for the report of a failure. */
  output(): string;
  /** Its metrics as text; null when it does not answer. */
  metrics(): Promise<string | null>;
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL when that takes longer than 10 s. */
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

export const startEdge = async (wav: string, env: Readonly<Record<string, string>>): Promise<EdgeProcess> => {
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const own = INHERITED.map((name) => [name, process.env[name] ?? ''] as const).filter(([, value]) => value !== '');
  const child = spawn(process.execPath, ['edge/main.ts', '--input', wav, '--json', '--quiet'], {
    cwd: REPOSITORY_ROOT,
    env: { ...Object.fromEntries(own), EDGE_METRICS_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: EdgeLine[] = [];
  let output = '';
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = EdgeLine.safeParse(text.startsWith('{') ? JSON.parse(text) : null);
    if (line.success) lines.push(line.data);
    else output += `${text}\n`;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    lines,
    output: () => output,
    metrics: async () => {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) });
        return answer.ok ? await answer.text() : null;
      } catch {
        return null; // not yet, or not any more
      }
    },
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await exited;
      clearTimeout(late);
    },
  };
};

/** One value of Prometheus text, e.g. `dual_edge_frames_total{kind="lost"}`. @throws Error when it is not there */
export const metricIn = (text: string, series: string): number => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series} among the metrics`);
  return Number(line.slice(series.length + 1));
};
