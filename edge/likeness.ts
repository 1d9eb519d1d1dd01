/** Letters that are compared: what a person says in about twenty seconds. */
const MAX_LETTERS = 400;

const lettersOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}]/gu, '')
    .slice(0, MAX_LETTERS);

/**
 * How little of `heard` must be changed, by its letters, to be some stretch of `said`: 0 for none of it, 1 for all. A
 * recogniser that understands "the cutting edge and wants to push" heard "the coding agent wants to push" (0.2).
 */
export const unlikeness = (heard: string, said: string): number => {
  const wanted = lettersOf(heard);
  const given = lettersOf(said);
  if (wanted === '') return 1;
  // Any beginning in `said` is as good as another, and so is any end.
  let row = new Array<number>(given.length + 1).fill(0);
  for (let i = 0; i < wanted.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < given.length; j += 1) {
      const changed = (row[j] ?? 0) + (wanted[i] === given[j] ? 0 : 1);
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, changed));
    }
    row = next;
  }
  return Math.min(...row) / wanted.length;
};
