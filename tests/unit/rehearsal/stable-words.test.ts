import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createStableWords } from '../../../rehearsal/speech/stable-words.ts';

const told = (hypotheses: string[]): (string | null)[] => {
  const words = createStableWords();
  return hypotheses.map((hypothesis) => words.update(hypothesis));
};

describe('stable words', () => {
  it('hold back the newest word, and what two hypotheses do not agree on', () => {
    expect(told(['re', 'refactor', 'refactor the', 'refactor the a', 'refactor the API and'])).toEqual([
      null,
      null,
      'refactor',
      'refactor the',
      null,
    ]);
    expect(told(['batch the', 'refactor the api', 'refactor the API and'])).toEqual([null, null, 'refactor the']);
  });

  it('only ever grow, whatever is thought of next', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 })), (hypotheses) => {
        let last = '';
        for (const text of told(hypotheses.map((words) => words.join(' ')))) {
          if (text === null) continue;
          expect(text.startsWith(last)).toBe(true);
          expect(text.length).toBeGreaterThan(last.length);
          last = text;
        }
      }),
    );
  });
});
