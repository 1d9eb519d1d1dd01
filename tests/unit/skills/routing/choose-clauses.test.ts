import { describe, expect, it } from '@jest/globals';
import { chooseClauses } from '../../../../skills/routing/choose-clauses.ts';
import type { Clause, Fit } from '../../../../skills/routing/choose-clauses.ts';
import { piecesOf, textOf } from '../../../../skills/routing/split.ts';

const labels = ['red', 'blue'];
/** Fits a label by the share of its words. */
const byWords = (text: string): Fit => {
  const words = text.split(/\W+/).filter((word) => word !== 'and' && word !== 'then');
  return {
    scores: labels.map((label) => words.filter((word) => word === label).length / Math.max(1, words.length)),
    verbatim: false,
  };
};
const noVerbs = new Set<string>();

const choose = async (
  text: string,
  { fit = byWords, most = 8, verbs = noVerbs, mustCut = (_at: number): boolean => false } = {},
): Promise<Clause[]> => {
  const pieces = piecesOf(text, verbs);
  const stretch = (from: number, end: number) => {
    const said = textOf(text, pieces.slice(from, end));
    return { text: said, meant: said };
  };
  return chooseClauses(pieces, stretch, fit, mustCut, most, async () => undefined);
};
const texts = async (...rest: Parameters<typeof choose>): Promise<string[]> =>
  (await choose(...rest)).map(({ text }) => text);

describe('chooseClauses', () => {
  it('cuts where the pieces disagree and nowhere else', async () => {
    expect(await texts('red red and blue blue')).toEqual(['red red', 'blue blue']);
    expect(await texts('red red and red, red and blue')).toEqual(['red red and red, red', 'blue']);
  });

  it('hears the pieces of a clause that as a whole seems sure', async () => {
    const fit = (text: string): Fit => {
      const [red = 0, blue = 0] = byWords(text).scores;
      return { scores: red > blue ? [0.9, 0.05] : [0.05, 0.9], verbatim: false };
    };
    expect(await texts('red red red and blue blue', { fit })).toEqual(['red red red', 'blue blue']);
  });

  it('leaves a known line whole', async () => {
    const line = 'red red red and blue blue blue';
    const fit = (text: string): Fit => (text === line ? { scores: [1, 0], verbatim: true } : byWords(text));
    expect(await texts(line)).toHaveLength(2);
    expect(await texts(line, { fit })).toEqual([line]);
  });

  it('cuts alike neighbours at "then", not at "and"', async () => {
    expect(await texts('red red red and red red red')).toHaveLength(1);
    expect(await texts('red red red then red red red')).toEqual(['red red red', 'red red red']);
  });

  it('cuts alike neighbours that are two for certain', async () => {
    const text = 'red red red and red red red';
    expect(await texts(text, { mustCut: (at) => at === 1 })).toEqual(['red red red', 'red red red']);
  });

  it('a cut that only a verb marks needs a greater gain than one at "and", and that one some gain', async () => {
    const ten = 'one two three four five six seven eight nine';
    /** How well the whole may fit, in hundredths, for two clauses that fit by 0.75 each to be better. */
    const limit = async (joint: string): Promise<number> => {
      for (let whole = 75; whole >= 0; whole--) {
        const fit = (text: string): Fit => ({
          scores: [text.includes('nine') && text.includes('go') ? whole / 100 : 0.75],
          verbatim: false,
        });
        if (
          (await texts(`ten ${ten}${joint} go ${ten.replace('nine', 'ten')}`, { fit, verbs: new Set(['go']) })).length >
          1
        )
          return whole;
      }
      return -1;
    };
    const [strong, weak] = [await limit(' and'), await limit('')];
    expect(strong).toBeLessThan(75);
    expect(weak).toBeLessThan(strong);
    expect(weak).toBeGreaterThan(0);
  });

  it('what must not be done stands alone, even beside what is alike', async () => {
    const clauses = await choose('red red, do not red red, red red');
    expect(clauses.map(({ text, negated }) => [text, negated])).toEqual([
      ['red red', false],
      ['do not red red', true],
      ['red red', false],
    ]);
  });

  it('never makes more clauses than allowed, and loses no piece', async () => {
    const text = 'red and blue and red and blue and red and blue';
    const clauses = await texts(text, { most: 3 });
    expect(clauses.length).toBeLessThanOrEqual(3);
    expect(clauses.join(' and ')).toBe(text);
    expect(await texts(Array(24).fill('red and blue').join('. '), { most: 1 })).toHaveLength(1);
  });

  it('says where a clause is and how it hangs on the one before', async () => {
    expect(await choose('red red. Then blue if it fails')).toMatchObject([
      { start: 0, end: 7, link: 'with', trailing: null, fresh: true },
      { start: 14, end: 18, link: 'succeeded', trailing: 'failed' },
    ]);
  });

  it('of nothing makes nothing', async () => {
    expect(await texts('')).toEqual([]);
  });
});
