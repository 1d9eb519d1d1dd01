/** Counts of what follows what, and the language model they make. */
export interface TrigramModel {
  /** A sentence from its start to its end. `weight`: how often it counts as said; default 1. */
  addSentence(words: readonly string[], weight?: number): void;
  /** A piece of speech: only what comes after its first word counts, and neither a start nor an end is learned. */
  addPiece(words: readonly string[], weight?: number): void;
  /** Words that may come anywhere, whether a sentence holds them or not. */
  addWords(words: Iterable<string>, weight?: number): void;
  /** In the ARPA format, base-10 logarithms. */
  toArpa(): string;
}

const START = '<s>';
const END = '</s>';
/** What a logarithm of zero is written as, by convention. */
const NEVER = -99;

/** Followers of one history. */
interface Followers {
  total: number;
  counts: Map<string, number>;
}

const count = (table: Map<string, Followers>, history: string, word: string, weight: number): void => {
  let followers = table.get(history);
  if (!followers) table.set(history, (followers = { total: 0, counts: new Map() }));
  followers.total += weight;
  followers.counts.set(word, (followers.counts.get(word) ?? 0) + weight);
};

const log10 = (value: number): string => (value > 0 ? Math.log10(value).toFixed(4) : String(NEVER));

/**
 * Trigrams, smoothed after Witten and Bell (IEEE Transactions on Information Theory 37, 1991): a history hands the
 * shorter one a share that grows with the number of different words seen after it. `freedom` scales that share: above
 * 1, words in an order nobody wrote down cost less.
 */
export const createTrigramModel = (freedom = 1): TrigramModel => {
  const one: Followers = { total: 0, counts: new Map() };
  const two = new Map<string, Followers>();
  const three = new Map<string, Followers>();

  const add = (words: readonly string[], from: number, weight: number): void => {
    for (let at = from; at < words.length; at += 1) {
      const word = words[at] as string;
      one.total += weight;
      one.counts.set(word, (one.counts.get(word) ?? 0) + weight);
      if (at > 0) count(two, words[at - 1] as string, word, weight);
      if (at > 1) count(three, `${words[at - 2]} ${words[at - 1]}`, word, weight);
    }
  };
  const share = ({ total, counts }: Followers): number => {
    const unseen = freedom * counts.size;
    return unseen / (total + unseen);
  };

  return {
    addSentence: (words, weight = 1) => add([START, ...words, END], 1, weight),
    addPiece: (words, weight = 1) => add(words, 1, weight),
    addWords: (words, weight = 1) => {
      for (const word of words) add([word], 0, weight);
    },
    toArpa: () => {
      const uniform = 1 / Math.max(1, one.counts.size);
      const unigram = (word: string): number =>
        (1 - share(one)) * ((one.counts.get(word) ?? 0) / one.total) + share(one) * uniform;
      const bigram = (history: string, word: string): number => {
        const followers = two.get(history);
        if (!followers) return unigram(word);
        const left = share(followers);
        return (1 - left) * ((followers.counts.get(word) ?? 0) / followers.total) + left * unigram(word);
      };
      const backoff = (followers: Followers | undefined): string => (followers ? ` ${log10(share(followers))}` : '');

      const ones = [
        `${NEVER} ${START}${backoff(two.get(START))}`,
        ...[...one.counts.keys()].map((word) => `${log10(unigram(word))} ${word}${backoff(two.get(word))}`),
      ];
      const twos: string[] = [];
      for (const [history, { counts }] of two)
        for (const word of counts.keys()) {
          const longer = three.get(`${history} ${word}`);
          twos.push(`${log10(bigram(history, word))} ${history} ${word}${backoff(longer)}`);
        }
      const threes: string[] = [];
      for (const [history, followers] of three) {
        const last = history.slice(history.indexOf(' ') + 1);
        const left = share(followers);
        for (const [word, times] of followers.counts) {
          const probability = (1 - left) * (times / followers.total) + left * bigram(last, word);
          threes.push(`${log10(probability)} ${history} ${word}`);
        }
      }
      const parts = [ones, twos, threes];
      return [
        '\\data\\',
        ...parts.map((lines, at) => `ngram ${at + 1}=${lines.length}`),
        ...parts.flatMap((lines, at) => ['', `\\${at + 1}-grams:`, ...lines]),
        '',
        '\\end\\',
        '',
      ].join('\n');
    },
  };
};
