import type { DependencyCondition } from '../../contracts/names.ts';
import type { Word } from './speech.ts';
import { phraseList, standsAt, wordSet } from './phrases.ts';

/**
 * How a clause follows what was said before: beside it (`with`), after it under a condition, or `first`: what was said
 * before waits for it ("deploy, but only after reviewing the branch").
 */
export type Link = 'with' | 'first' | DependencyCondition;

/** Words that join clauses. `length`: how many; `link`: how the clause behind them hangs on what came before. */
export interface Joint {
  length: number;
  link: Link;
  /** May also close the clause before it: "fix the tests if they fail", "review it afterwards". */
  closes: boolean;
  /** It is a condition on how something earlier went ("if it passes"), not merely an order of time ("then"). */
  condition?: boolean;
  /** The joint opens a clause that names what runs first or later, and the clause behind that one gets this link. */
  then?: Link;
}

interface Phrase {
  words: string[];
  link: Link;
  closes: boolean;
  condition?: boolean;
}
const of = (link: Link, closes: boolean, text: string): Phrase[] =>
  phraseList(text).map((words) => ({ words, link, closes }));

const PHRASES = [
  ...of('failed', true, 'if not|or else|otherwise'),
  ...of('failed', true, 'in case of failure|on failure').map((phrase) => ({ ...phrase, condition: true })),
  ...of(
    'succeeded',
    true,
    'on success|after that|after this|after which|afterwards|afterward|subsequently|later on|thereafter|when done|once done',
  ),
  ...of(
    'succeeded',
    false,
    'followed by|and then|and than|then|at the end|in the end|last of all|and finally|and lastly',
  ),
  ...of(
    'finished',
    true,
    'either way|in either case|in any case|no matter what|no matter how it goes|whatever happens|whatever the result|whatever the result is|whatever the outcome|whatever comes out|regardless|regardless of the result|regardless of the outcome|regardless of how that goes|regardless of how it goes|however it goes|however that goes|come what may|even if it fails|even if that fails',
  ),
  ...of(
    'with',
    false,
    'at the same time|in parallel|meanwhile|as well as|and|also|plus|and also|and in parallel|and at the same time',
  ),
].sort((a, b) => b.words.length - a.words.length);
const FIRST_WORDS = new Set(PHRASES.map(({ words }) => words[0]));
/** These join only where a sentence could pause: elsewhere they mean something else ("the next page"). */
const AFTER_A_PAUSE = of('succeeded', false, 'next|finally|lastly|last|but|second|secondly|than|third|thirdly');

const WELL = wordSet(
  'pass passes passed passing green work works worked succeed succeeds succeeded successful good fine ok okay well done finished finish finishes ready complete completed clean happy through over healthy up',
);
const BADLY = wordSet(
  'fail fails failed failing broken breaks break broke red wrong bad badly error errors crash crashes crashed problem problems issue issues trouble failure failures',
);
const NOT = wordSet('not no doesnt dont isnt arent didnt wont never without nothing');
const BEGINS = phraseList(
  'if|once|when|whenever|as soon as|should|in case|assuming|provided|provided that|only if|only when|only once|unless|after|only after',
).sort((a, b) => b.length - a.length);
/** What "when", "once" and "should" have behind them when they speak of how the earlier order went. */
const SUBJECTS = wordSet(
  'it its that thats this they theyre these those any all some one both something anything everything nothing the there you youre youve we were weve done finished',
);
const THEN_OF_TIME = wordSet('back since until till by even now just only');
const AFTERWARDS = wordSet('afterwards afterward');
const GOES_ON = wordSet('on about to from with in at of how what whether');
const ASKING = wordSet('check see me us out know sure wonder ask verify look tell test find confirm');
/** Words of a condition before it says how things went. */
const MAX_CONDITION = 7;
/** Words that may still belong to a condition behind its last one. */
const TAIL = wordSet('there too again out then through well as');

