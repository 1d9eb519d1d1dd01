import { expect } from '@jest/globals';
import type { TraceEvent } from '../../contracts/trace-event.ts';

const ENDS = ['completed', 'succeeded', 'failed', 'cancelled'];
const distinct = (values: readonly string[]): string[] => [...new Set(values)].sort();

/**
 * What the trace of a task that succeeded must look like: one end of the task and one of each job, told however often,
 * and nothing later than the task's.
 */
export const expectOneEnd = (events: readonly TraceEvent[]): void => {
  const ends = events.filter((event) => event.job_id === null && ENDS.includes(event.phase));
  // The event_id is the same whichever way it ended: only the words tell two ends apart.
  expect(distinct(ends.map((event) => `${event.phase} ${String(event.payload['outcome'])}`))).toEqual([
    'completed succeeded',
  ]);
  const endedAt = ends.map(({ ts }) => ts).sort()[0] ?? '';
  expect(events.filter(({ ts }) => ts > endedAt).map(({ phase, job_id, ts }) => `${phase} ${job_id} ${ts}`)).toEqual(
    [],
  );
  const jobs = events.filter((event) => event.job_id !== null);
  for (const [jobId, own] of Map.groupBy(jobs, (event) => event.job_id))
    expect([jobId, distinct(own.map(({ phase }) => phase).filter((phase) => ENDS.includes(phase)))]).toEqual([
      jobId,
      ['succeeded'],
    ]);
};
