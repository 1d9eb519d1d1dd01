import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Of } from '../../platform/artifacts.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { until } from '../fakes/until.ts';

/** `make demo` as a newcomer runs it, on folders of its own, without any key: rehearsal models. */
const WITHIN_MS = 240_000;
const dir = mkdtempSync(join(tmpdir(), 'dual-demo-'));
const ran = { code: -1, out: '', err: '' };

/** What a person's shell has, without what would choose other models, servers or sites, or make's own bookkeeping. */
const CHOICES =
  /^(ANTHROPIC|GEMINI|OPENAI|TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|TLS)|STAGING_URL|TARGETS_FILE|CODING_|BROWSER_|MAKE|MFLAGS|NODE_OPTIONS|DUAL_ENV_FILE)/;

const environOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};
const leftovers = (): string[] =>
  existsSync('/proc') ? readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environOf(pid).includes(dir)) : [];

beforeAll(async () => {
  const inherited = Object.entries(process.env).filter(([name]) => !CHOICES.test(name));
  const child = spawn('make', ['demo'], {
    cwd: REPOSITORY_ROOT,
    env: {
      ...Object.fromEntries(inherited),
      DUAL_ENV_FILE: '/dev/null',
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: join(dir, 'traces'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()));
  ran.code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
}, WITHIN_MS);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const traceId = (): string => /trace id +([0-9a-f]{32})/.exec(ran.out)?.[1] ?? 'no trace id';

describe('make demo', () => {
  it('works', () => {
    // The code last: when it is wrong, what was said explains it.
    expect({ said: ran.code === 0 ? '' : `${ran.out}\n${ran.err}`, code: ran.code }).toEqual({ said: '', code: 0 });
  });

  it('tells the story as it happens', () => {
    expect(ran.err).toContain('saying: "Refactor the API and validate the staging website."');
    for (const line of [/coding 1 +turn 1 /, /browser 2 +turn 1 /, /coding 1 +tests before: /, /task +completed/])
      expect(ran.err).toMatch(line);
  });

  it('shows the change, the tests, the evidence, what it cost and that it was a rehearsal', () => {
    expect(ran.out).toContain('result: succeeded');
    expect(ran.out).toMatch(/^ +diff --git a\//m);
    expect(ran.out).toMatch(/tests +npm test: before \d+ passed, \d+ failed; after \d+ passed, 0 failed/);
    expect(ran.out).toMatch(/broken link/i);
    expect(ran.out).toMatch(/screenshot.*bytes/);
    expect(ran.out).toMatch(/tokens +[\d,]+ in, [\d,]+ out/);
    expect(ran.out).toMatch(/cost +none: rehearsal/);
    expect(traceId()).toMatch(/^[0-9a-f]{32}$/);
  });

  it('leaves artifacts and traces where it says', () => {
    const shown = [...ran.out.matchAll(/(\S+\/[0-9a-f]{2}\/([0-9a-f]{64})) \(/g)];
    expect(shown.length).toBeGreaterThanOrEqual(4);
    for (const [, path = '', hash] of shown) expect(sha256Of(readFileSync(resolve(REPOSITORY_ROOT, path)))).toBe(hash);
    const lines = readdirSync(join(dir, 'traces'))
      .flatMap((name) =>
        readFileSync(join(dir, 'traces', name), 'utf8')
          .trim()
          .split('\n'),
      )
      .map((line) => JSON.parse(line) as { trace_id: string; phase: string; job_id: string | null; event_id: string });
    const terminal = lines.filter(
      (line) =>
        line.trace_id === traceId() &&
        line.job_id === null &&
        ['completed', 'failed', 'cancelled'].includes(line.phase),
    );
    expect(new Set(terminal.map((line) => line.event_id)).size).toBe(1);
    expect(terminal[0]?.phase).toBe('completed');
  });

  it('stops everything it started', async () => {
    await until(() => (leftovers().length === 0 ? true : undefined), 5_000);
  });
});
