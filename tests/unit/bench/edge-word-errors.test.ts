import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wordErrors } from '../../../bench/edge-word-errors.ts';

const errors = (said: string, heard: string): number =>
  wordErrors(said.split(' ').filter(Boolean), heard.split(' ').filter(Boolean));

describe('wordErrors', () => {
  it.each([
    ['run the tests', 'run the tests', 0],
    ['run the tests', 'run a test', 2],
    ['run the tests', 'run tests', 1],
    ['run the tests', 'please run the tests', 1],
    ['run the tests', 'tests the run', 2],
    ['run the tests', '', 3],
    ['', 'run', 1],
  ])('"%s" heard as "%s": %d', (said, heard, count) => {
    expect(errors(said, heard)).toBe(count);
  });

  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
  it('is a distance', () => {
    fc.assert(
      fc.property(words, words, words, (a, b, c) => {
        expect(wordErrors(a, b)).toBe(wordErrors(b, a));
        expect(wordErrors(a, c)).toBeLessThanOrEqual(wordErrors(a, b) + wordErrors(b, c));
        expect(wordErrors(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(wordErrors(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(wordErrors(a, b) === 0).toBe(a.join() === b.join());
      }),
    );
  });
});
