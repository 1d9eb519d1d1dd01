import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../../edge/backoff.ts';

describe('backoff', () => {
  it('doubles up to its bound, and takes any part of it', () => {
    const longest = (attempt: number): number =>
      backoffMs(attempt, { firstMs: 250, mostMs: 15_000, random: () => 0.99999 });
    expect([0, 1, 2, 3, 4, 5, 6, 7, 100].map(longest)).toEqual([
      249, 499, 999, 1_999, 3_999, 7_999, 14_999, 14_999, 14_999,
    ]);
    expect(backoffMs(5, { firstMs: 250, mostMs: 15_000, random: () => 0 })).toBe(0);
  });

  it('stays a number after a thousand failures', () => {
    expect(backoffMs(1_024, { firstMs: 0, mostMs: 0 })).toBe(0);
    expect(backoffMs(5_000, { firstMs: 250, mostMs: 10_000, random: () => 0.5 })).toBe(5_000);
  });

  it('is never negative, never longer than it may be, whatever the count', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(60_000), fc.nat(60_000), (attempt, firstMs, mostMs) => {
        const ms = backoffMs(attempt, { firstMs, mostMs });
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(mostMs);
      }),
    );
  });
});
