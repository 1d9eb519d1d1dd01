import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stemmer } from 'stemmer';
import { wordSet } from './phrases.ts';

/** Characters of a clause that are looked at; an order says what it is within a few sentences. */
const MAX_CHARS = 600;
/** Words of a clause that are looked at; bounds the work on text without spaces between its letters. */
const MAX_WORDS = 120;
/** Letters of a word that are looked at. */
const MAX_LETTERS = 40;

/** An address, in full or as a bare host name; stands for the word "website". */
const ADDRESS = /\bhttps?:\/\/\S+|\b(?:[a-z0-9-]{1,63}\.){1,8}(?:com|org|net|io|dev|app|example|test|local)\b/g;

/** Lower case, one form per letter, as a list of words. Apostrophes join: "it's" is "its". */
export const wordsOf = (text: string): string[] =>
  text
    .slice(0, MAX_CHARS)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(ADDRESS, ' website ')
    .match(/[\p{L}\p{N}]+/gu)
    ?.slice(0, MAX_WORDS) ?? [];

/** How much each family counts beside the others; measured on CLINC150, 10 examples an intent; flat around these values. */
const FAMILY_WEIGHT = [1, 1] as const;

/**
 * What a clause is compared by, as hashes without repetition, in two families: words with their stems, groups of
 * synonyms, pairs of neighbours and moods; pieces of 3 to 5 letters within a word.
 */
export type Features = readonly number[][];

/** FNV-1a over UTF-16 units; `seed` keeps the families apart. */
const hash = (text: string, seed: number): number => {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
};
const both = (a: number, b: number, seed: number): number =>
  Math.imul(Math.imul(a ^ seed, 0x01000193) ^ (b + 0x9e3779b9), 0x85ebca6b) >>> 0;

/** The groups of `synonyms.txt` that a stem belongs to, as hashes. */
const readGroups = (): Map<string, number[]> => {
  const groups = new Map<string, number[]>();
  for (const line of readFileSync(join(import.meta.dirname, 'synonyms.txt'), 'utf8').split('\n')) {
    if (line.startsWith('#') || !line.includes(' ')) continue;
    for (const word of line.trim().split(' ')) {
      const stem = stemmer(word);
      groups.set(stem, [...(groups.get(stem) ?? []), hash(line, 8)]);
    }
  }
  return groups;
};
const groups = readGroups();

interface Forms {
  word: number;
  stem: number;
  groups: readonly number[];
  pieces: number[];
}
/** Words and pairs of neighbours whose forms are remembered: speech uses the same few thousand over and over. */
const REMEMBERED = 20_000;
const forms = new Map<string, Forms>();

const remember = <T>(map: Map<string, T>, key: string, value: T): T => {
  if (map.size >= REMEMBERED) map.clear();
  map.set(key, value);
  return value;
};

const formsOf = (word: string): Forms => {
  const known = forms.get(word);
  if (known) return known;
  const cut = word.slice(0, MAX_LETTERS);
  const padded = ` ${cut} `;
  const pieces: number[] = [];
  for (let size = 3; size <= 5; size++)
    for (let at = 0; at + size <= padded.length; at++) pieces.push(hash(padded.slice(at, at + size), 3));
  const stem = stemmer(cut);
  return remember(forms, word, {
    word: hash(cut, 1),
    stem: hash(stem, 2),
    groups: groups.get(stem) ?? [],
    pieces,
  });
};

const START = hash('^', 5);
const END = hash('$', 5);

/** Sentences that begin so tell or ask more often than they order. */
const SUBJECTS = wordSet(
  'i we he she they it you somebody someone everybody everyone nobody people that this there my our his her their its',
);
const QUESTIONS = wordSet(
  'why who whose when where how what which did do does is are was were has have had would could can will should',
);
const PAST = wordSet(
  'was were had did told said went got took made wrote spent came found kept lost left broke ran sat saw knew thought felt heard',
);
const MOODS = { subject: hash('subject', 9), question: hash('question', 9), past: hash('past', 9) };

/** How a clause is said: telling, asking or of the past. It generalises where words do not. */
const moodsOf = (list: readonly string[]): number[] => {
  const [first = ''] = list;
  const moods: number[] = [];
  if (SUBJECTS.has(first)) moods.push(MOODS.subject);
  if (QUESTIONS.has(first)) moods.push(MOODS.question);
  if (list.some((word, i) => PAST.has(word) || (i > 0 && word.length > 4 && word.endsWith('ed'))))
    moods.push(MOODS.past);
  return moods;
};

