import { jointAt } from './connectives.ts';
import type { Link } from './connectives.ts';
import { takeBack } from './restarts.ts';
import { setEdgesAside, wordsIn } from './speech.ts';
import type { Word } from './speech.ts';
import { standsAt, wordSet } from './phrases.ts';

/** A stretch of the sentence between two places where it could be cut. `start` and `end` are character offsets. */
export interface Piece {
  start: number;
  end: number;
  link: Link;
  /** A condition said at its end: "fix the tests if it fails". */
  trailing: Link | null;
  /** Nothing but a word that begins orders marks the cut before it. */
  weak: boolean;
  /** The speaker said that this must not be done. */
  negated: boolean;
  /** A mark that ends sentences stands before it. */
  fresh: boolean;
  /** Its link is a condition ("if it passes"), not merely an order of time. */
  condition: boolean;
  /** A pause, or a word that turns ("just", "but"), parts it from what was said before. */
  parted: boolean;
  /** All words of the sentence it is a piece of. */
  sentence: readonly Word[];
  /** Its words, without those set aside. */
  words: readonly Word[];
  /** How many of its last words are an order that leans on what its first words tell; 0: none. */
  tail: number;
}

/** What words begin orders; learnt from the skills' examples. */
export type Verbs = ReadonlySet<string>;

/** Pieces one sentence is cut into at most; beyond that only the strong cuts count, and then only the first ones. */
const MAX_PIECES = 24;

/** A word that begins orders is something else behind these: "the test", "a new build", "to open", "unit test". */
const NO_VERB_BEHIND = wordSet(
  'the a an my our your their his her its this that these those any all some every each no one new old other another first last next latest same whole full unit integration regression end to of for in on with from by at as into about than or not dont never just only both how what which who when where why i you we they he she we_ll i_ll he_ll she_ll they_ll you_ll i_d we_d he_d she_d is are was were be been being has have had do does did can could will would should may might must',
);
/** What says that the order behind it must not be done, longest first. */
const NEGATIONS = [
  'do not',
  'dont',
  'never',
  'not',
  'no need to',
  'you shouldnt',
  'you should not',
  'nobody should',
  'no one should',
  'nobody must',
  'we dont need',
  'we do not need',
  'i dont want',
  'i do not want',
  'must not',
  'mustnt',
  'instead of',
  'rather than',
  'there is no need to',
  'theres no need to',
  'no more',
  'neither',
  'nor',
]
  .map((phrase) => phrase.split(' '))
  .sort((a, b) => b.length - a.length);
/** "not" behind these belongs to a statement: "it is not there". */
const STATES = wordSet(
  'is are was were do does did has have had can could will would should may might must why if or am be been whether',
);
/** What ends the reach of a negation: "don't touch the tests, just mend the crash". */
const TURNS = wordSet('just only but instead simply rather');

const negationAt = (words: readonly Word[], at: number, verbs: Verbs): number => {
  const found = NEGATIONS.find((phrase) => standsAt(words, at, phrase))?.length ?? 0;
  if (found > 0 || words[at]?.key !== 'no' || words[at]?.pause) return found;
  // "no deploy to production"
  return verbs.has(words[at + 1]?.key ?? '') && (at === 0 || words[at - 1]?.pause === true) ? 1 : 0;
};

/** Cuts a sentence at every place where a new order could begin. */
export const piecesOf = (text: string, verbs: Verbs): Piece[] => {
  const all = wordsIn(text);
  takeBack(all, (key) => verbs.has(key));
  const words = all.filter(({ aside }) => !aside);
  const pieces: Piece[] = [];
  let link: Link = 'with';
  let following: Link | null = null;
  let first = -1;
  let weak = false;
  let negated = false;
  let condition = false;
  let parted = true;
  const fresh = (at: number): boolean => at === 0 || /[.!?;]/.test(text.slice(words[at - 1]?.end, words[at]?.start));

  const finish = (end: number, trailing: Link | null): void => {
    if (first >= 0 && end > first) {
      const whole = words.slice(first, end);
      setEdgesAside(whole);
      const own = whole.filter(({ aside, key }, i) => {
        const leads = i === 0 && LEADS.has(key);
        const dangles = i === whole.length - 1 && DANGLING.has(key);
        return !aside && !((leads || dangles) && whole.length > 1);
      });
      const [begin] = own;
      const last = own.at(-1);
      // "then please but": nothing is left of it.
      if (begin && last)
        pieces.push({
          start: begin.start,
          end: last.end,
          link,
          trailing,
          weak,
          negated: negated || (pieces.at(-1)?.negated === true && belongs(own)),
          fresh: fresh(first),
          condition: condition || (trailing !== null && trailing !== 'finished'),
          parted,
          sentence: all,
          words: own,
          tail: 0,
        });
      link = following ?? 'with';
      following = null;
      weak = false;
      negated = false;
      condition = false;
      parted = words[end - 1]?.pause === true;
    }
    first = -1;
  };
  /** "do not touch production and staging": what has no verb of its own shares the "not". */
  const belongs = (own: readonly Word[]): boolean => link === 'with' && !parted && !verbs.has(own[0]?.key ?? '');
  const join = (next: Link): void => {
    if (next !== 'with') link = next;
  };

  for (let at = 0; at < words.length;) {
    const pause = at === 0 || words[at - 1]?.pause === true;
    const leads = at === 0 || (first < 0 && fresh(at));
    const joint = jointAt(words, at, pause || first < 0, leads);
    if (joint) {
      const after = at + joint.length;
      const closed =
        after >= words.length || words[after - 1]?.pause === true || jointAt(words, after, false, false) !== null;
      if (joint.closes && first >= 0 && closed && (!pause || after >= words.length)) finish(at, joint.link);
      else {
        finish(at, null);
        join(joint.link);
        if (joint.condition) condition = true;
        if (joint.then) following = joint.then;
      }
      at = after;
      continue;
    }
    const negation = negationAt(words, at, verbs);
    // "the tests don't pass" tells something; "see that staging works, not production" takes something back.
    const turned = words[at]?.key === 'not' && !STATES.has(words[at - 1]?.key ?? '');
    const told =
      first >= 0 && !pause && !turned && !takesBack(words, at, negation, verbs.has(words[first]?.key ?? ''), verbs);
    if (negation > 0 && !told && at + negation < words.length) {
      finish(at, null);
      negated = true;
      first = at;
      at += negation;
      continue;
    }
    if (negation > 1 && told && at + negation < words.length) {
      at += negation;
      continue;
    }
    if (negated && first >= 0 && TURNS.has(words[at]?.key ?? '')) {
      finish(at, null);
      parted = true;
      at += 1;
      continue;
    }
    if (pause && first >= 0) finish(at, null);
    else if (first >= 0 && beginsOrder(words, at, first, verbs)) {
      finish(at, null);
      weak = true;
    }
    if (first < 0) first = at;
    at += 1;
  }
  finish(words.length, null);
  if (pieces.length > 1 && announces(pieces[0] as Piece)) pieces.shift();
  return pieces.length > MAX_PIECES ? fewer(pieces) : pieces;
};

