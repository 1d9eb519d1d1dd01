import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeDemo } from '../fakes/make-demo.ts';
import type { DemoRun } from '../fakes/make-demo.ts';
import { until } from '../fakes/until.ts';

const WITHIN_MS = 240_000;
let demo: DemoRun;
beforeAll(async () => {
  demo = await makeDemo('demo-voice');
}, WITHIN_MS);
afterAll(() => demo.remove());

describe('make demo-voice', () => {
  it('works, from the sound to the answer', () => {
    expect({ said: demo.code === 0 ? '' : `${demo.out}\n${demo.err}`, code: demo.code }).toEqual({ said: '', code: 0 });
  });

  it('really hears the sentence, in pieces while it is spoken', () => {
    expect(demo.err).toMatch(/edge +first words after \d\.\d\d s: "[a-z]+/i);
    expect(demo.err).toMatch(/edge +heard "refactor the API and validate the staging website"/i);
    expect(demo.err).toMatch(/edge +the gateway took it .*accepted/);
  });

  it('runs the same two jobs, and says how they ended', () => {
    expect(demo.out).toContain('result: succeeded');
    expect(demo.out).toMatch(/job 1: coding /);
    expect(demo.out).toMatch(/job 2: browser /);
    expect(demo.err).toMatch(/edge +says: "Two jobs started/);
    expect(demo.err).toMatch(/edge +says: "Rehearsal: tests pass; .* on staging/);
  });

  it('shows one trace from the first phoneme to the result', () => {
    const phases = demo
      .traceLines()
      .filter((line) => line.trace_id === demo.traceId)
      .sort((a, b) => a.ts.localeCompare(b.ts))
      .map((line) => line.phase);
    const first = (phase: string): number => phases.indexOf(phase);
    const way = ['captured', 'speech_start', 'first_partial', 'final', 'spooled', 'received', 'completed'];
    for (const phase of [...way, 'routed', 'submitted', 'acked']) expect(phases).toContain(phase);
    expect(way.map(first)).toEqual([...way.map(first)].sort((a, b) => a - b));
  });

  it('stops everything it started', async () => {
    await until(() => (demo.leftovers().length === 0 ? true : undefined), 5_000);
  });
});
