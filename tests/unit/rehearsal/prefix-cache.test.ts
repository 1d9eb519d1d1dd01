import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPrefixCache, MIN_CACHED_TOKENS } from '../../../rehearsal/prefix-cache.ts';
import type { PromptBlock } from '../../../rehearsal/prefix-cache.ts';

const block = (text: string, tokens: number, keep: PromptBlock['keep'] = null): PromptBlock => ({ text, tokens, keep });

describe('the prompt cache', () => {
  it('reads the longest marked prefix and writes the rest up to the mark', () => {
    const cache = createPrefixCache();
    const start = [block('tools', 1_000), block('system', 500)];
    expect(cache.use('m', [...start, block('one', 100, '5m')])).toEqual({
      fresh: 0,
      read: 0,
      written5m: 1_600,
      written1h: 0,
    });
    expect(cache.use('m', [...start, block('one', 100), block('two', 50, '5m')])).toEqual({
      fresh: 0,
      read: 1_600,
      written5m: 50,
      written1h: 0,
    });
    expect(cache.use('m', [...start, block('one', 100), block('two', 50, '5m'), block('three', 7)])).toEqual({
      fresh: 7,
      read: 1_650,
      written5m: 0,
      written1h: 0,
    });
  });

  it('knows nothing of other models, other beginnings, or short prompts', () => {
    const cache = createPrefixCache();
    cache.use('m', [block('a', 2_000, '5m')]);
    expect(cache.use('other', [block('a', 2_000, '5m')]).read).toBe(0);
    expect(cache.use('m', [block('b', 1, '5m'), block('a', 2_000, '5m')]).read).toBe(0);
    expect(cache.use('m', [block('short', MIN_CACHED_TOKENS - 1, '5m')])).toEqual({
      fresh: MIN_CACHED_TOKENS - 1,
      read: 0,
      written5m: 0,
      written1h: 0,
    });
  });

  it('forgets after five minutes or an hour, and reading renews', () => {
    let now = 0;
    const cache = createPrefixCache(() => now);
    const short = [block('a', 2_000, '5m')];
    const long = [block('b', 2_000, '1h')];
    expect(cache.use('m', long)).toMatchObject({ written1h: 2_000, written5m: 0 });
    cache.use('m', short);
    now = 240_000;
    expect(cache.use('m', short).read).toBe(2_000);
    now = 480_000;
    expect(cache.use('m', short).read).toBe(2_000);
    now = 900_000;
    expect(cache.use('m', short).read).toBe(0);
    expect(cache.use('m', long).read).toBe(2_000);
  });

  it('accounts for every token, whatever is marked', () => {
    const cache = createPrefixCache();
    const blocks = fc.array(
      fc.record({
        text: fc.constantFrom('a', 'b'),
        tokens: fc.nat(2_000),
        keep: fc.constantFrom(null, '5m' as const, '1h' as const),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(blocks, (prompt) => {
        const { fresh, read, written5m, written1h } = cache.use('m', prompt);
        expect(fresh + read + written5m + written1h).toBe(prompt.reduce((sum, { tokens }) => sum + tokens, 0));
        expect(Math.min(fresh, read, written5m, written1h)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
