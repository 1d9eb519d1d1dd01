import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../platform/errors.ts';
import { fromRoot } from '../../platform/env.ts';
import { readCommonWords } from './common-words.ts';
import type { CommonWord } from './common-words.ts';
import { readPhrases } from './phrases.ts';
import type { Phrases } from './phrases.ts';
import { createLexicon, readDictionary } from './pronounce.ts';
import type { Lexicon } from './pronounce.ts';
import { createTrigramModel } from './trigram-model.ts';

/** What a decoder is given: the acoustic model, and two files made for this registry of skills. */
export interface SpokenLanguage {
  acousticFolder: string;
  lmFile: string;
  dictionaryFile: string;
  /** Every way a word of the dictionary is said, in phones. */
  phones: ReadonlyMap<string, readonly string[]>;
  /** Words as people write them where that is not as they are said: `api` as "API". */
  written: ReadonlyMap<string, string>;
}

export interface LanguageSources {
  /** The registry's data. */
  skillsFolder: string;
  /** `en-us` as PocketSphinx ships it: an acoustic model of the same name, a dictionary, a general language model. */
  modelFolder: string;
  /** Where generated files go; made when missing. */
  cacheFolder: string;
}

/** Another way of making the files than before: those of the last one are not used. */
const VERSION = 1;
/** Files of registries that were; the newest are kept. */
const KEPT_FILES = 12;
const OWN_FOLDER = fromRoot('rehearsal/speech');

/**
 * How often a line counts as said. Tuned on 120 spoken sentences of which none is among those the tests measure with;
 * within a factor of two of each, the word error rate moves by less than half a per cent.
 */
const WEIGHTS = { order: 1, control: 15, name: 0.5, other: 0.2, join: 0.5 } as const;
/** Below 1: words in an order nobody wrote down cost more. */
const FREEDOM = 0.4;
/** General English: this many words beside the registry's own, with this share of what all lines count. */
const COMMON_WORDS = 8_000;
const COMMON_SHARE = 0.03;

/** What holds two orders together, and how usual it is. */
const JOINTS: readonly (readonly [readonly string[], number])[] = [
  [['and'], 1],
  [['then'], 0.5],
  [['and', 'then'], 0.5],
  [['and', 'also'], 0.1],
  [['after', 'that'], 0.1],
];

/** Said as a word, written in capitals all the same. */
const WRITTEN = {
  i: 'I',
  "i'm": "I'm",
  "i'd": "I'd",
  "i'll": "I'll",
  "i've": "I've",
  json: 'JSON',
  sql: 'SQL',
  vs: 'vs',
};

const SpokenAs = z.record(z.string(), z.array(z.string()));

/** Says which words a sentence is made of, and gathers how they sound. */
class Vocabulary {
  readonly phones = new Map<string, string[]>();
  readonly #lexicon: Lexicon;

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon;
  }

  /** The sentence in known spellings; null when a word of it cannot be pronounced. */
  take(sentence: readonly string[]): string[] | null {
    const words = sentence.map((word) => this.#lexicon.spelling(word));
    for (const word of words) {
      if (this.phones.has(word)) continue;
      const phones = this.#lexicon.phones(word);
      if (!phones) return null;
      this.phones.set(word, phones);
    }
    return words.length === 0 ? null : words;
  }
}

const modelOf = (phrases: Phrases, common: readonly CommonWord[], vocabulary: Vocabulary): string => {
  const model = createTrigramModel(FREEDOM);
  let said = 0;
  const add = (sentences: readonly (readonly string[])[], weight: number): string[][] => {
    const taken = sentences.map((sentence) => vocabulary.take(sentence)).filter((words) => words !== null);
    for (const words of taken) {
      model.addSentence(words, weight);
      said += words.length * weight;
    }
    return taken;
  };
  const orders = add(phrases.orders, WEIGHTS.order);
  add(phrases.controls, WEIGHTS.control);
  add(phrases.names, WEIGHTS.name);
  add(phrases.others, WEIGHTS.other);
  for (const order of orders)
    for (const [joint, share] of JOINTS) {
      model.addPiece([...order.slice(-1), ...joint], WEIGHTS.join * share);
      model.addPiece([...joint, ...order.slice(0, 2)], WEIGHTS.join * share);
    }
  const all = common.reduce((sum, { share }) => sum + share, 0);
  for (const { word, share } of common) {
    const known = vocabulary.take([word]);
    if (known) model.addWords(known, (COMMON_SHARE * said * share) / all);
  }
  return model.toArpa();
};