/** The features of a list of words, as `wordsOf` gives them. */
export const featuresOf = (list: readonly string[]): Features => {
  const words = new Set<number>();
  const pieces = new Set<number>();
  const known = list.map(formsOf);
  let before = START;
  for (let i = 0; i < known.length; i++) {
    const { word, stem, groups: alike, pieces: own } = known[i] as Forms;
    words
      .add(word)
      .add(stem)
      .add(both(before, stem, 6));
    for (const group of alike) words.add(group);
    before = stem;
    for (const piece of own) pieces.add(piece);
  }
  if (known.length > 0) words.add(both(before, END, 6));
  for (const mood of moodsOf(list)) words.add(mood);
  return [[...words], [...pieces]];
};

/** A sparse vector: parallel lists of feature numbers and weights, of length at most its family's weight in each family. */
export interface Vector {
  at: Uint32Array;
  weight: Float32Array;
}

/** Pieces of a single line say little beyond its words. */
const LEAST_COUNT = 2;

/** Hashes are cut to this many bits to count them in a table: of 60,000 features one in 17 then shares its place. */
const TABLE_BITS = 20;
const placeOf = (feature: number): number => feature >>> (32 - TABLE_BITS);

/** Lines that a piece must be in, so that at most `most` features are kept. */
const leastCount = (counts: Uint32Array, words: Uint8Array, most: number): number => {
  const byCount: number[] = [];
  let kept = 0;
  for (let place = 0; place < counts.length; place++) {
    const count = counts[place] as number;
    if (count === 0) continue;
    kept += 1;
    if (words[place] === 0) byCount[count] = (byCount[count] ?? 0) + 1;
  }
  let least = 1;
  while (least < byCount.length && (least < LEAST_COUNT || kept > most)) {
    kept -= byCount[least] ?? 0;
    least += 1;
  }
  return least;
};

/**
 * Numbers the features of a corpus and weighs rare ones more (TF-IDF with binary counts). Features the corpus lacks add
 * to a text's length and to nothing else: what is mostly new resembles nothing strongly. Pieces that
 * a single line of the corpus has say little beyond its words and count as lacking.
 */
export class Vocabulary {
  /** By place: 1 + the feature's number; 0: the corpus lacks it. */
  readonly #number = new Int32Array(2 ** TABLE_BITS);
  readonly #idf: number[] = [];
  readonly #unseen: number;

  /** `most`: features that are kept at most; rare pieces go first. Default: no limit. */
  constructor(corpus: readonly Features[], most = Infinity) {
    this.#unseen = Math.log(1 + corpus.length) + 1;
    const counts = new Uint32Array(2 ** TABLE_BITS);
    const words = new Uint8Array(2 ** TABLE_BITS);
    for (const features of corpus) {
      for (const family of features)
        for (const feature of family) counts[placeOf(feature)] = (counts[placeOf(feature)] as number) + 1;
      for (const word of features[0] ?? []) words[placeOf(word)] = 1;
    }
    const least = leastCount(counts, words, most);
    for (let place = 0; place < counts.length; place++) {
      const count = counts[place] as number;
      if (count === 0 || (count < least && words[place] === 0)) continue;
      this.#idf.push(Math.log((1 + corpus.length) / (1 + count)) + 1);
      this.#number[place] = this.#idf.length;
    }
  }

  get size(): number {
    return this.#idf.length;
  }

  vectorOf(features: Features): Vector {
    const at: number[] = [];
    const weight: number[] = [];
    for (let f = 0; f < features.length; f++) {
      const start = at.length;
      let squares = 0;
      for (const feature of features[f] as number[]) {
        const number = this.#number[placeOf(feature)] as number;
        const idf = number === 0 ? this.#unseen : (this.#idf[number - 1] as number);
        squares += idf * idf;
        if (number === 0) continue;
        at.push(number - 1);
        weight.push(idf);
      }
      const scale = (FAMILY_WEIGHT[f] ?? 1) / Math.sqrt(squares || 1);
      for (let i = start; i < weight.length; i++) weight[i] = (weight[i] as number) * scale;
    }
    return { at: Uint32Array.from(at), weight: Float32Array.from(weight) };
  }
}
