import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseClauses, piecesOf } from '../../../../skills/routing/split.ts';
import type { Fit, Link } from '../../../../skills/routing/split.ts';

const cut = (text: string): [string, Link, Link | null][] =>
  piecesOf(text).map(({ start, end, link, trailing }) => [text.slice(start, end), link, trailing]);

describe('piecesOf', () => {
  it.each<[string, [string, Link, Link | null][]]>([
    ['one order', [['one order', 'with', null]]],
    [
      'do this and that',
      [
        ['do this', 'with', null],
        ['that', 'with', null],
      ],
    ],
    [
      'do this, do that.',
      [
        ['do this', 'with', null],
        ['do that', 'with', null],
      ],
    ],
    [
      'do this and then do that',
      [
        ['do this', 'with', null],
        ['do that', 'succeeded', null],
      ],
    ],
    [
      "do this. Once that's done, do that",
      [
        ['do this', 'with', null],
        ['do that', 'succeeded', null],
      ],
    ],
    [
      'do this, if it fails do that',
      [
        ['do this', 'with', null],
        ['do that', 'failed', null],
      ],
    ],
    [
      'do this if it fails do that',
      [
        ['do this', 'with', null],
        ['do that', 'failed', null],
      ],
    ],
    [
      'do this and do that if it fails',
      [
        ['do this', 'with', null],
        ['do that', 'with', 'failed'],
      ],
    ],
    [
      'do this, do that if it fails and sing',
      [
        ['do this', 'with', null],
        ['do that', 'with', 'failed'],
        ['sing', 'with', null],
      ],
    ],
    [
      'do this; either way do that',
      [
        ['do this', 'with', null],
        ['do that', 'finished', null],
      ],
    ],
    ['go to the next page', [['go to the next page', 'with', null]]],
    [
      'do this. Next, do that',
      [
        ['do this', 'with', null],
        ['do that', 'succeeded', null],
      ],
    ],
    [
      'edit api.ts and v1.2 of example.com',
      [
        ['edit api.ts', 'with', null],
        ['v1.2 of example.com', 'with', null],
      ],
    ],
    ['and then', []],
    ['then do it', [['do it', 'succeeded', null]]],
    [
      'say "this, and that"',
      [
        ['say "this', 'with', null],
        ['that', 'with', null],
      ],
    ],
  ])('%s', (text, pieces) => {
    expect(cut(text)).toEqual(pieces);
  });

  it('any text: at most 24 pieces, in order, none empty, none overlapping', () => {
    const words = fc.constantFrom('and', 'then', 'if', 'it', 'fails', 'run', ',', '.', 'either', 'way', '-', 'x.');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words, { maxLength: 200 }).map((list) => list.join(' ')),
        ),
        (text) => {
          const pieces = piecesOf(text);
          expect(pieces.length).toBeLessThanOrEqual(24);
          let last = 0;
          for (const { start, end } of pieces) {
            expect(start).toBeGreaterThanOrEqual(last);
            expect(end).toBeGreaterThan(start);
            expect(text.slice(start, end).trim()).toBe(text.slice(start, end));
            last = end;
          }
        },
      ),
    );
  });

  it.each(['do this and ', 'do this, ', 'do this. Then '])('100 times "%s" is 24 pieces at most', (text) => {
    expect(piecesOf(text.repeat(100)).length).toBeLessThanOrEqual(24);
  });

  it('keeps the strong cuts of a long speech', () => {
    const text = `${'so and so and '.repeat(20)}. Then do that`;
    expect(cut(text).at(-1)).toEqual(['do that', 'succeeded', null]);
  });
});

describe('chooseClauses', () => {
  const labels = ['red', 'blue'];
  /** Fits a label by the share of its words. */
  const fit = (text: string): Fit => {
    const words = text.split(/\W+/).filter((word) => word !== 'and');
    return {
      scores: labels.map((label) => words.filter((word) => word === label).length / words.length),
      verbatim: false,
    };
  };
  const choose = async (text: string, most = 8): Promise<string[]> =>
    (await chooseClauses(text, piecesOf(text), fit, most, async () => undefined)).map((clause) => clause.text);

  it('cuts where the pieces disagree and nowhere else', async () => {
    expect(await choose('red red and blue blue')).toEqual(['red red', 'blue blue']);
    expect(await choose('red red and red, red and blue')).toEqual(['red red and red, red', 'blue']);
  });

  it('hears the pieces of a clause that as a whole seems sure', async () => {
    const sure = (text: string): Fit => {
      const [red = 0, blue = 0] = fit(text).scores;
      return { scores: red > blue ? [0.9, 0.05] : [0.05, 0.9], verbatim: false };
    };
    const text = 'red red red and blue blue';
    const clauses = await chooseClauses(text, piecesOf(text), sure, 8, async () => undefined);
    expect(clauses.map((clause) => clause.text)).toEqual(['red red red', 'blue blue']);
  });

  it('leaves a known line whole', async () => {
    const known = (text: string): Fit => (text === 'red and blue' ? { scores: [1, 0], verbatim: true } : fit(text));
    const clauses = await chooseClauses('red and blue', piecesOf('red and blue'), known, 8, async () => undefined);
    expect(clauses.map((clause) => clause.text)).toEqual(['red and blue']);
  });

  it('never makes more clauses than allowed, and loses no piece', async () => {
    const clauses = await choose('red and blue and red and blue and red and blue', 3);
    expect(clauses.length).toBeLessThanOrEqual(3);
    expect(clauses.join(' and ')).toBe('red and blue and red and blue and red and blue');
  });

  it('of nothing makes nothing', async () => {
    expect(await choose('')).toEqual([]);
  });
});
