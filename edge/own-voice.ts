import { unlikeness } from './likeness.ts';

/** What was said is kept so long after its end, and at most so many sentences of so many words. */
const KEPT_MS = 30_000;
const MAX_KEPT = 40;
const MAX_WORDS = 120;
/** An echo begins at most so long after the sound: the way through the room, the microphone and its buffers. */
const BEGINS_WITHIN_MS = 300;
/** An echo ends when we fall silent, and at most so much later; a person goes on. */
const ENDS_WITHIN_MS = 400;
/** Part of the words that must be ours, in our order. */
const OURS = 0.8;
/**
 * Part of the letters that may be others where the words are: a plain recogniser gets few words of an echo right. With
 * PocketSphinx's general model, 26 % of echoes of synthesised speech keep the words, 81 % so much of the letters; and
 * 0.3 % of orders are as like to a sentence of ours, of which only those count that are said just as long as it is.
 */
const UNLIKE = 0.45;
/** Fewer words than this are ours only when they were heard just when we said them. */
const FEW_WORDS = 3;
/** Where in a sentence a word is said is known from its place in the text, this well. */
const PLACE_MS = 400;
const PLACE_PART = 0.15;
/** Nobody says a word in less: so many words of an echo were said before we fell silent, but for the way it takes. */
const WORD_MS = 150;
const WAY_MS = 100;
/** A letter of synthesised speech, for sentences that are still being said. */
const LETTER_MS = 65;

/** Recognisers write sounds, not meanings: words that sound alike are one word, numbers are words. */
const SAME: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'zero 0',
    'one 1 won',
    'two 2 to too',
    'three 3',
    'four 4 for fore',
    'five 5',
    'six 6',
    'seven 7',
    'eight 8 ate',
    'nine 9',
    'ten 10',
    'past passed',
    'there their',
    'by buy bye',
    'right write',
    'sight site cite',
    'okay ok',
  ].flatMap((line) => {
    const [first = '', ...rest] = line.split(' ');
    return rest.map((word) => [word, first] as const);
  }),
);

/** What stops things: alone, it is a person's, whatever we say meanwhile. To stop wrongly is mended by saying it again. */
const STOPS = new Set('stop cancel abort halt quit no nope reject never enough silence quiet'.split(' '));
/** What answers; never taken for a slip of the recogniser in an echo of ours. */
const ANSWERS = new Set([...STOPS, ...'yes yeah yep sure okay approve approved go do please'.split(' ')]);

interface Word {
  word: string;
  /** Where it begins in the text. */
  at: number;
}

