import { describe, expect, it } from '@jest/globals';
import { createRecordTrace } from '../../../activities/record-trace.ts';
import type { TraceEventDraft } from '../../../contracts/trace-event.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createTraceLog } from '../../../platform/trace-log.ts';
import { createLog } from '../../../platform/log.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NOW = Date.parse('2026-11-25T12:00:10.000Z');

describe('an end that a workflow tells of', () => {
  it('happens when it is written, however far behind the workflow’s clock is; its duration counts from `since`', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'record-trace-'));
    try {
      const metrics = createMetrics('worker', '0');
      const scrub = (text: string): string => text;
      const log = createLog('test', scrub, 'error');
      const traceLog = createTraceLog({ dir, process: 'worker', metrics, log, scrub, now: () => NOW });
      const written: ReturnType<typeof traceLog.write>[] = [];
      const watched = {
        ...traceLog,
        write: (draft: TraceEventDraft) => {
          const event = traceLog.write(draft);
          written.push(event);
          return event;
        },
      };
      const record = createRecordTrace({ traceLog: watched, metrics }, () => NOW);
      const trace_id = 'a'.repeat(32);
      const job = { trace_id, job_id: `${trace_id}-1`, agent: 'coding', skill: 'coding' };
      await record({
        events: [
          { ...job, phase: 'succeeded', since: '2026-11-25T12:00:00.000Z' },
          { trace_id, phase: 'completed', since: '2026-11-25T12:00:11.000Z' }, // a clock that went back
        ],
      });
      expect(written.map(({ ts, duration_ms }) => [ts, duration_ms])).toEqual([
        ['2026-11-25T12:00:10.000Z', 10_000],
        ['2026-11-25T12:00:10.000Z', 0],
      ]);
      expect(written.some((event) => 'since' in event)).toBe(false);
      expect(await metrics.registry.metrics()).toContain(
        'dual_orchestrator_job_duration_seconds_sum{agent="coding",outcome="succeeded"} 10',
      );
      traceLog.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
