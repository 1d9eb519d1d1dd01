import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JOB_STATUSES, MAX_JOBS_PER_TASK, PAYLOAD_LIMIT_BYTES } from '../../../contracts/names.ts';
import type { JobStatus } from '../../../contracts/names.ts';
import type { JobResult } from '../../../contracts/task.ts';
import { TaskResult } from '../../../contracts/task.ts';
import { combine, outcomeOf, pendingResult, slim, unmetCondition } from '../../../workflows/fan-in.ts';
import { byteLength, cut, money } from '../../../workflows/text.ts';
import { taskInput } from '../../fakes/task.ts';

const { jobs } = taskInput([{}, {}, {}]);
const [first, second, third] = jobs;
if (!first || !second || !third) throw new Error('three jobs');
const result = (status: JobStatus, change: Partial<JobResult> = {}): JobResult => ({
  ...pendingResult(first),
  status,
  ...change,
});

describe('the outcome of a task', () => {
  it.each([
    [['succeeded', 'succeeded'], false, 'succeeded'],
    [['succeeded', 'failed'], false, 'partially_succeeded'],
    [['succeeded', 'cancelled'], true, 'partially_succeeded'],
    [['cancelled', 'cancelled'], true, 'cancelled'],
    [['failed', 'cancelled'], true, 'cancelled'],
    [['failed', 'cancelled'], false, 'failed'], // a dependent that could not start is no person's cancellation
    [['failed'], false, 'failed'],
  ] as [JobStatus[], boolean, string][])('%j, cancelled by a person: %s → %s', (statuses, byPerson, expected) => {
    expect(
      outcomeOf(
        statuses.map((status) => result(status)),
        byPerson,
      ),
    ).toBe(expected);
  });
});

describe('the condition of a dependent', () => {
  it.each([
    ['succeeded', 'succeeded', true],
    ['succeeded', 'failed', false],
    ['failed', 'failed', true],
    ['failed', 'succeeded', false],
    ['finished', 'succeeded', true],
    ['finished', 'failed', true],
    ['finished', 'cancelled', false],
    ['succeeded', 'cancelled', false],
  ] as const)('when %s, predecessor %s: starts %s', (when, status, starts) => {
    const spec = { ...second, depends_on: [{ job_id: first.job_id, when }] };
    const reason = unmetCondition(spec, new Map([[first.job_id, result(status)]]));
    expect(reason === null).toBe(starts);
    if (reason !== null) expect(reason).toContain(first.job_id);
  });

  it.each([
    ['DependencyNotMet', true], // "if it fails, mend it; either way, tell me": it was not needed
    ['Cancelled', false], // a person stopped it
  ] as const)('finished, after one cancelled as %s: starts %s', (type, starts) => {
    const spec = { ...second, depends_on: [{ job_id: first.job_id, when: 'finished' as const }] };
    const earlier = result('cancelled', { error: { type, message: 'so' } });
    expect(unmetCondition(spec, new Map([[first.job_id, earlier]])) === null).toBe(starts);
  });

  it('needs every predecessor', () => {
    const spec = {
      ...third,
      depends_on: [first, second].map(({ job_id }) => ({ job_id, when: 'succeeded' as const })),
    };
    expect(
      unmetCondition(
        spec,
        new Map([
          [first.job_id, result('succeeded')],
          [second.job_id, result('failed')],
        ]),
      ),
    ).toContain(second.job_id);
  });
});

describe('the combined answer', () => {
  const facts = (list: JobResult[]) => ({
    trace_id: first.trace_id,
    utterance: 'do it',
    started_at: '2026-11-25T00:00:00.000Z',
    jobs: list,
  });

  it('adds up, and one unknown cost makes the sum unknown, never 0', () => {
    const known = combine(
      facts([
        result('succeeded', { cost_usd: 0.25, input_tokens: 3 }),
        result('succeeded', { cost_usd: 0.5, input_tokens: 4 }),
      ]),
      'succeeded',
      null,
    );
    expect(known).toMatchObject({ cost_usd: 0.75, input_tokens: 7 });
    expect(
      combine(facts([result('succeeded', { cost_usd: 1 }), result('failed', { cost_usd: null })]), 'failed', null)
        .cost_usd,
    ).toBeNull();
  });

  it('names the failed branch and why', () => {
    const { summary } = combine(
      facts([
        result('succeeded', { summary: 'renamed it' }),
        result('failed', { agent: 'browser', error: { type: 'Forbidden', message: 'no key' } }),
      ]),
      'partially_succeeded',
      null,
    );
    expect(summary.split('\n')).toEqual(['coding succeeded: renamed it', 'browser failed: Forbidden no key']);
  });

  it('fits in 16 KiB with as many jobs as a task may have, whatever they say and in whatever language', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5_000 }),
      fc.constantFrom('\u0001', '"', '\ud800', '👍', 'x').map((letter) => letter.repeat(2_000)),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom(...JOB_STATUSES), (text, status) => {
        const run = { exit_code: 255, passed: 123_456, failed: 123_456 };
        const job = result(status, {
          agent: 'a'.repeat(40),
          skill: 's'.repeat(40),
          summary: text,
          instruction: text,
          error: { type: 'EnvironmentUnavailable', message: text },
          waiting: {
            kind: 'approval',
            approval_id: `${first.job_id}.100`,
            tool: 't'.repeat(64),
            summary: text,
            expires_at: new Date().toISOString(),
          },
          branch: `dual/${first.job_id}`,
          verification: { status: 'not_worse', command: text, before: run, after: run, rounds: 10 },
          artifacts: Array(20).fill({ sha256: 'a'.repeat(64), name: 'x', media_type: 'y', bytes: 1 }),
        });
        const answer = combine(
          { ...facts(Array<JobResult>(MAX_JOBS_PER_TASK).fill(job)), utterance: cut(text, 600) },
          'failed',
          new Date().toISOString(),
        );
        expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(PAYLOAD_LIMIT_BYTES);
        return answer.jobs.every((one) => one.artifacts.length === 0);
      }),
      { numRuns: 100 },
    );
  });

  it('is what the contract says', () => {
    expect(() => TaskResult.parse(combine(facts([slim(result('running'))]), null, null))).not.toThrow();
  });
});

describe('cutting text to bytes', () => {
  it('never exceeds the limit, never splits a character, and leaves short text alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 60 }), (text, limit) => {
        const shorter = cut(text, limit);
        expect(Buffer.byteLength(shorter)).toBeLessThanOrEqual(limit);
        expect(byteLength(text)).toBe(Buffer.byteLength(JSON.stringify(text)) - 2);
        if (byteLength(text) <= limit) expect(shorter).toBe(text);
        else expect(text.startsWith(shorter.slice(0, -1))).toBe(true);
      }),
    );
  });

  it('says that a price is missing instead of 0', () => {
    expect([money(0.01234), money(null)]).toEqual(['$0.0123', 'unknown (a price is missing)']);
  });
});
