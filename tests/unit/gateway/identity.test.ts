import { describe, expect, it } from '@jest/globals';
import { bodyHashOf, timestampMs, traceIdOf } from '../../../gateway/identity.ts';

describe('identity', () => {
  it('computes the trace id as the edge does: a wire fact, pinned as a literal', () => {
    expect(traceIdOf('utterance-1')).toBe('5b579ceb5ca2f0a104a4d734daf808e6');
    expect(traceIdOf('utterance-1')).toBe(traceIdOf('utterance-1'));
  });

  it('is random without an utterance id', () => {
    expect(traceIdOf(undefined)).toMatch(/^[0-9a-f]{32}$/);
    expect(traceIdOf(undefined)).not.toBe(traceIdOf(undefined));
  });

  it('tells bodies apart by text and by session, and nothing runs together', () => {
    const hashes = [
      bodyHashOf('a', undefined),
      bodyHashOf('a', 'null'),
      bodyHashOf('a', ''),
      bodyHashOf('b', undefined),
    ];
    expect(new Set(hashes).size).toBe(4);
    expect(bodyHashOf('a', 's')).toBe(bodyHashOf('a', 's'));
  });

  it.each([
    ['2026-11-25T10:00:00Z', Date.UTC(2026, 10, 25, 10)],
    ['2026-11-25T11:00:00+01:00', Date.UTC(2026, 10, 25, 10)],
    [1_795_600_800, 1_795_600_800_000],
    [1_795_600_800_123, 1_795_600_800_123],
  ])('reads the timestamp %p', (timestamp, ms) => {
    expect(timestampMs(timestamp)).toBe(ms);
  });
});
