/** Text that only grows, of hypotheses that change. */
export interface StableWords {
  /** The next hypothesis; answers with all words that can be told, or null when there are no more than before. */
  update(hypothesis: string): string | null;
  /** The last hypothesis: all of it, behind what was told already. */
  finish(text: string): string;
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

const commonLength = (a: readonly string[], b: readonly string[]): number => {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
};

/** A word is told when two hypotheses agree on it and it is not the newest: the newest is still being said. */
export const createStableWords = (): StableWords => {
  let last: string[] = [];
  let told: string[] = [];
  return {
    update: (hypothesis) => {
      const words = wordsOf(hypothesis);
      const agreed = Math.min(commonLength(words, last), words.length - 1);
      last = words;
      // What was told stands, even where the decoder now thinks otherwise.
      if (agreed <= told.length) return null;
      told = [...told, ...words.slice(told.length, agreed)];
      return told.join(' ');
    },
    finish: (text) => wordsOf(text).join(' '),
  };
};
