import { describe, expect, it } from '@jest/globals';
import { createBackoff } from '../../../dev/backoff.ts';

describe('backoff', () => {
  it('restarts at once the first time, then doubles up to the cap', () => {
    const backoff = createBackoff({ baseMs: 500, capMs: 3_000, calmMs: 10_000 });
    expect([1, 1, 1, 1, 1, 1].map((lived) => backoff.next(lived))).toEqual([0, 500, 1_000, 2_000, 3_000, 3_000]);
  });

  it('forgives earlier deaths after a long life', () => {
    const backoff = createBackoff({ baseMs: 500, capMs: 3_000, calmMs: 10_000 });
    backoff.next(5);
    backoff.next(5);
    expect(backoff.next(10_000)).toBe(0);
    expect(backoff.next(9_999)).toBe(500);
  });
});
