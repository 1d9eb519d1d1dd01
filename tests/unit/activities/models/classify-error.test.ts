import { describe, expect, it } from '@jest/globals';
import { classifyFault, retryAfterOf, retryInfoOf } from '../../../../activities/models/classify-error.ts';
import type { ProviderFault } from '../../../../activities/models/classify-error.ts';

const fault = (change: Partial<ProviderFault>): ProviderFault => ({
  provider: 'Anthropic',
  status: 500,
  message: 'words',
  retryAfterMs: null,
  sent: true,
  ...change,
});

describe('classifyFault', () => {
  it.each([
    [400, 'BadInput', false],
    [401, 'Forbidden', false],
    [402, 'Forbidden', false],
    [403, 'Forbidden', false],
    [404, 'NotFound', false],
    [405, 'BadInput', false],
    [408, 'ProviderUnavailable', true],
    [409, 'ProviderUnavailable', true],
    [413, 'PayloadTooLarge', false],
    [418, 'BadInput', false],
    [422, 'BadInput', false],
    [425, 'ProviderUnavailable', true],
    [429, 'RateLimited', true],
    [500, 'ProviderUnavailable', true],
    [501, 'ProviderUnavailable', true],
    [502, 'ProviderUnavailable', true],
    [503, 'ProviderUnavailable', true],
    [504, 'ProviderUnavailable', true],
    [524, 'ProviderUnavailable', true],
    [529, 'ProviderUnavailable', true],
    [599, 'ProviderUnavailable', true],
  ])('%d is %s, retryable: %p', (status, type, retryable) => {
    const error = classifyFault(fault({ status, retryAfterMs: 3_000 }));
    expect(error).toMatchObject({ type, retryable, status, mayBeBilled: false });
    expect(error.retryAfterMs).toBe(retryable ? 3_000 : null);
    expect(error.message).toBe(`Anthropic answered ${status}: words`);
  });

  it('no answer may be tried again, and may be billed once the request had left', () => {
    const cut = classifyFault(fault({ status: null, message: 'terminated' }));
    expect(cut).toMatchObject({ type: 'ProviderUnavailable', retryable: true, status: null, mayBeBilled: true });
    expect(classifyFault(fault({ status: null, sent: false })).mayBeBilled).toBe(false);
  });

  it('messages are one line of bounded length', () => {
    const { message } = classifyFault(fault({ status: 400, message: `a\n${'b'.repeat(9_000)}` }));
    expect(message).toMatch(/^Anthropic answered 400: a b+…$/);
    expect(message.length).toBeLessThan(600);
  });
});

describe('retryAfterOf', () => {
  const NOW = Date.parse('2026-11-25T12:00:00Z');
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '86400' }, 300_000],
    [{ 'retry-after': 'Wed, 25 Nov 2026 12:00:09 GMT' }, 9_000],
    [{ 'retry-after': 'Wed, 25 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after-ms': 'x', 'retry-after': '9' }, 9_000],
    [{ 'retry-after-ms': '99999999' }, 300_000],
  ])('%j is %p ms', (headers, ms) => {
    expect(retryAfterOf((name) => headers[name] ?? null, NOW)).toBe(ms);
  });
});

describe('retryInfoOf', () => {
  const info = (retryDelay: unknown) => [{ '@type': 'x.QuotaFailure' }, { '@type': 'x.RetryInfo', retryDelay }];
  it.each<[unknown[], number | null]>([
    [[], null],
    [info('13s'), 13_000],
    [info('0.4s'), 400],
    [info('4000s'), 300_000],
    [info('soon'), null],
    [info(7), null],
    [['text', null, 3], null],
  ])('%j is %p ms', (details, ms) => {
    expect(retryInfoOf(details)).toBe(ms);
  });
});
