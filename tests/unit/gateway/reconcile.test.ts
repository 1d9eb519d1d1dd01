import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import { TraceEvent } from '../../../contracts/trace-event.ts';
import { createReconciler } from '../../../gateway/reconcile.ts';
import { createArtifactStore } from '../../../platform/artifacts.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../../platform/trace-log.ts';
import { createFakeEngine } from '../../fakes/task-engine.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const TRACE = 'a'.repeat(32);
const open = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'reconcile-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const engine = createFakeEngine();
  const log = createLog('test', (text) => text, 'error');
  const traceDir = join(dir, 'traces');
  const trace = createTraceLog({
    dir: traceDir,
    process: 'gateway',
    metrics: createMetrics('test', '0'),
    log,
    scrub: (text) => text,
  });
  closers.push(() => trace.close());
  const marks = createArtifactStore(join(dir, 'state'));
  const again = () => createReconciler({ engine, trace, traceDir, marks, log });
  const ends = (): string[] =>
    traceFiles(traceDir)
      .flatMap((file) => readTraceLines(file, 0).lines)
      .map((line) => TraceEvent.parse(JSON.parse(line)))
      .filter((event) => event.job_id === null)
      .map(({ phase, event_id }) => `${phase} ${event_id.slice(0, 4)}`);
  return { engine, trace, again, ends };
};
const closedAt = new Date().toISOString();

describe('the reconciler', () => {
  it.each([
    ['terminated', 'failed'],
    ['timed_out', 'failed'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
  ] as const)('gives a task that was %s its %s event, once, also over a restart', async (status, phase) => {
    const { engine, again, ends } = await open();
    engine.add({ workflowId: voiceTaskId(TRACE), status, closedAt });
    const reconciler = again();
    expect(await reconciler.pass()).toBe(1);
    expect(await reconciler.pass()).toBe(0);
    await again().pass();
    expect(ends()).toHaveLength(1);
    expect(ends()[0]).toMatch(new RegExp(`^${phase} `));
  });

  it('waits until none of its jobs runs any more', async () => {
    const { engine, again, ends } = await open();
    const job = agentJobId(`${TRACE}-1`);
    engine.add({ workflowId: voiceTaskId(TRACE), status: 'terminated', closedAt });
    engine.add({ workflowId: job, rootId: voiceTaskId(TRACE) });
    const reconciler = again();
    expect(await reconciler.pass()).toBe(0);
    expect(ends()).toEqual([]);
    engine.close(job, {});
    expect(await reconciler.pass()).toBe(1);
    expect(ends()).toHaveLength(1);
  });

  it('leaves alone what ended by itself, and what has its last event already', async () => {
    const { engine, trace, again, ends } = await open();
    const outcome = { traceId: null, sessionId: null, agent: null, outcome: 'succeeded', utterance: null, costUsd: 0 };
    engine.add({ workflowId: voiceTaskId('b'.repeat(32)), status: 'completed', closedAt, attributes: outcome });
    engine.add({ workflowId: voiceTaskId('c'.repeat(32)) });
    engine.add({ workflowId: voiceTaskId(TRACE), status: 'terminated', closedAt });
    trace.write({ trace_id: TRACE, phase: 'completed' });
    await again().pass();
    expect(ends()).toHaveLength(1);
    expect(ends()[0]).toMatch(/^completed /);
  });

  it('does not take the end of a job for that of the task', async () => {
    const { engine, trace, again, ends } = await open();
    engine.add({ workflowId: voiceTaskId(TRACE), status: 'terminated', closedAt });
    trace.write({ trace_id: TRACE, job_id: `${TRACE}-1`, phase: 'failed' });
    await again().pass();
    expect(ends()).toHaveLength(1);
  });

  it('settles many, page by page', async () => {
    const { engine, again, ends } = await open();
    for (let n = 0; n < 230; n++)
      engine.add({ workflowId: voiceTaskId(n.toString(16).padStart(32, '0')), status: 'terminated', closedAt });
    expect(await again().pass()).toBe(230);
    expect(new Set(ends()).size).toBeGreaterThan(200);
  });
});
