import { doubleMetaphone } from 'double-metaphone';
import { plainWords } from './speech.ts';

/** Writes words as the skills write them. */
export type Respell = (text: string) => string;

/** Letters of a word that are compared by sound; shorter ones sound like too many others. */
const LEAST_LETTERS = 5;
/** A word that was torn apart is put together again from this length on, even when both halves are words. */
const LEAST_JOINED = 6;
/** Little words that recognisers take for each other, in the wording that orders use. */
const LITTLE: Readonly<Record<string, string>> = {
  two: 'to',
  too: 'to',
  inn: 'in',
  wear: 'where',
  bye: 'by',
  knew: 'new',
};

/** Words that begin an order, as they are misheard; before "the", "a" and the like. */
const FIRST: Readonly<Record<string, string>> = {
  right: 'write',
  rite: 'write',
  wright: 'write',
  ron: 'run',
  reed: 'read',
};
const BEFORE_THING = new Set('the a an some more new all unit integration tests test my our'.split(' '));

/**
 * Learns from the skills' words what a recogniser meant by "de ploy to pro duction" or "run the e valuation".
 * `orders` are texts whose words are looked for; words of `others` are words as well and stay as they are.
 */
export const createRespell = (orders: readonly string[], others: readonly string[]): Respell => {
  const counts = new Map<string, number>();
  for (const text of orders)
    for (const { key } of plainWords(text)) if (/^[a-z]+$/.test(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const known = new Set(counts.keys());
  for (const text of others) for (const { key } of plainWords(text)) known.add(key);
  /** The most frequent word of each sound. */
  const bySound = new Map<string, string>();
  for (const [word] of [...counts].sort((a, b) => a[1] - b[1]))
    if (word.length >= LEAST_LETTERS) bySound.set(doubleMetaphone(word)[0], word);

  const joined = (first: string, second: string): string | undefined => {
    const whole = first + second;
    if (!/^[a-z]+$/.test(whole)) return undefined;
    if (whole.length >= LEAST_JOINED && counts.has(whole)) return whole;
    if (known.has(first) && known.has(second)) return undefined;
    const alike = whole.length >= LEAST_LETTERS ? bySound.get(doubleMetaphone(whole)[0]) : undefined;
    return alike !== undefined && alike.startsWith(whole.charAt(0)) ? alike : undefined;
  };
  const alike = (word: string): string | undefined => {
    if (known.has(word) || word.length < LEAST_LETTERS - 1 || !/^[a-z]+$/.test(word)) return undefined;
    const found = bySound.get(doubleMetaphone(word)[0]);
    return found !== undefined && found.startsWith(word.charAt(0)) && Math.abs(found.length - word.length) <= 2
      ? found
      : undefined;
  };

  return (text) => {
    const words = plainWords(text);
    let result = '';
    let from = 0;
    const put = (until: number, end: number, word: string): void => {
      result += text.slice(from, until) + word;
      from = end;
    };
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as (typeof words)[number];
      const next = words[at + 1];
      const both = next && !word.pause ? joined(word.key, next.key) : undefined;
      if (both !== undefined && next) {
        put(word.start, next.end, both);
        at++;
        continue;
      }
      const first = at === 0 && BEFORE_THING.has(next?.key ?? '') ? FIRST[word.key] : undefined;
      const one = first ?? alike(word.key) ?? LITTLE[word.key];
      if (one !== undefined) put(word.start, word.end, one);
    }
    return from === 0 ? text : result + text.slice(from);
  };
};
