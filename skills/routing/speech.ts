import { standsAt } from './phrases.ts';

/** One word of a sentence. `key` is what it is compared by; `start` and `end` are character offsets in the sentence. */
export interface Word {
  key: string;
  start: number;
  end: number;
  /** A mark at which a sentence could pause follows it. */
  pause: boolean;
  /** A filler, a wake word, mere politeness, or taken back: it says nothing about what is wanted. */
  aside: boolean;
}

/** Phrases by their first word, the longest first. */
type Phrases = ReadonlyMap<string, string[][]>;
const phrases = (text: string): Phrases => {
  const found = new Map<string, string[][]>();
  for (const phrase of text.split('|').map((entry) => entry.trim().split(' '))) {
    const first = phrase[0] as string;
    found.set(first, [...(found.get(first) ?? []), phrase]);
  }
  for (const list of found.values()) list.sort((a, b) => b.length - a.length);
  return found;
};

/** Words of hesitation, wherever they stand. */
const FILLERS = phrases('um|umm|uh|uhm|uhh|er|erm|ehm|hm|hmm|mhm|like|you know|you see|kind of|sort of|basically');
/** "like" says something behind these words. */
const BEFORE_LIKE = new Set(
  'looks look looked feel feels sounds is was would id i we you they it that more less'.split(' '),
);

/** What a sentence may begin with before it says what is wanted. */
const OPENINGS = phrases(
  [
    'hey computer|hi computer|hello computer|ok computer|okay computer|computer',
    'hey orchestrator|hi orchestrator|hello orchestrator|ok orchestrator|okay orchestrator|orchestrator',
    'hey assistant|okay assistant|hey dual|okay dual|hey there|hey|hi|hello',
    'okay|ok|so|well|now|right then|alright|all right|and|also|please|kindly|just|quickly|maybe|anyway',
    'could you|can you|would you|will you|wont you|could we|can we|could you maybe|would you mind|do you mind|would it be possible to',
    'id like you to|i would like you to|i want you to|i need you to|id love you to|id like to|i would like to|i want to|i need to',
    'we need to|we should|lets|let us|go ahead and|feel free to|try to|you should|you can|you could|please do',
    'be so kind and|be so good and|be a dear and|if you dont mind|do me a favour and|do me a favor and|go and|come on',
  ].join('|'),
);

/** What a sentence may end with after it has said what is wanted. */
const CLOSINGS =
  'please|pretty please|thanks|thank you|many thanks|thanks a lot|for me|would you|will you|could you|if you can|if you could|if possible|if you dont mind|when you have time|when you get a chance|okay|ok|right away|right now|now|quickly|once quickly|real quick|straight away|immediately|as soon as possible|asap|at once'
    .split('|')
    .map((phrase) => phrase.split(' '))
    .sort((a, b) => b.length - a.length);
/** Words that end a closing: without one of them there is none to look for. */
const LAST_OF_CLOSINGS = new Set(CLOSINGS.map((phrase) => phrase.at(-1)));

const setAside = (words: readonly Word[], at: number, count: number): void => {
  for (const word of words.slice(at, at + count)) word.aside = true;
};

const markFillers = (words: readonly Word[]): void => {
  for (let at = 0; at < words.length; at++) {
    const phrase = FILLERS.get(words[at]?.key ?? '')?.find((filler) => standsAt(words, at, filler));
    if (!phrase) continue;
    if (phrase[0] === 'like' && BEFORE_LIKE.has(words[at - 1]?.key ?? '')) continue;
    setAside(words, at, phrase.length);
  }
};

/** "It's" is "its", but "we'll" is no "well". */
const keyOf = (raw: string): string => {
  const lower = raw.normalize('NFKC').toLowerCase();
  return SHORTENED.test(lower) ? lower.replace(/['’]/, '_') : lower.replace(/['’]/g, '');
};
const SHORTENED = /^(?:i|we|he|she|they|you)['’](?:ll|d)$/;

/** The words of a text with their places; marks at either end of a word are left out of it. */
export const plainWords = (text: string): Word[] => {
  const words: Word[] = [];
  for (const match of text.matchAll(/\S+/g)) {
    const raw = match[0];
    let from = 0;
    let to = raw.length;
    while (from < to && '([{"“‘\''.includes(raw.charAt(from))) from++;
    while (to > from && ',;:.!?…)]}"”\'’'.includes(raw.charAt(to - 1))) to--;
    if (from === to || /^[-–—]+$/.test(raw)) {
      // A mark standing alone, such as a dash between two orders.
      const previous = words.at(-1);
      if (previous) previous.pause = true;
      continue;
    }
    words.push({
      key: keyOf(raw.slice(from, to)),
      start: match.index + from,
      end: match.index + to,
      pause: /[,;:.!?…]/.test(raw.slice(to)),
      aside: false,
    });
  }
  return words;
};

/** Sets aside the wake words and politeness at either end of a list of words; its last words always stay. */
export const setEdgesAside = (words: readonly Word[]): void => {
  const said = words.filter(({ aside }) => !aside);
  let first = 0;
  for (;;) {
    const opening = OPENINGS.get(said[first]?.key ?? '')?.find(
      (phrase) => first + phrase.length < said.length && standsAt(said, first, phrase),
    );
    if (!opening) break;
    setAside(said, first, opening.length);
    first += opening.length;
  }
  let last = said.length;
  while (LAST_OF_CLOSINGS.has(said[last - 1]?.key)) {
    const closing = CLOSINGS.find(
      (phrase) => last - phrase.length > first && standsAt(said, last - phrase.length, phrase),
    );
    if (!closing) break;
    setAside(said, last - closing.length, closing.length);
    last -= closing.length;
  }
};

/**
 * The words of a sentence, those set aside that say nothing about what is wanted: hesitation anywhere; wake words and
 * politeness at its beginning and end. A sentence of nothing else keeps its last words, so that "okay" stays "okay".
 */
export const wordsIn = (text: string): Word[] => {
  const words = plainWords(text);
  markFillers(words);
  setEdgesAside(words);
  return words;
};

/** The words that count, joined by one space; what control words and examples are compared by. */
export const essenceOf = (text: string): string =>
  wordsIn(text)
    .filter(({ aside }) => !aside)
    .map(({ key }) => key)
    .join(' ');
