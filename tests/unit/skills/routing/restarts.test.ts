import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { takeBack } from '../../../../skills/routing/restarts.ts';
import { wordsIn } from '../../../../skills/routing/speech.ts';

const VERBS = new Set('run refactor revert deploy fix check validate open close rename move stop'.split(' '));
/** What is left of a sentence. */
const left = (text: string): string => {
  const words = wordsIn(text);
  takeBack(words, (key) => VERBS.has(key));
  return words
    .filter(({ aside }) => !aside)
    .map(({ start, end }) => text.slice(start, end))
    .join(' ');
};

describe('takeBack', () => {
  it.each([
    ['an order begun anew', 'refactor the, no wait, revert the API', 'revert the API'],
    ['an order said in full', 'check the login page scratch that run the tests', 'run the tests'],
    ['an order with a single word as marker', 'open the page, correction, close it', 'close it'],
    ['a hook picks up an earlier place', 'deploy to production uh sorry to staging', 'deploy to staging'],
    [
      'what follows a hook stays',
      'deploy it to staging, sorry, to production then run it',
      'deploy it to production then run it',
    ],
    [
      'a hook before many words',
      'deploy it to the old host, sorry, to the new host in Rome',
      'deploy it to the new host in Rome',
    ],
    ['one word for one', 'deploy to production, I mean staging', 'deploy to staging'],
    ['as many words as were said anew', 'rename foo to the bar, I mean the baz', 'rename foo to the baz'],
    ['a marker with a pause', 'deploy to production, no, staging', 'deploy to staging'],
    ['a marker with a hesitation', 'deploy to production um no staging', 'deploy to staging'],
    ['markers in a row', 'run the tests, no, sorry, the benchmarks', 'run the benchmarks'],
    ['twice in one sentence', 'validate alpha, no, beta, no, gamma', 'validate gamma'],
    ['"make that"', 'fix the parser, make that the lexer', 'fix the lexer'],
    ['a recogniser that heard "know"', 'deploy to production know I mean staging', 'deploy to staging'],
    [
      'not what was said before "and"',
      'run the tests and validate live, I mean staging',
      'run the tests and validate staging',
    ],
    ['not what was said before "then"', 'fix it then deploy to live no wait staging', 'fix it then deploy to staging'],
    ['a whole order behind "and"', 'run the tests and fix the, no wait, deploy it', 'run the tests and deploy it'],
  ])('%s', (_what, text, expected) => {
    expect(left(text)).toBe(expected);
  });

  it.each([
    'run the tests',
    'say no to nobody',
    'there are no tests',
    'I am sorry the tests fail',
    'rather run the tests',
    'use the correction tool',
    'no wait',
    'run the tests, sorry',
    '',
  ])('takes nothing back in "%s"', (text) => {
    expect(left(text)).toBe(text.replace(/,/g, ''));
  });

  it('any words: what was said last always stays, and only words that were said are left', () => {
    const words = fc.constantFrom(
      ...'run deploy the tests to staging production no wait sorry i mean rather and then , um'.split(' '),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 60 }), (list) => {
        const text = list.join(' ');
        const before = wordsIn(text);
        const after = left(text).split(' ').filter(Boolean);
        const said = before.filter(({ aside }) => !aside).map(({ key }) => key);
        expect(after.at(-1)).toBe(said.at(-1));
        let at = 0;
        for (const word of after) at = said.indexOf(word, at) + 1 || NaN;
        expect(at).not.toBeNaN();
      }),
    );
  });

  it('is quick for 8,000 characters of corrections', () => {
    const started = performance.now();
    for (const unit of ['no wait ', 'deploy to, i mean ', 'sorry, ', 'to a no to b '])
      left(unit.repeat(8_000 / unit.length));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
