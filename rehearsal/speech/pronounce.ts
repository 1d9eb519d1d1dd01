/** Which words there are, and how they sound. */
export interface Lexicon {
  /** The spelling that stands for all of the same sound and sense: "summarise" is "summarize" where only that is known. */
  spelling(word: string): string;
  /** The ways a word is said, each as phones in the set of the dictionary (ARPAbet without stress); null: unknown. */
  phones(word: string): string[] | null;
}

const PHONES = /^[A-Z ]+$/;
const VOWELS = /[aeiouy]/;
/** A word without vowels up to this length is read letter by letter: "css", "npm". */
const SPELLED_LENGTH = 5;

/** Parts in front of a known word, as they are said there; the dictionary has some of them as words of another sound. */
const PREFIXES: readonly (readonly [string, ...string[]])[] = [
  ['re', 'R IY', 'R AH'],
  ['un', 'AH N'],
  ['de', 'D IY', 'D AH'],
  ['pre', 'P R IY'],
  ['micro', 'M AY K R OW'],
  ['mono', 'M AA N OW'],
];

/** American spellings the dictionary has, for British ones it has not. */
const AMERICAN: readonly (readonly [RegExp, string])[] = [
  [/is(e|es|ed|er|ers|ing|ation)$/, 'iz$1'],
  [/ys(e|es|ed|er|ing)$/, 'yz$1'],
  [/our/, 'or'],
  [/tre(s?)$/, 'ter$1'],
  [/ll(ed|ing|er)$/, 'l$1'],
  [/ogue(s?)$/, 'og$1'],
];

const VOICELESS = /(?:P|T|K|F|TH)$/;
const HISSING = /(?:S|Z|SH|CH|JH|ZH)$/;
const plural = (phones: string): string =>
  HISSING.test(phones) ? `${phones} IH Z` : `${phones} ${VOICELESS.test(phones) ? 'S' : 'Z'}`;
const past = (phones: string): string =>
  /(?:T|D)$/.test(phones) ? `${phones} IH D` : `${phones} ${/(?:P|K|F|TH|S|SH|CH)$/.test(phones) ? 'T' : 'D'}`;

/** Endings, how they change the stem's sound, and the stems they may stand behind ("parsed": parse, "stopped": stop). */
const ENDINGS: readonly (readonly [RegExp, (phones: string) => string])[] = [
  [/'s$|s'$|es$|s$/, plural],
  [/ed$|d$/, past],
  [/ing$/, (phones) => `${phones} IH NG`],
  [/er$|r$/, (phones) => `${phones} ER`],
  [/able$/, (phones) => `${phones} AH B AH L`],
];

const stemsOf = (word: string, ending: RegExp): string[] => {
  const cut = word.replace(ending, '');
  if (cut === word || cut.length < 3) return [];
  const doubled = /(.)\1$/.test(cut) ? [cut.slice(0, -1)] : [];
  return [word.replace(/(?:'s|s'|s|d|r)$/, ''), cut, `${cut}e`, ...doubled].filter((stem) => stem !== word);
};

/** Lines `word PHONE PHONE` and `word(2) PHONE PHONE`. */
export const readDictionary = (text: string): Map<string, string[]> => {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    if (at < 1) continue;
    const word = line.slice(0, at).replace(/\(\d+\)$/, '');
    const phones = line.slice(at + 1).trim();
    const known = found.get(word);
    if (known) known.push(phones);
    else found.set(word, [phones]);
  }
  return found;
};

/**
 * How words are said: as the dictionary has them and `spokenAs` adds (in terms of other words, "json" as "jason", or in
 * capitals as phones), else put together from what is known: letters, endings, British spellings, two words in one.
 */
export const createLexicon = (
  dictionary: ReadonlyMap<string, readonly string[]>,
  spokenAs: Readonly<Record<string, readonly string[]>>,
): Lexicon => {
  const joined = (words: readonly string[]): string[] | null => {
    const parts = words.map((word) => dictionary.get(word)?.[0] ?? null);
    return parts.includes(null) ? null : [parts.join(' ')];
  };
  const known = (word: string): string[] | null => {
    const others = (spokenAs[word] ?? []).flatMap((say) => (PHONES.test(say) ? [say] : (joined(say.split(' ')) ?? [])));
    const all = new Set([...(dictionary.get(word) ?? []), ...others]);
    return all.size === 0 ? null : [...all];
  };
  const compound = (word: string): string[] | null => {
    for (const [prefix, ...sounds] of PREFIXES) {
      const rest =
        word.startsWith(prefix) && word.length >= prefix.length + 3 ? known(word.slice(prefix.length)) : null;
      if (rest) return sounds.flatMap((sound) => rest.map((tail) => `${sound} ${tail}`));
    }
    for (let at = word.length - 3; at >= 3; at -= 1) {
      const [head, tail] = [known(word.slice(0, at)), known(word.slice(at))];
      if (head && tail) return [`${head[0]} ${tail[0]}`];
    }
    return null;
  };
  const inflected = (word: string, base: (stem: string) => string[] | null): string[] | null => {
    for (const [ending, sound] of ENDINGS)
      for (const stem of stemsOf(word, ending)) {
        const phones = base(stem);
        if (phones) return phones.map(sound);
      }
    return null;
  };
  const spelling = (word: string): string => {
    if (known(word)) return word;
    const others = AMERICAN.map(([british, american]) => word.replace(british, american));
    return others.find((other) => other !== word && known(other)) ?? word;
  };
  return {
    spelling,
    phones: (word) =>
      known(spelling(word)) ??
      (!VOWELS.test(word) && word.length <= SPELLED_LENGTH ? joined([...word]) : null) ??
      inflected(word, known) ??
      compound(word) ??
      inflected(word, compound),
  };
};
