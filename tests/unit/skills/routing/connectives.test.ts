import { describe, expect, it } from '@jest/globals';
import { jointAt } from '../../../../skills/routing/connectives.ts';
import { plainWords } from '../../../../skills/routing/speech.ts';

/**
 * The joint at the beginning of a text as "words|link", with `+` where it may close the clause before and `>link` for
 * the clause behind it; `-`: none. `where`: in the middle of speech, after a pause, or at the beginning of the sentence.
 */
const joint = (text: string, where: 'middle' | 'pause' | 'beginning' = 'middle'): string => {
  const words = plainWords(text);
  const found = jointAt(words, 0, where !== 'middle', where === 'beginning');
  if (!found) return '-';
  const said = words
    .slice(0, found.length)
    .map(({ key }) => key)
    .join(' ');
  return `${said}|${found.link}${found.closes ? '+' : ''}${found.then ? `>${found.then}` : ''}`;
};

describe('words that join', () => {
  it.each([
    ['and run it', 'and|with'],
    ['as well as run it', 'as well as|with'],
    ['at the same time run it', 'at the same time|with'],
    ['then run it', 'then|succeeded'],
    ['and then run it', 'and then|succeeded'],
    ['and than run it', 'and than|succeeded'],
    ['and after that run it', 'and after that|succeeded+'],
    ['followed by running it', 'followed by|succeeded'],
    ['afterwards run it', 'afterwards|succeeded+'],
    ['run it and', '-'],
    ['android phones', '-'],
  ])('%s', (text, expected) => {
    expect(joint(text)).toBe(expected);
  });

  it.each(['next run it', 'finally run it', 'but run it', 'lastly run it'])(
    'only where the sentence could pause: %s',
    (text) => {
      expect(joint(text)).toBe('-');
      expect(joint(text, 'pause')).toMatch(/^\w+\|succeeded$/);
    },
  );
});

describe('conditions', () => {
  it.each([
    ['if it passes deploy', 'if it passes|succeeded+'],
    ['if they are green deploy', 'if they are green|succeeded+'],
    ['if the unit tests pass deploy', 'if the unit tests pass|succeeded+'],
    ['once they are green deploy', 'once they are green|succeeded+'],
    ["once that's done deploy", 'once thats done|succeeded+'],
    ['when the tests are green deploy', 'when the tests are green|succeeded+'],
    ['as soon as it works too deploy', 'as soon as it works too|succeeded+'],
    ['only if it works deploy', 'only if it works|succeeded+'],
    ['and if it works deploy', 'and if it works|succeeded+'],
    ['on success deploy', 'on success|succeeded+'],
    ['if nothing fails deploy', 'if nothing fails|succeeded+'],
    ['unless it fails deploy', 'unless it fails|succeeded+'],
    ['if it fails fix it', 'if it fails|failed+'],
    ['should any of them fail fix it', 'should any of them fail|failed+'],
    ['in case it breaks fix it', 'in case it breaks|failed+'],
    ['if they do not pass fix it', 'if they do not pass|failed+'],
    ["if it doesn't work fix it", 'if it doesnt work|failed+'],
    ['unless they pass fix it', 'unless they pass|failed+'],
    ['if not fix it', 'if not|failed+'],
    ['and otherwise fix it', 'and otherwise|failed+'],
    ['but if it crashes fix it', 'but if it crashes|failed+'],
    ['on failure fix it', 'on failure|failed+'],
  ])('%s', (text, expected) => {
    expect(joint(text)).toBe(expected);
  });

  it.each([
    'if I had time for it',
    'when you are tired go home',
    'once upon a time it was done',
    'should we deploy',
    'if, as you know, it fails',
    'when tests matter most',
    'if only somebody said how all of that may fail',
  ])('none in "%s"', (text) => {
    expect(joint(text)).toBe('-');
  });

  it('ends where the sentence pauses', () => {
    expect(joint('if they fail, again run it')).toBe('if they fail|failed+');
    expect(joint('if they fail again run it')).toBe('if they fail again|failed+');
  });
});

describe('either way', () => {
  it.each([
    'either way',
    'in any case',
    'no matter what',
    'whatever happens',
    'regardless',
    'regardless of the result',
    'even if it fails',
    'come what may',
  ])('%s', (words) => {
    expect(joint(`${words} summarize`)).toBe(`${words}|finished+`);
    expect(joint(`and ${words} summarize`)).toBe(`and ${words}|finished+`);
  });
});

describe('clauses of time', () => {
  it.each([
    ['before you deploy it', 'before you|succeeded', 'before you|with>first'],
    ['before deploying it', 'before|succeeded', 'before|with>first'],
    ['after you have renamed it', 'after you have|first', 'after you have|with>succeeded'],
    ["once you've renamed it", 'once youve|first', 'once youve|with>succeeded'],
    ['after renaming it', 'after|first', 'after|with>succeeded'],
    ['but only after reviewing it', 'but only after|first', 'but only after|with>succeeded'],
  ])('%s: behind an order, and before it', (text, behind, before) => {
    expect(joint(text)).toBe(behind);
    expect(joint(text, 'beginning')).toBe(before);
  });

  it.each(['before lunch', 'after the meeting', 'once again', 'after you', 'before king Arthur'])(
    'none in "%s"',
    (text) => {
      expect(joint(text)).toBe('-');
    },
  );
});

it('of no words makes nothing', () => {
  expect(jointAt([], 0, true, true)).toBeNull();
  for (const text of ['if', 'and if', 'after', 'once you have', 'even', 'and and and'])
    expect(joint(text)).not.toBe('');
});