/** "if it passes", "once they are green", "should any of them fail". */
const conditionAt = (words: readonly Word[], at: number): Joint | null => {
  const begin = BEGINS.find((phrase) => standsAt(words, at, phrase));
  if (!begin) return null;
  const first = begin[0] as string;
  const next = words[at + begin.length]?.key ?? '';
  if (['once', 'when', 'should', 'whenever', 'as', 'after'].includes(first) && !SUBJECTS.has(next)) return null;
  let negated = first === 'unless';
  for (let i = at + begin.length; i < words.length && i < at + begin.length + MAX_CONDITION; i++) {
    const { key, pause } = words[i] as Word;
    if (NOT.has(key)) negated = !negated;
    if (WELL.has(key) || BADLY.has(key)) {
      let end = i + 1;
      while (!words[end - 1]?.pause && TAIL.has(words[end]?.key ?? '')) end++;
      return {
        length: end - at,
        link: WELL.has(key) !== negated ? 'succeeded' : 'failed',
        closes: true,
        condition: true,
      };
    }
    if (pause) break;
  }
  return null;
};

/** Who does it in a clause behind "after" or "before". */
const DOERS = wordSet('you youve we weve having i');
const HAVE = wordSet('have had are were');
/** They end like something being done. */
const NO_DOING = wordSet(
  'morning evening spring meeting building everything something anything nothing during training',
);

/** "after you have renamed …", "before deploying …": an order inside a clause of time. */
const timeClauseAt = (words: readonly Word[], at: number, leads: boolean): Joint | null => {
  let i = at;
  if (words[i]?.key === 'but') i++;
  if (words[i]?.key === 'only') i++;
  const word = words[i]?.key ?? '';
  if (!['after', 'once', 'before'].includes(word)) return null;
  i++;
  const next = words[i]?.key ?? '';
  const doer = DOERS.has(next);
  if (!doer && !(next.length > 5 && next.endsWith('ing') && !NO_DOING.has(next) && word !== 'once')) return null;
  if (doer) {
    i++;
    if (HAVE.has(words[i]?.key ?? '')) i++;
    if (i >= words.length) return null;
  }
  const later = word === 'before';
  // "after A, B" and "B before A" are said in the order in which they run.
  if (leads) return { length: i - at, link: 'with', closes: false, then: later ? 'first' : 'succeeded' };
  return { length: i - at, link: later ? 'succeeded' : 'first', closes: false };
};

/**
 * The joint that begins at a word, if any. `pause`: a sentence could pause before it; `leads`: nothing was said before
 * it in this sentence.
 */
export const jointAt = (words: readonly Word[], at: number, pause: boolean, leads: boolean): Joint | null => {
  const time = timeClauseAt(words, at, leads);
  if (time) return time;
  // "back then", "since then": a time, not an order of things.
  if (words[at]?.key === 'then' && THEN_OF_TIME.has(words[at - 1]?.key ?? '')) return null;
  // "report afterwards on all of them": it goes on.
  if (AFTERWARDS.has(words[at]?.key ?? '') && !pause && GOES_ON.has(words[at + 1]?.key ?? '')) return null;
  const skip = ['and', 'but', 'then'].includes(words[at]?.key ?? '') ? 1 : 0;
  // "check if the tests pass" asks; it sets no condition.
  const asks = words[at]?.key === 'if' && !pause && ASKING.has(words[at - 1]?.key ?? '');
  const condition = asks ? null : conditionAt(words, at + skip);
  if (condition) return { ...condition, length: condition.length + skip };
  const key = words[at]?.key;
  const known = FIRST_WORDS.has(key) ? PHRASES : [];
  for (const { words: phrase, link, closes, condition: sets } of pause ? [...known, ...AFTER_A_PAUSE] : known) {
    if (phrase[0] !== key || !standsAt(words, at, phrase)) continue;
    // "and after that", "and if it fails": the longer joint says more.
    if (link === 'with' && at + phrase.length < words.length) {
      const more = jointAt(words, at + phrase.length, true, false);
      if (more && more.link !== 'with') return { ...more, length: more.length + phrase.length };
    }
    return { length: phrase.length, link, closes, ...(sets && { condition: true }) };
  }
  return null;
};
