import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { locate } from '../../../../skills/routing/locate.ts';

const found = (stretch: string, sentence: string, from = 0): string | null => {
  const span = locate(stretch, sentence, from);
  return span && sentence.slice(...span);
};

describe('where a stretch stands in a sentence', () => {
  it.each([
    ['validate the website', 'Refactor it, and validate the website.', 'validate the website'],
    ['VALIDATE  the website!', 'Refactor it, and validate the website.', 'validate the website'],
    ["don't deploy", 'Please don’t deploy.', 'don’t deploy'],
    ['call `foo()`', 'now call `foo()`, then stop', 'call `foo()`'],
    ['rename src api.ts', 'rename src/api.ts to lib', 'rename src/api.ts'],
    ['修复 测试', '请 修复 测试。', '修复 测试。'],
  ])('%s', (stretch, sentence, text) => {
    expect(found(stretch, sentence)).toBe(text);
  });

  it.each([
    ['validate the site', 'validate the website'],
    ['website the', 'validate the website'],
    ['', 'validate'],
    ['...', 'validate ...'],
    ['validate the website now', 'validate the website'],
  ])('not: %j in %j', (stretch, sentence) => {
    expect(found(stretch, sentence)).toBeNull();
  });

  it('finds the second of two alike when the first is taken', () => {
    const sentence = 'run the tests, fix it, run the tests';
    expect(locate('run the tests', sentence, 13)).toEqual([23, 36]);
    expect(locate('run the tests', sentence, 30)).toBeNull();
  });

  it('finds every run of words of any sentence, within it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.nat(10), fc.nat(10), (sentence, first, count) => {
        const words = sentence.match(/[\p{L}\p{N}]+/gu) ?? [];
        const stretch = words.slice(first, first + count + 1).join(' ');
        const span = locate(stretch, sentence, 0);
        if (stretch === '') return span === null;
        return span !== null && span[0] >= 0 && span[0] < span[1] && span[1] <= sentence.length;
      }),
    );
  });
});