/** "Two things:", "three jobs": what follows is what is wanted. */
const ANNOUNCED = wordSet('things thing jobs tasks points orders requests stuff');
const HOW_MANY = wordSet('two three four five several some few couple many more one following these');
const announces = ({ words }: Piece): boolean =>
  words.length <= 4 &&
  ANNOUNCED.has(words.at(-1)?.key ?? '') &&
  words.slice(0, -1).some(({ key }) => HOW_MANY.has(key));

/** "first write the tests", "both document and benchmark it". */
const LEADS = wordSet('first firstly both');
/** "fix the types but | do not deploy". */
const DANGLING = wordSet('but and so then');

/** "but do not deploy", "fix the types don't deploy", "instead of deploying": a new stretch that takes something back. */
const takesBack = (words: readonly Word[], at: number, length: number, ordering: boolean, verbs: Verbs): boolean => {
  const next = words[at + length]?.key ?? '';
  if (['instead', 'rather'].includes(words[at]?.key ?? '')) return next.length > 5 && next.endsWith('ing');
  if (['but', 'please', 'just', 'only', 'though', 'no', 'wait', 'actually'].includes(words[at - 1]?.key ?? ''))
    return true;
  if (QUOTING.has(words[at - 1]?.key ?? '')) return false;
  return ordering && verbs.has(next);
};

/** Behind these words something is quoted or told: "a comment that says do not deploy", "so that we never deploy". */
const QUOTING = wordSet(
  'say says said saying called named titled labelled labeled reads reading rename we you i they he she it that which',
);

/** The whole sentence as one piece. */
export const wholeOf = (text: string): Piece[] => {
  const sentence = wordsIn(text);
  const words = sentence.filter(({ aside }) => !aside);
  const [first] = words;
  const last = words.at(-1);
  if (!first || !last) return [];
  const { start } = first;
  const { end } = last;
  return [
    {
      start,
      end,
      link: 'with',
      trailing: null,
      weak: false,
      negated: false,
      fresh: true,
      condition: false,
      parted: true,
      sentence,
      words,
      tail: 0,
    },
  ];
};

const beginsOrder = (words: readonly Word[], at: number, first: number, verbs: Verbs): boolean =>
  at > first &&
  at + 1 < words.length &&
  verbs.has(words[words[at]?.key === 'please' ? at + 1 : at]?.key ?? '') &&
  words[at]?.pause === false &&
  words[at - 1]?.key !== 'please' &&
  jointAt(words, at + 1, false, false) === null &&
  !NO_VERB_BEHIND.has(words[at - 1]?.key ?? '') &&
  !QUOTING.has(words[at - 1]?.key ?? '');

/** Joins pieces at the weak cuts if there are strong ones, then everything behind the last piece allowed. */
const fewer = (pieces: readonly Piece[]): Piece[] => {
  const strong = (piece: Piece): boolean => piece.link !== 'with' || piece.fresh || piece.negated;
  const onlyWeak = !pieces.some((piece, i) => i > 0 && strong(piece));
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && (joined.length >= MAX_PIECES || !(onlyWeak || strong(piece) || last.negated))) {
      joined[joined.length - 1] = {
        ...last,
        end: piece.end,
        trailing: piece.trailing,
        words: [...last.words, ...piece.words],
      };
    } else joined.push(piece);
  }
  return joined;
};

/** What the speaker said from the first of neighbouring pieces to the last, less what was set aside. */
export const textOf = (text: string, pieces: readonly Piece[]): string => {
  const start = pieces[0]?.start ?? 0;
  const end = pieces.at(-1)?.end ?? 0;
  const said = pieces[0]?.sentence.filter((word) => word.start >= start && word.end <= end) ?? [];
  if (!said.some(({ aside }) => aside)) return text.slice(start, end);
  return said
    .filter(({ aside }) => !aside)
    .map((word) => text.slice(word.start, word.end))
    .join(' ');
};
