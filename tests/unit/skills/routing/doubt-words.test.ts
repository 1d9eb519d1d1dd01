import { describe, expect, it } from '@jest/globals';
import { CONDITION, CORRECTION, doubtWordIn, NEGATION } from '../../../../skills/routing/doubt-words.ts';

describe('words that make a sentence worth a second opinion', () => {
  it.each([
    ['Refactor the API but do not deploy', 'negation', 'not'],
    ['Refactor the API but don’t deploy', 'negation', 'dont'],
    ["DON'T run the tests", 'negation', 'dont'],
    ['fix it without touching the tests', 'negation', 'without'],
    ['validate production, no wait, staging', 'correction', 'wait'],
    ['check the login page, I mean the start page', 'correction', 'i mean'],
    ['scratch that: run the linter', 'correction', 'scratch that'],
    ['run the tests and if they fail fix them', 'condition', 'if'],
    ['check the site after you deploy', 'condition', 'after'],
    ['deploy as soon as the tests are green', 'condition', 'as soon as'],
    ['deploy, unless: it is Friday', 'condition', 'unless'],
  ])('%s', (sentence, kind, word) => {
    expect(doubtWordIn(sentence)).toEqual({ kind, word });
  });

  it.each([
    'refactor the API and validate the staging website',
    'notify the note taker about the knot',
    'ask the waiter about afternoon tea',
    'rename life to iffy',
    '',
    '…',
  ])('nothing in "%s"', (sentence) => {
    expect(doubtWordIn(sentence)).toBeNull();
  });

  it('lists are lower case, without apostrophes, and say nothing twice', () => {
    const all = [...NEGATION, ...CORRECTION, ...CONDITION];
    expect(all.filter((word) => !/^[a-z]+( [a-z]+)*$/.test(word))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
    for (const word of all) expect(doubtWordIn(`please ${word} thanks`)).not.toBeNull();
  });
});
