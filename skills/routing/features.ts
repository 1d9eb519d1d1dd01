/** Characters of a clause that are looked at; an order says what it is within a few sentences. */
const MAX_CHARS = 600;
/** Words of a clause that are looked at; bounds the work on text without spaces between its letters. */
const MAX_WORDS = 120;

/** An address, in full or as a bare host name; stands for the word "website". */
const ADDRESS = /\bhttps?:\/\/\S+|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|example|test|local)\b/g;

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

/** What a clause is compared by: whole words and pairs (with its beginning marked), and pieces of 3 to 5 letters within a word. */
export interface Grams {
  words: Set<string>;
  pieces: Set<string>;
}

export const gramsOf = (text: string): Grams => {
  const words = new Set<string>();
  const pieces = new Set<string>();
  let before = '^';
  for (const word of wordsOf(text)) {
    words.add(word).add(`${before} ${word}`);
    before = word;
    const padded = ` ${word} `;
    for (let size = 3; size <= 5; size++) {
      for (let at = 0; at + size <= padded.length; at++) pieces.add(padded.slice(at, at + size));
    }
  }
  return { words, pieces };
};

/** A sparse vector: parallel lists of feature numbers and weights, of length at most 1 in each family. */
export interface Vector {
  at: Uint32Array;
  weight: Float32Array;
}

/**
 * Numbers the features of a corpus and weighs rare ones more (TF-IDF with binary counts). Features the corpus lacks add
 * to a text's length and to nothing else: what is mostly new resembles nothing strongly.
 */
export class Vocabulary {
  readonly #number = new Map<string, number>();
  readonly #idf: number[] = [];
  readonly #unseen: number;

  constructor(corpus: readonly Grams[]) {
    this.#unseen = Math.log(1 + corpus.length) + 1;
    const counts = new Map<string, number>();
    for (const { words, pieces } of corpus) {
      for (const word of words) counts.set(`w${word}`, (counts.get(`w${word}`) ?? 0) + 1);
      for (const piece of pieces) counts.set(`c${piece}`, (counts.get(`c${piece}`) ?? 0) + 1);
    }
    for (const [feature, count] of counts) {
      this.#number.set(feature, this.#idf.length);
      this.#idf.push(Math.log((1 + corpus.length) / (1 + count)) + 1);
    }
  }

  get size(): number {
    return this.#idf.length;
  }

  vectorOf(grams: Grams): Vector {
    const at: number[] = [];
    const weight: number[] = [];
    for (const [family, features] of [
      ['w', grams.words],
      ['c', grams.pieces],
    ] as const) {
      const start = at.length;
      let squares = 0;
      for (const feature of features) {
        const number = this.#number.get(family + feature);
        const idf = number === undefined ? this.#unseen : (this.#idf[number] as number);
        squares += idf * idf;
        if (number === undefined) continue;
        at.push(number);
        weight.push(idf);
      }
      const scale = 1 / Math.sqrt(squares || 1);
      for (let i = start; i < weight.length; i++) weight[i] = (weight[i] as number) * scale;
    }
    return { at: Uint32Array.from(at), weight: Float32Array.from(weight) };
  }
}
