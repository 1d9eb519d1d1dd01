import { open } from 'node:fs/promises';

/** What a file of the sphinxbase trie format begins with. */
const MAGIC = 'Trie Language Model';
/** Entries of each table of quantised weights that stand before the unigrams: 16 bits of them. */
const TABLE_ENTRIES = 65_536;
const FLOAT_BYTES = 4;
/** Probability, back-off weight, index of the followers. */
const UNIGRAM_BYTES = 12;
/** Base of its logarithms. */
const LOG_BASE = 1.0001;

export interface CommonWord {
  word: string;
  /** Share of all words in general English, as the model counts it. */
  share: number;
}

/**
 * The most frequent words of the general language model that comes with the acoustic one, most frequent first. Only its
 * list of words is read (lm_trie.c and ngram_model_trie.c of sphinxbase): the model as a whole knows no technical speech.
 * Empty when the file is of another format.
 * @throws when it cannot be read.
 */
export const readCommonWords = async (lmFile: string, howMany: number): Promise<CommonWord[]> => {
  const file = await open(lmFile, 'r');
  try {
    const read = async (bytes: number, at: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
      return buffer.subarray(0, bytesRead);
    };
    const { size } = await file.stat();
    const head = await read(MAGIC.length + 5, 0);
    if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) return [];
    const order = head.readUInt8(MAGIC.length);
    const count = head.readUInt32LE(MAGIC.length + 1);
    if (order < 2 || order > 5) return [];
    const tables = 2 * (order - 2) + 1;
    const unigramsAt = MAGIC.length + 1 + order * 4 + 4 + tables * TABLE_ENTRIES * FLOAT_BYTES;
    if (unigramsAt + count * UNIGRAM_BYTES > size) return [];
    const unigrams = await read(count * UNIGRAM_BYTES, unigramsAt);

    // The words stand at the end: their length in bytes, then each with a zero behind it.
    const end = await read(Math.min(size, count * 40), Math.max(0, size - count * 40));
    let wordsAt = end.length - 4 - count;
    while (wordsAt >= 0 && end.readUInt32LE(wordsAt) !== end.length - wordsAt - 4) wordsAt -= 1;
    if (wordsAt < 0) return [];
    const words = end
      .toString('utf8', wordsAt + 4)
      .split('\0')
      .slice(0, count);
    if (words.length !== count) return [];
    return words
      .map((word, at) => ({ word, share: LOG_BASE ** unigrams.readFloatLE(at * UNIGRAM_BYTES) }))
      .filter(({ word }) => /^[a-z][a-z']*$/.test(word))
      .sort((a, b) => b.share - a.share)
      .slice(0, howMany);
  } finally {
    await file.close();
  }
};