const wordsOf = (text: string): Word[] =>
  Array.from(text.toLowerCase().matchAll(/[\p{L}\p{N}][\p{L}\p{N}'’]*/gu), ({ 0: found, index }) => {
    const plain = found.replace(/['’]/g, '');
    const known = Object.hasOwn(SAME, plain) ? SAME[plain] : undefined;
    return { word: known ?? (plain.length > 3 ? plain.replace(/s$/, '') : plain), at: index };
  });

/** For each number of first words of `heard`: how many of them are in `said`, in order. */
const inOrder = (heard: readonly Word[], said: readonly Word[]): number[] => {
  let row = new Array<number>(said.length + 1).fill(0);
  return [
    0,
    ...heard.map(({ word }) => {
      const next = [0];
      for (let j = 0; j < said.length; j += 1)
        next.push(said[j]?.word === word ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
      row = next;
      return next[said.length] ?? 0;
    }),
  ];
};

interface Said {
  text: () => string;
  startedAtMs: number;
  /** Infinity while it is being said. */
  endedAtMs: number;
  /** It was heard to its end. */
  whole: boolean;
}

/** A sentence that is being said. */
export interface Saying {
  /** It was heard to its end (`whole`), or cut off. */
  ended(atMs: number, whole: boolean): void;
}

/** Knows what was said by us, so that it is not taken for what a person says. Times are those of `performance.now()`. */
export interface OwnVoice {
  /** `text` may grow while it is said (the model's voice). */
  begin(text: string | (() => string), startedAtMs: number): Saying;
  /** What a person said in it: all of `text`, the end of it, or nothing (an echo of us). */
  wordsOfUser(text: string, fromMs: number, toMs: number): string;
  /** Nothing in it is a person's. */
  isOwnVoice(text: string, fromMs: number, toMs: number): boolean;
  /** So far it could be an echo; more words may show that it is not. For partial transcripts. */
  mayBeOwn(text: string, fromMs: number, nowMs: number): boolean;
  /** Something was being said in this time, or just before it. */
  spokeDuring(fromMs: number, toMs: number): boolean;
}

export const createOwnVoice = (): OwnVoice => {
  let kept: Said[] = [];

  const during = (fromMs: number, toMs: number): Said[] =>
    kept.filter((said) => fromMs <= said.endedAtMs + BEGINS_WITHIN_MS && toMs >= said.startedAtMs);
  const saidWords = (said: readonly Said[]): Word[] => said.flatMap(({ text }) => wordsOf(text()).slice(0, MAX_WORDS));

  /** One or two words: ours when they stand so in what we said, and the time fits the place. */
  const fewAreOurs = (heard: readonly Word[], said: Said, fromMs: number, toMs: number): boolean => {
    const text = said.text();
    const words = wordsOf(text).slice(0, MAX_WORDS);
    const lengthMs = said.whole ? said.endedAtMs - said.startedAtMs : text.length * LETTER_MS;
    const slackMs = PLACE_MS + PLACE_PART * lengthMs;
    return words.some((_, place) => {
      if (!heard.every(({ word }, i) => words[place + i]?.word === word)) return false;
      const next = words[place + heard.length];
      const beginsAt = said.startedAtMs + (lengthMs * (words[place]?.at ?? 0)) / text.length;
      const endsAt = said.startedAtMs + (lengthMs * (next?.at ?? text.length)) / text.length;
      return fromMs >= beginsAt - slackMs && toMs <= Math.min(endsAt + slackMs, said.endedAtMs + ENDS_WITHIN_MS);
    });
  };

  const wordsOfUser = (text: string, fromMs: number, toMs: number): string => {
    const said = during(fromMs, toMs);
    const heard = wordsOf(text).slice(0, MAX_WORDS);
    if (said.length === 0 || heard.length === 0) return text;
    if (heard.length < FEW_WORDS) {
      if (heard.length === 1 && STOPS.has(heard[0]?.word ?? '')) return text;
      return said.some((one) => fewAreOurs(heard, one, fromMs, toMs)) ? '' : text;
    }
    const ours = saidWords(said);
    const known = new Set(ours.map(({ word }) => word));
    const answered = heard.findIndex(({ word }) => ANSWERS.has(word) && !known.has(word));
    const endedAtMs = Math.max(...said.map((one) => one.endedAtMs));
    const found = inOrder(heard, ours);
    const echoes = (count: number): boolean => (found[count] ?? 0) >= OURS * count;
    const wentOn = toMs > endedAtMs + ENDS_WITHIN_MS;
    const like = (): boolean => said.some((one) => unlikeness(text, one.text()) <= UNLIKE);
    if (!wentOn && answered < 0 && (echoes(heard.length) || like())) return '';
    // An answer that came at once stands behind the echo of its question.
    for (let count = heard.length - 1; count >= FEW_WORDS; count -= 1) {
      const isOurs = echoes(count) && (found[count] ?? 0) > (found[count - 1] ?? 0);
      if (!isOurs || (answered >= 0 && answered < count) || fromMs + count * WORD_MS > endedAtMs + WAY_MS) continue;
      const rest = heard.slice(count);
      const slip = !wentOn && rest.length === 1 && !ANSWERS.has(rest[0]?.word ?? '');
      return slip ? '' : text.slice(rest[0]?.at).trim();
    }
    return text;
  };

  return {
    begin: (text, startedAtMs) => {
      const words = typeof text === 'string' ? () => text : text;
      const said: Said = { text: words, startedAtMs, endedAtMs: Infinity, whole: false };
      kept = [...kept.filter(({ endedAtMs }) => endedAtMs > startedAtMs - KEPT_MS), said].slice(-MAX_KEPT);
      return {
        ended: (atMs, whole) => {
          said.endedAtMs = Math.max(atMs, said.startedAtMs);
          said.whole = whole;
        },
      };
    },
    wordsOfUser,
    isOwnVoice: (text, fromMs, toMs) => wordsOf(text).length > 0 && wordsOfUser(text, fromMs, toMs) === '',
    mayBeOwn: (text, fromMs, nowMs) => {
      const said = during(fromMs, nowMs);
      const heard = wordsOf(text).slice(0, MAX_WORDS);
      if (said.length === 0) return heard.length === 0;
      if (heard.length === 1 && STOPS.has(heard[0]?.word ?? '')) return false;
      const ours = saidWords(said);
      const known = new Set(ours.map(({ word }) => word));
      if (heard.some(({ word }) => ANSWERS.has(word) && !known.has(word))) return false;
      if ((inOrder(heard, ours)[heard.length] ?? 0) >= OURS * heard.length) return true;
      return heard.length >= FEW_WORDS && said.some((one) => unlikeness(text, one.text()) <= UNLIKE);
    },
    spokeDuring: (fromMs, toMs) => during(fromMs, toMs).length > 0,
  };
};
