import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { toFailure } from '../../../activities/failures.ts';
import { ModelError } from '../../../activities/models/model.ts';
import { FAILURE_TYPES } from '../../../contracts/names.ts';
import { OperationError } from '../../../platform/errors.ts';
import { createScrub } from '../../../platform/secrets.ts';

const applicationFailure = (error: unknown): ApplicationFailure => {
  const failure = toFailure(error, createScrub([]));
  if (!(failure instanceof ApplicationFailure)) throw new Error('not an ApplicationFailure');
  return failure;
};

describe('toFailure', () => {
  const RETRYABLE = ['RateLimited', 'ProviderUnavailable', 'EnvironmentBusy', 'Internal'];

  it.each(FAILURE_TYPES)('%s keeps its type and whether trying again can help', (type) => {
    const failure = applicationFailure(new OperationError(type, 'why'));
    expect(failure).toMatchObject({ type, message: 'why', nonRetryable: !RETRYABLE.includes(type) });
    expect(failure.nextRetryDelay).toBeUndefined();
  });

  it("a provider's wish for patience becomes the next retry's delay", () => {
    const busy = new ModelError('RateLimited', 'slow down', { retryable: true, retryAfterMs: 7_000 });
    expect(applicationFailure(busy)).toMatchObject({ type: 'RateLimited', nonRetryable: false, nextRetryDelay: 7_000 });
    const final = new ModelError('Forbidden', 'no', { retryable: false, retryAfterMs: 7_000, status: 403 });
    expect(applicationFailure(final)).toMatchObject({ type: 'Forbidden', nonRetryable: true });
    expect(applicationFailure(final).nextRetryDelay).toBeUndefined();
  });

  it('an Internal failure can be declared final', () => {
    expect(applicationFailure(new OperationError('Internal', 'damaged', { retryable: false })).nonRetryable).toBe(true);
  });

  it.each([[new Error('disk on fire')], ['a thrown string'], [undefined], [new TypeError('x is not a function')]])(
    'anything else is Internal and may be tried again: %p',
    (error) => {
      expect(applicationFailure(error)).toMatchObject({ type: 'Internal', nonRetryable: false });
    },
  );

  it('a cancellation and a failure that is one already pass through', () => {
    const cancelled = new CancelledFailure('stop');
    expect(toFailure(cancelled, createScrub([]))).toBe(cancelled);
    const failure = ApplicationFailure.nonRetryable('no', 'BadInput');
    expect(toFailure(failure, createScrub([]))).toBe(failure);
  });

  it('messages are cut to 1,000 characters and free of secrets; no cause travels along', () => {
    const secret = 'hunter2-hunter2';
    const error = new OperationError('ToolFailed', `${secret} sk-ant-abcdefghijklmnop1234 ${'x'.repeat(5_000)}`, {
      cause: new Error(secret),
    });
    const failure = toFailure(error, createScrub([secret])) as ApplicationFailure;
    expect(failure.message).toHaveLength(1_000);
    expect(failure.message).not.toContain(secret);
    expect(failure.message).not.toContain('abcdefghijklmnop1234');
    expect(failure.cause).toBeUndefined();
    expect(failure.stack).not.toContain(secret);
    expect(applicationFailure(new Error('key AIzaSyA1234567890abcdefghijklmnop')).message).toBe('key [secret]');
  });
});
