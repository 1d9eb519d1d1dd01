import { describe, expect, it } from '@jest/globals';
import { costText, cutLines, demoReport, shortcomings } from '../../../dev/demo-report.ts';
import { DIFF, TRACE_ID, workedTask } from '../../fixtures/dev/fake-task.ts';

const DIFFS = new Map([[`${TRACE_ID}-1`, DIFF]]);

describe('whether the demo worked', () => {
  it('finds nothing missing when both jobs really did something', () => {
    expect(shortcomings(workedTask(), DIFFS)).toEqual([]);
  });

  it.each([
    [
      'the task failed',
      (task: ReturnType<typeof workedTask>) => ({ ...task, status: 'partially_succeeded' as const }),
      /ended as partially_succeeded/,
    ],
    [
      'a job failed',
      (task: ReturnType<typeof workedTask>) => ({
        ...task,
        jobs: task.jobs.map((job) => ({
          ...job,
          status: 'failed' as const,
          error: { type: 'ToolFailed' as const, message: 'no luck' },
        })),
      }),
      /\(coding\) failed: no luck/,
    ],
    [
      'no branch',
      (task: ReturnType<typeof workedTask>) => ({ ...task, jobs: task.jobs.map((job) => ({ ...job, branch: null })) }),
      /no branch/,
    ],
    [
      'no screenshot',
      (task: ReturnType<typeof workedTask>) => ({ ...task, jobs: task.jobs.map((job) => ({ ...job, artifacts: [] })) }),
      /no screenshot/,
    ],
    [
      'no browser job',
      (task: ReturnType<typeof workedTask>) => ({ ...task, jobs: task.jobs.slice(0, 1) }),
      /no browser job/,
    ],
    [
      'no coding job',
      (task: ReturnType<typeof workedTask>) => ({ ...task, jobs: task.jobs.slice(1) }),
      /no coding job/,
    ],
  ])('names it: %s', (_name, spoil, expected) => {
    const missing = shortcomings(spoil(workedTask()), DIFFS);
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.join('\n')).toMatch(expected);
  });

  it('does not take an empty diff for work', () => {
    expect(shortcomings(workedTask(), new Map([[`${TRACE_ID}-1`, '\n']]))).toEqual(['the coding job changed nothing']);
  });
});

describe('the report', () => {
  const facts = {
    task: workedTask(),
    diffs: DIFFS,
    reports: new Map([[`${TRACE_ID}-2`, 'Found a broken link.']]),
    artifactDir: '/a',
    traceDir: '/t',
    repository: '/r',
  };

  it('shows diff, tests, evidence, tokens, cost, trace id and where to look', () => {
    const text = demoReport(facts);
    for (const part of [
      '+new line',
      'npm test: before 11 passed, 1 failed; after 12 passed, 0 failed',
      'Found a broken link.',
      'coding is done',
      `/a/ff/${'f'.repeat(64)}`,
      '2,000 in, 100 out',
      'none: rehearsal',
      TRACE_ID,
      `git -C /r show dual/${TRACE_ID}-1`,
    ])
      expect(text).toContain(part);
  });

  it('never says 0 for an unknown price', () => {
    expect(costText(null, false)).toMatch(/^unknown/);
    expect(costText(0.0123, false)).toBe('$0.0123');
    expect(costText(0.5, true)).toBe('$0.5000 (a rehearsal model took part)');
  });

  it('cuts what is long and says so', () => {
    expect(cutLines('a\nb\nc\nd\n', 2, '> ')).toBe('> a\n> b\n> … 2 more lines in the artifact');
    expect(cutLines('a\n', 2, '> ')).toBe('> a');
  });
});
