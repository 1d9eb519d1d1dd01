import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { essenceOf, plainWords, wordsIn } from '../../../../skills/routing/speech.ts';

/** Text as a recogniser, or somebody with bad intentions, might hand it over. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom(..."um uh like you know hey computer please thank , . - — “ ” ' ok and run".split(' ')), {
      maxLength: 40,
    })
    .map((list) => list.join(' ')),
);

describe('what is set aside', () => {
  it.each([
    ['hesitation at the beginning', 'um run the tests', 'run the tests'],
    ['hesitation in the middle', 'run the, uhm, unit, er, tests', 'run the unit tests'],
    ['a filler of two words', 'run you know the tests sort of', 'run the tests'],
    ['"like" as a filler', 'run, like, the tests', 'run the tests'],
    ['"like" that says something', 'make it look like the old page', 'make it look like the old page'],
    ['a wake word', 'Hey computer, run the tests', 'run the tests'],
    ['a wake word and politeness', 'okay orchestrator could you please run the tests', 'run the tests'],
    ['openings in a row', 'so well now I would like you to go ahead and run it', 'run it'],
    ['politeness at the end', 'run the tests for me if you can please', 'run the tests'],
    ['thanks', 'run the tests, thank you!', 'run the tests'],
    ['hurry', 'run the tests right now please', 'run the tests'],
    ['both ends at once', 'please, um, could you run the tests, thanks a lot', 'run the tests'],
    ['nothing in the middle', 'tell me please what now means', 'tell me please what now means'],
    ['nothing that only resembles politeness', 'pleased computers thank youths', 'pleased computers thank youths'],
  ])('%s', (_what, text, essence) => {
    expect(essenceOf(text)).toBe(essence);
  });

  it.each([
    ['okay', 'okay'],
    ['Okay okay okay.', 'okay'],
    ['please', 'please'],
    ['thank you', 'thank you'],
    ['Hey computer!', 'computer'],
    ['hello, please', 'please'],
    ['go ahead', 'go ahead'],
  ])('a sentence of nothing else keeps its last words: %s', (text, essence) => {
    expect(essenceOf(text)).toBe(essence);
  });

  it.each(['', ' ', '...', '- — –', 'um uh'])('nothing counts in %j', (text) => {
    expect(essenceOf(text)).toBe('');
  });
});

describe('words', () => {
  const spans = (text: string): string[] => wordsIn(text).map(({ start, end }) => text.slice(start, end));

  it('have the exact place of what was said, without the marks at its ends', () => {
    expect(spans('  Run “the tests”, (please) — see api.ts!')).toEqual('Run the tests please see api.ts'.split(' '));
  });

  it('are compared by one form: case, width and apostrophes', () => {
    expect(plainWords("DON’T don't ＤＯＮＴ").map(({ key }) => key)).toEqual(['dont', 'dont', 'dont']);
  });

  it('know where a sentence could pause', () => {
    expect(plainWords('a, b; c. d! e? f: g… h - i j.k l').map(({ pause }) => pause)).toEqual(
      [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0].map(Boolean),
    );
  });

  it('that are set aside keep their place in the list', () => {
    expect(wordsIn('um run it please').map(({ key, aside }) => [key, aside])).toEqual([
      ['um', true],
      ['run', false],
      ['it', false],
      ['please', true],
    ]);
  });

  it('any text: never throws, places ascend and are exact, nothing but marks lies between them', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let last = 0;
        for (const { key, start, end } of wordsIn(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          const said = text.slice(start, end);
          expect(said).not.toMatch(/\s/);
          expect(said.normalize('NFKC').toLowerCase().replace(/['’]/g, '')).toBe(key);
          expect(text.slice(last, start)).toMatch(/^[\s,;:.!?…()[\]{}"“”‘’'\-–—]*$/);
          last = end;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('any text: politeness alone never empties a sentence', () => {
    const polite = fc.array(fc.constantFrom('please', 'okay', 'hey', 'thanks', 'could you', 'for me', 'so', 'now'), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(polite, (list) => {
        expect(essenceOf(list.join(' '))).not.toBe('');
      }),
    );
  });
});
