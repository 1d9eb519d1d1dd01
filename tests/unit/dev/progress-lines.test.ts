import { describe, expect, it } from '@jest/globals';
import { PHASES } from '../../../contracts/names.ts';
import { progressLine, testRunText } from '../../../dev/progress-lines.ts';
import { TRACE_ID, event } from '../../fixtures/dev/fake-task.ts';

const ofJob = { job_id: `${TRACE_ID}-2`, agent: 'browser' };

describe('progress lines', () => {
  it('tell what a turn asked for, and its words when it asked for nothing', () => {
    const turn = { ...ofJob, phase: 'model_turn' as const, input_tokens: 812, output_tokens: 90 };
    expect(
      progressLine(event(1, { ...turn, payload: { turn: 2, text: 'x', tool_calls: ['click Sign in', 'wait'] } })),
    ).toBe('  browser 2    turn 2 (812 tokens in, 90 out): click Sign in; wait');
    expect(progressLine(event(1, { ...turn, payload: { turn: 3, text: 'All\nfine.', tool_calls: [] } }))).toBe(
      '  browser 2    turn 3 (812 tokens in, 90 out): All fine.',
    );
  });

  it('tell of tools that failed, tests and endings', () => {
    const tool = { ...ofJob, phase: 'tool_call' as const, payload: { summary: 'open /', unknown: false } };
    expect(progressLine(event(1, tool))).toBeNull();
    expect(progressLine(event(1, { ...tool, error_type: 'ToolFailed' }))).toBe('  browser 2      open /: failed');
    expect(progressLine(event(1, { ...tool, payload: { summary: 'open /', unknown: true } }))).toContain(
      'outcome unknown',
    );
    const verified = {
      rehearsal: true,
      status: 'passed',
      command: 'npm test',
      before: null,
      after: { exit_code: 0, passed: 3, failed: 0 },
      rounds: 1,
    };
    expect(progressLine(event(1, { ...ofJob, phase: 'verified', payload: verified }))).toContain(
      'tests before: not run; after: 3 passed, 0 failed (passed)',
    );
    expect(progressLine(event(1, { phase: 'failed', error_type: 'BudgetExceeded' }))).toBe(
      '  task         failed: BudgetExceeded',
    );
    expect(testRunText({ exit_code: 3, passed: null, failed: null })).toBe('exit code 3');
  });

  it('are at most one short line for every phase, whatever the payload', () => {
    for (const phase of PHASES) {
      const line =
        progressLine(event(1, { ...ofJob, phase, payload: { summary: 'y\n'.repeat(500), text: 'z'.repeat(5_000) } })) ??
        '';
      expect(line.split('\n')).toHaveLength(1);
      expect(line.length).toBeLessThan(170);
    }
  });
});
