import { describe, expect, it } from '@jest/globals';
import * as names from '../../contracts/names.ts';

/** Each literal is what running workflows, recorded histories and other programs know. A change here needs an ADR. */
describe('wire names', () => {
  it('workflows, queues, activities, signals, updates, queries', () => {
    expect(names.WORKFLOWS).toEqual({ voiceTask: 'voiceTask', agentJob: 'agentJob' });
    expect(names.QUEUES).toEqual({
      workflows: 'dual-workflows',
      models: 'dual-models',
      coding: 'dual-coding',
      browser: 'dual-browser',
    });
    expect(Object.values(names.ACTIVITIES)).toEqual([
      'modelTurn',
      'openSession',
      'runTools',
      'closeSession',
      'verifyJob',
      'recordTrace',
    ]);
    expect(names.SIGNALS).toEqual({ cancelJob: 'cancelJob', steer: 'steer' });
    expect(names.UPDATES).toEqual({ approve: 'approve', addBudget: 'addBudget' });
    expect(names.QUERIES).toEqual({ status: 'status' });
  });

  it('ids', () => {
    const trace = 'a'.repeat(32);
    expect(names.voiceTaskId(trace)).toBe(`voice-${trace}`);
    expect(names.jobIdOf(trace, 2)).toBe(`${trace}-2`);
    expect(names.agentJobId(`${trace}-2`)).toBe(`job-${trace}-2`);
    expect(names.ownerQueue('coding', 'host1')).toBe('dual-coding-host1');
  });

  it('search attributes', () => {
    expect(names.SEARCH_ATTRIBUTES).toEqual({
      TraceId: 'KEYWORD',
      SessionId: 'KEYWORD',
      Agent: 'KEYWORD',
      Outcome: 'KEYWORD',
      Utterance: 'KEYWORD',
      CostUsd: 'DOUBLE',
    });
  });

  it('the closed catalogue of failures, and which of them are final', () => {
    expect([...names.FAILURE_TYPES]).toEqual(
      'BadInput Forbidden NotFound RateLimited ProviderUnavailable ProviderRefused BudgetExceeded ApprovalRejected EnvironmentBusy EnvironmentUnavailable SessionLost ToolFailed VerificationFailed DependencyNotMet MergeConflict Cancelled PayloadTooLarge Internal'.split(
        ' ',
      ),
    );
    const canBeMended = names.FAILURE_TYPES.filter((type) => !names.FINAL_FAILURES.some((final) => final === type));
    expect(canBeMended).toEqual(['RateLimited', 'ProviderUnavailable', 'EnvironmentBusy', 'Internal']);
    expect(names.FINAL_FAILURES).toContain('PayloadsTooLarge');
  });

  it('trace phases, outcomes, statuses, cost sources', () => {
    expect(names.PHASES.join(' ')).toBe(
      'captured speech_start first_partial final spooled acked partial received routed declined clarify control submitted running model_turn tool_call approval_requested approved rejected verified succeeded failed cancelled completed',
    );
    expect(names.JOB_STATUSES.join(' ')).toBe('pending running awaiting_approval succeeded failed cancelled');
    expect(names.TASK_OUTCOMES.join(' ')).toBe('succeeded partially_succeeded failed cancelled');
    expect(names.COST_SOURCES.join(' ')).toBe('priced rehearsal unknown uncertain');
    expect(names.DEPENDENCY_CONDITIONS.join(' ')).toBe('succeeded failed finished');
  });
});
