import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Link } from '../../../../skills/routing/connectives.ts';
import { piecesOf, textOf } from '../../../../skills/routing/split.ts';
import { wordsIn } from '../../../../skills/routing/speech.ts';

const VERBS = new Set(
  'sing run test fix deploy refactor revert review write document benchmark validate edit'.split(' '),
);
const pieces = (text: string) => piecesOf(text, VERBS);

/** Pieces as "text", "text|link", "text|link|trailing"; `!` before what must not be done, `~` where a verb alone cuts. */
const cut = (text: string): string[] =>
  pieces(text).map(({ start, end, link, trailing, weak, negated }) => {
    const marks = (negated ? '!' : '') + (weak ? '~' : '');
    const links: (Link | null)[] = trailing ? [link, trailing] : link === 'with' ? [] : [link];
    return [marks + text.slice(start, end), ...links].join('|');
  });

describe('piecesOf', () => {
  it.each<[string, string[]]>([
    ['one order', ['one order']],
    ['do this and that', ['do this', 'that']],
    ['do this, do that.', ['do this', 'do that']],
    ['do this and then do that', ['do this', 'do that|succeeded']],
    ["do this. Once that's done, do that", ['do this', 'do that|succeeded']],
    ['do this, if it fails do that', ['do this', 'do that|failed']],
    ['do this if it fails do that', ['do this', 'do that|failed']],
    ['do this and do that if it fails', ['do this', 'do that|with|failed']],
    ['do this, do that if it fails and sing', ['do this', 'do that|with|failed', 'sing']],
    ['do this; either way do that', ['do this', 'do that|finished']],
    ['do it and review it afterwards', ['do it', 'review it|with|succeeded']],
    ['go to the next page', ['go to the next page']],
    ['do this. Next, do that', ['do this', 'do that|succeeded']],
    ['edit api.ts and v1.2 of example.com', ['edit api.ts', 'v1.2 of example.com']],
    ['and then', []],
    ['then do it', ['do it|succeeded']],
    ['say "this, and that"', ['say "this', 'that']],
    ['first write it, then run it', ['write it', 'run it|succeeded']],
    ['both document and benchmark it', ['document', 'benchmark it']],
  ])('%s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['validate staging before you deploy it', ['validate staging', 'deploy it|succeeded']],
    ['before you deploy the API validate staging', ['deploy the API', '~validate staging|first']],
    ['before you deploy it, validate staging', ['deploy it', 'validate staging|first']],
    ['after you have fixed it, deploy it', ['fixed it', 'deploy it|succeeded']],
    ['deploy it, but only after reviewing it', ['deploy it', 'reviewing it|first']],
  ])('a clause of time: %s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['run the tests deploy it', ['run the tests', '~deploy it']],
    ['please run the tests please fix them', ['run the tests', '~fix them']],
    ['run the test suite', ['run the test suite']],
    ['run a fix it does not need', ['run a fix it does not need']],
    ['run unit test files', ['run unit test files']],
    ['tell me how to run it', ['tell me how to run it']],
    ['deploy', ['deploy']],
  ])('a word that begins orders: %s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ["don't deploy anything yet, just fix the types", ["!don't deploy anything yet", 'fix the types']],
    ['fix the types, do not touch it', ['fix the types', '!do not touch it']],
    ['never deploy it but run it', ['!never deploy it', 'run it']],
    ['fix it, no need to run it', ['fix it', '!no need to run it']],
    ['see that staging works, not production', ['see that staging works', '!not production']],
    ['validate staging not production', ['validate staging', '!not production']],
    ['the tests do not pass', ['the tests do not pass']],
    ['it is not there', ['it is not there']],
  ])('what must not be done: %s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['refactor the, no wait, revert the API', ['revert the API']],
    ['um could you please run it thanks, and then, uh, deploy it please', ['run it', 'deploy it|succeeded']],
    ['Run it please. Please fix it, um. Could you deploy it?', ['Run it', 'fix it', 'deploy it']],
  ])('what does not count is in no piece: %s', (text, expected) => {
    expect(cut(text)).toEqual(expected);
  });

  it('knows where a sentence begins', () => {
    expect(pieces('do this, do that. Do more; sing').map(({ fresh }) => fresh)).toEqual([true, false, true, true]);
  });
});

describe('any text', () => {
  const said = fc.constantFrom(
    ...'and then if it fails run , . either way - x. um please like no wait sorry do not deploy the tests but before you'.split(
      ' ',
    ),
  );
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(said, { maxLength: 200 }).map((list) => list.join(' ')),
  );

  it('at most 24 pieces, in order, none empty, none overlapping', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const found = pieces(text);
        expect(found.length).toBeLessThanOrEqual(24);
        let last = 0;
        for (const { start, end } of found) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(start, end).trim()).toBe(text.slice(start, end));
          last = end;
        }
      }),
    );
  });

  it('the words of a piece lie within it, none is set aside, and none is in two pieces', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const counting = new Set(wordsIn(text).flatMap(({ aside, start }) => (aside ? [] : [start])));
        const seen = new Set<number>();
        for (const { start, end, words } of pieces(text)) {
          expect(words[0]?.start).toBe(start);
          expect(words.at(-1)?.end).toBe(end);
          for (const word of words) {
            expect([word.aside, counting.has(word.start), seen.has(word.start)]).toEqual([false, true, false]);
            seen.add(word.start);
          }
        }
      }),
    );
  });
});

describe('a long speech', () => {
  it.each(['do this and ', 'do this, ', 'do this. Then ', 'do not do it, '])(
    '100 times "%s" is 24 pieces at most',
    (text) => {
      const found = pieces(text.repeat(100));
      expect(found.length).toBeLessThanOrEqual(24);
      expect(found.at(-1)?.end).toBeGreaterThan(text.length * 99);
    },
  );

  it('keeps its strong cuts', () => {
    expect(cut(`${'soup and salad and '.repeat(20)}. Then do that`).at(-1)).toBe('do that|succeeded');
  });

  it('never loses a "not" in what it joins', () => {
    const found = cut(`${'soup and salad and '.repeat(20)}. Do not run it. Then do that`);
    expect(found.slice(-2)).toEqual(['!Do not run it', 'do that|succeeded']);
    expect(cut(`${'soup and salad and '.repeat(20)}. Do not run it, just sing it`).slice(-2)).toEqual([
      '!Do not run it',
      'sing it',
    ]);
  });

  it.each(['and ', 'then ', 'run it and ', 'if it fails ', 'do not ', 'a', '. ', 'once you have '])(
    '8,000 characters of "%s" take less than a second',
    (unit) => {
      const text = unit.repeat(8_000 / unit.length);
      pieces(text.slice(0, 400));
      const started = performance.now();
      pieces(text);
      expect(performance.now() - started).toBeLessThan(1_000);
    },
  );
});

describe('textOf', () => {
  const text = 'fix it, um, please, and run the tests';
  it('is what was said, joints included', () => {
    expect(textOf('do this and do that', pieces('do this and do that'))).toBe('do this and do that');
  });
  it('without what was set aside inside a piece', () => {
    const spoken = 'run the um tests';
    expect(textOf(spoken, pieces(spoken))).toBe('run the tests');
    expect(textOf(text, pieces(text).slice(-1))).toBe('run the tests');
  });
  it('of nothing is nothing', () => {
    expect(textOf('', [])).toBe('');
  });
});
