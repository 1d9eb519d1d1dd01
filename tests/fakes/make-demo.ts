import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../../platform/env.ts';

/** What a person's shell has, without what would choose other models, servers or sites, or make's own bookkeeping. */
const CHOICES =
  /^(ANTHROPIC|GEMINI|OPENAI|REALTIME|TRANSCRIPTION|REHEARSAL|MICROPHONE|SPEAKER|VOICE|TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|TLS)|STAGING_URL|TARGETS_FILE|CODING_|BROWSER_|MAKE|MFLAGS|NODE_OPTIONS|DUAL_ENV_FILE)/;

const environOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};

export interface DemoRun {
  code: number;
  out: string;
  err: string;
  /** The trace id it printed. */
  traceId: string;
  traceDir: string;
  /** Processes of it that still run; none where there is no /proc to ask. */
  leftovers(): string[];
  /** Every line of its trace files. */
  traceLines(): { trace_id: string; phase: string; job_id: string | null; event_id: string; ts: string }[];
  remove(): void;
}

/** Runs `make <target>` as a newcomer does, on folders of its own, without any key: rehearsal models. */
export const makeDemo = async (target: 'demo' | 'demo-voice'): Promise<DemoRun> => {
  const dir = mkdtempSync(join(tmpdir(), `dual-${target}-`));
  const traceDir = join(dir, 'traces');
  const child = spawn('make', [target], {
    cwd: REPOSITORY_ROOT,
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !CHOICES.test(name))),
      DUAL_ENV_FILE: '/dev/null',
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: traceDir,
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? -1)));
  return {
    code,
    out,
    err,
    traceId: /trace id +([0-9a-f]{32})/.exec(out)?.[1] ?? 'no trace id',
    traceDir,
    leftovers: () =>
      existsSync('/proc')
        ? readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environOf(pid).includes(dir))
        : [],
    traceLines: () =>
      readdirSync(traceDir)
        .flatMap((name) => readFileSync(join(traceDir, name), 'utf8').trim().split('\n'))
        .map((line) => JSON.parse(line) as ReturnType<DemoRun['traceLines']>[number]),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
};