/** A word that is said as its letters are stands for something: it is written in capitals. */
const spelledOut = (word: string, dictionary: ReadonlyMap<string, readonly string[]>): boolean =>
  /^[a-z]{2,6}$/.test(word) &&
  dictionary.get(word)?.[0] === [...word].map((letter) => dictionary.get(letter)?.at(-1)).join(' ');

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whole or not at all, whoever else writes the same. */
const writeWhole = async (path: string, text: string): Promise<void> => {
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(own, text);
    await rename(own, path);
  } finally {
    await rm(own, { force: true });
  }
};

/** Removes the files of registries that were. */
const prune = async (folder: string): Promise<void> => {
  const names = (await readdir(folder)).filter((name) => /\.(lm|dict)$/.test(name));
  const dated = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { path } of dated.sort((a, b) => b.at - a.at).slice(KEPT_FILES)) await rm(path, { force: true });
};

const printOf = async (path: string): Promise<string> => {
  const { size, mtimeMs } = await stat(path);
  return `${path}|${size}|${mtimeMs}`;
};

/**
 * The language of the registry, from files made earlier when nothing changed since: 30 ms, else half a second.
 * @throws Error when the model's files cannot be read
 */
export const prepareLanguage = async (sources: LanguageSources): Promise<SpokenLanguage> => {
  const { skillsFolder, modelFolder, cacheFolder } = sources;
  const generalFile = join(modelFolder, 'cmudict-en-us.dict');
  const generalModel = join(modelFolder, 'en-us.lm.bin');
  const [phrases, spokenAs, ...prints] = await Promise.all([
    readPhrases(skillsFolder, join(OWN_FOLDER, 'control-lines.txt')),
    readFile(join(OWN_FOLDER, 'spoken-as.json'), 'utf8'),
    printOf(generalFile),
    printOf(generalModel).catch(() => 'none'),
  ]);
  const key = createHash('sha256')
    .update(JSON.stringify([VERSION, phrases, spokenAs, prints]))
    .digest('hex')
    .slice(0, 32);
  const [lmFile, dictionaryFile] = [join(cacheFolder, `${key}.lm`), join(cacheFolder, `${key}.dict`)];
  await mkdir(cacheFolder, { recursive: true });
  if (!((await exists(lmFile)) && (await exists(dictionaryFile)))) {
    const general = readDictionary(await readFile(generalFile, 'utf8'));
    const vocabulary = new Vocabulary(createLexicon(general, SpokenAs.parse(JSON.parse(spokenAs))));
    const common = await readCommonWords(generalModel, COMMON_WORDS).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      return []; // the registry's own words are there without it
    });
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') vocabulary.take([letter]);
    await writeWhole(lmFile, modelOf(phrases, common, vocabulary));
    const lines = [...vocabulary.phones].flatMap(([word, ways]) =>
      ways.map((way, at) => `${word}${at === 0 ? '' : `(${at + 1})`} ${way}`),
    );
    await writeWhole(dictionaryFile, `${lines.join('\n')}\n`);
    await prune(cacheFolder);
  }
  const phones = readDictionary(await readFile(dictionaryFile, 'utf8'));
  const written = new Map([
    ...[...phones.keys()].filter((word) => spelledOut(word, phones)).map((word) => [word, word.toUpperCase()] as const),
    ...Object.entries(WRITTEN),
  ]);
  return { acousticFolder: join(modelFolder, 'en-us'), lmFile, dictionaryFile, phones, written };
};
