import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TraceEvent } from '../../../contracts/trace-event.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { createTraceLog, eventIdOf, readTraceLines, traceFiles } from '../../../platform/trace-log.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trace-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TRACE = 'a'.repeat(32);
const open = (change: { dir?: string; secrets?: string[]; now?: () => number } = {}) => {
  const metrics = createMetrics('test', '0');
  const lines: string[] = [];
  const scrub = createScrub(change.secrets ?? []);
  const traceLog = createTraceLog({
    dir: change.dir ?? dir,
    process: 'test',
    metrics,
    log: createLog('test', scrub, 'info', (line) => lines.push(line)),
    scrub,
    ...(change.now && { now: change.now }),
  });
  return { traceLog, metrics, lines };
};
const written = (): TraceEvent[] =>
  traceFiles(dir).flatMap((file) => readTraceLines(file, 0).lines.map((line) => TraceEvent.parse(JSON.parse(line))));

describe('the trace log', () => {
  it('writes one whole event a line, numbered without gaps, whatever the text holds', () => {
    const { traceLog } = open();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        traceLog.write({ trace_id: TRACE, phase: 'received', payload: { text } });
        return true;
      }),
      { numRuns: 200 },
    );
    const tricky = 'a\u2028b\u2029c\u0085d\r\n"\\';
    traceLog.write({ trace_id: TRACE, phase: 'received', payload: { text: tricky } });
    traceLog.close();
    const events = written();
    expect(events.map((event) => event.seq)).toEqual(events.map((_, at) => at));
    expect(events.at(-1)?.payload['text']).toBe(tricky);
    expect(readFileSync(traceFiles(dir)[0] ?? '', 'utf8')).not.toMatch(/[\u2028\u2029\u0085]/);
  });

  it('gives what happened once one id, and the three ways to end a task the same', () => {
    const draft = { trace_id: TRACE, job_id: `${TRACE}-1`, phase: 'model_turn', key: '3' } as const;
    expect(eventIdOf(draft)).toBe(eventIdOf({ ...draft, duration_ms: 7 }));
    expect(eventIdOf(draft)).not.toBe(eventIdOf({ ...draft, key: '4' }));
    expect(
      new Set((['completed', 'failed', 'cancelled'] as const).map((phase) => eventIdOf({ trace_id: TRACE, phase })))
        .size,
    ).toBe(1);
    expect(eventIdOf({ trace_id: TRACE, phase: 'failed' })).not.toBe(
      eventIdOf({ trace_id: TRACE, job_id: `${TRACE}-1`, phase: 'failed' }),
    );
  });

  it('starts a new file at midnight', () => {
    let now = Date.parse('2026-01-01T23:59:59.999Z');
    const { traceLog } = open({ now: () => now });
    traceLog.write({ trace_id: TRACE, phase: 'received' });
    now += 1;
    traceLog.write({ trace_id: TRACE, phase: 'routed' });
    traceLog.close();
    expect(traceFiles(dir).map((file) => file.split('/').at(-1)?.slice(0, 10))).toEqual(['2026-01-01', '2026-01-02']);
  });

  it('breaks nothing when it cannot write: the event is counted as dropped and logged', async () => {
    writeFileSync(join(dir, 'file'), '');
    const { traceLog, metrics, lines } = open({ dir: join(dir, 'file', 'below') });
    expect(() => traceLog.write({ trace_id: TRACE, phase: 'received' })).not.toThrow();
    expect((await metrics.traceEventsDropped.get()).values[0]?.value).toBe(1);
    expect((await metrics.traceEvents.get()).values).toEqual([]);
    expect(lines.join('')).toContain('trace event dropped');
  });

  it('counts as many events as it wrote lines', async () => {
    const { traceLog, metrics } = open();
    for (const phase of ['received', 'routed', 'received'] as const) traceLog.write({ trace_id: TRACE, phase });
    traceLog.close();
    const { values } = await metrics.traceEvents.get();
    expect(Object.fromEntries(values.map(({ labels, value }) => [labels.phase, value]))).toEqual({
      received: 2,
      routed: 1,
    });
    expect(written()).toHaveLength(3);
  });

  it('never holds a secret', () => {
    const { traceLog } = open({ secrets: ['hunter2-hunter2', 'quo"ted-secret'] });
    traceLog.write({
      trace_id: TRACE,
      phase: 'received',
      payload: { text: 'my key is hunter2-hunter2 or quo"ted-secret' },
    });
    traceLog.close();
    expect(written()[0]?.payload['text']).toBe('my key is [secret] or [secret]');
  });

  it('leaves a torn tail for later and reads it once it is whole', () => {
    const file = join(dir, '2026-01-01.x.jsonl');
    writeFileSync(file, '{"a":1}\n{"b":');
    const first = readTraceLines(file, 0);
    expect(first).toEqual({ lines: ['{"a":1}'], end: 8 });
    expect(readTraceLines(file, first.end)).toEqual({ lines: [], end: 8 });
    appendFileSync(file, '2}\n');
    expect(readTraceLines(file, first.end)).toEqual({ lines: ['{"b":2}'], end: 16 });
  });
});
