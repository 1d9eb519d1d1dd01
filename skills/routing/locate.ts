interface Word {
  key: string;
  start: number;
  end: number;
}

const wordsAt = (text: string): Word[] =>
  [...text.matchAll(/[\p{L}\p{N}]+/gu)].map(({ 0: word, index }) => ({
    key: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));

/** Marks that belong to the sentence around a stretch, not to the stretch. */
const isOutside = (mark: string): boolean => /[\s,;:.!?…]/u.test(mark);

/**
 * Where a stretch stands in a sentence, as [start, end) in characters, at or after character `from`; null when its
 * words are not said there in this order, one after the other. Case, spacing and marks do not count; brackets and quotes
 * that touch it belong to it.
 */
export const locate = (stretch: string, sentence: string, from: number): [number, number] | null => {
  const wanted = wordsAt(stretch);
  const said = wordsAt(sentence);
  if (wanted.length === 0) return null;
  const at = said.findIndex(
    ({ start }, i) => start >= from && wanted.every(({ key }, offset) => said[i + offset]?.key === key),
  );
  const first = said[at];
  const last = said[at + wanted.length - 1];
  if (!first || !last) return null;
  let { start } = first;
  let { end } = last;
  while (start > 0 && !isOutside(sentence.charAt(start - 1))) start--;
  while (end < sentence.length && !isOutside(sentence.charAt(end))) end++;
  return [start, end];
};
