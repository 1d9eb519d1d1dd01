import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Of } from '../../platform/artifacts.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { makeDemo } from '../fakes/make-demo.ts';
import type { DemoRun } from '../fakes/make-demo.ts';
import { until } from '../fakes/until.ts';

const WITHIN_MS = 240_000;
let demo: DemoRun;
beforeAll(async () => {
  demo = await makeDemo('demo');
}, WITHIN_MS);
afterAll(() => demo.remove());

describe('make demo', () => {
  it('works', () => {
    // The code last: when it is wrong, what was said explains it.
    expect({ said: demo.code === 0 ? '' : `${demo.out}\n${demo.err}`, code: demo.code }).toEqual({ said: '', code: 0 });
  });

  it('tells the story as it happens', () => {
    expect(demo.err).toContain('saying: "Refactor the API and validate the staging website."');
    for (const line of [/coding 1 +turn 1 /, /browser 2 +turn 1 /, /coding 1 +tests before: /, /task +completed/])
      expect(demo.err).toMatch(line);
  });

  it('shows the change, the tests, the evidence, what it cost and that it was a rehearsal', () => {
    expect(demo.out).toContain('result: succeeded');
    expect(demo.out).toMatch(/^ +diff --git a\//m);
    expect(demo.out).toMatch(/tests +npm test: before \d+ passed, \d+ failed; after \d+ passed, 0 failed/);
    expect(demo.out).toMatch(/broken link/i);
    expect(demo.out).toMatch(/screenshot.*bytes/);
    expect(demo.out).toMatch(/tokens +[\d,]+ in, [\d,]+ out/);
    expect(demo.out).toMatch(/cost +none: rehearsal/);
    expect(demo.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('leaves artifacts and traces where it says', () => {
    const shown = [...demo.out.matchAll(/(\S+\/[0-9a-f]{2}\/([0-9a-f]{64})) \(/g)];
    expect(shown.length).toBeGreaterThanOrEqual(4);
    for (const [, path = '', hash] of shown) expect(sha256Of(readFileSync(resolve(REPOSITORY_ROOT, path)))).toBe(hash);
    const terminal = demo
      .traceLines()
      .filter(
        (line) =>
          line.trace_id === demo.traceId &&
          line.job_id === null &&
          ['completed', 'failed', 'cancelled'].includes(line.phase),
      );
    expect(new Set(terminal.map((line) => line.event_id)).size).toBe(1);
    expect(terminal[0]?.phase).toBe('completed');
  });

  it('stops everything it started', async () => {
    await until(() => (demo.leftovers().length === 0 ? true : undefined), 5_000);
  });
});
