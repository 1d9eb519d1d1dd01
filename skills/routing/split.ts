import type { DependencyCondition } from '../../contracts/names.ts';

/** How a clause follows what was said before: beside it (`with`), or after it under a condition. */
export type Link = 'with' | DependencyCondition;

/** A stretch of the sentence between two places where it could be cut. `start` and `end` are character offsets. */
export interface Piece {
  start: number;
  end: number;
  link: Link;
  /** A condition said at its end: "fix the tests if it fails". */
  trailing: Link | null;
}

/** Pieces one sentence is cut into at most; beyond that only the strong cuts count, and then only the first ones. */
const MAX_PIECES = 24;

const phrases = (link: Link, text: string): { words: string[]; link: Link }[] =>
  text.split('|').map((phrase) => ({ words: phrase.trim().split(' '), link }));

/** Words that join orders. Longer phrases come first, so that "and then" is one. */
const CONNECTIVES = [
  ...phrases(
    'failed',
    'if it fails|if that fails|if this fails|if they fail|if any fails|if something fails|if anything fails|if not|if it does not work|if it doesnt work|if that does not work|if that doesnt work|in case it fails|in case of failure|should it fail|on failure|or else|otherwise',
  ),
  ...phrases(
    'succeeded',
    'if it works|if that works|if this works|if it succeeds|if that succeeds|if they pass|if it passes|if all goes well|if everything is fine|on success|once that is done|once thats done|once it is done|once its done|when that is done|when thats done|when it is done|when its done|when you are done|when youre done|after that|after this|afterwards|subsequently|followed by|then',
  ),
  ...phrases('finished', 'either way|in either case|in any case|no matter what|whatever happens|regardless'),
  ...phrases('with', 'at the same time|in parallel|meanwhile|as well as|and|also|plus'),
].sort((a, b) => b.words.length - a.words.length);

/** These join orders only where a sentence could pause: elsewhere they mean something else ("the next page"). */
const AFTER_A_PAUSE = phrases('succeeded', 'next|finally|lastly|but');

const STRENGTH: Record<Link, number> = { with: 0, succeeded: 1, finished: 2, failed: 2 };

interface Word {
  key: string;
  start: number;
  end: number;
  /** The word is followed by a mark at which a sentence could pause. */
  pause: boolean;
}

/** Words with their place; marks at either end are left out of it. */
const wordsAt = (text: string): Word[] => {
  const words: Word[] = [];
  for (const match of text.matchAll(/\S+/g)) {
    const raw = match[0];
    let from = 0;
    let to = raw.length;
    while (from < to && '([{"“‘'.includes(raw.charAt(from))) from++;
    while (to > from && ',;:.!?…)]}"”'.includes(raw.charAt(to - 1))) to--;
    const marks = raw.slice(to);
    const previous = words.at(-1);
    if (from === to) {
      // A mark standing alone, such as a dash between two orders.
      if (previous) previous.pause = true;
      continue;
    }
    words.push({
      key: raw.slice(from, to).toLowerCase().replace(/['’]/g, ''),
      start: match.index + from,
      end: match.index + to,
      pause: /[,;:.!?…]/.test(marks),
    });
  }
  return words;
};

const phraseAt = (words: readonly Word[], at: number, pause: boolean): { length: number; link: Link } | null => {
  for (const { words: phrase, link } of pause ? [...CONNECTIVES, ...AFTER_A_PAUSE] : CONNECTIVES) {
    if (phrase.every((key, i) => words[at + i]?.key === key)) return { length: phrase.length, link };
  }
  return null;
};

/** Cuts a sentence at every place where a new order could begin. */
export const piecesOf = (text: string): Piece[] => {
  const words = wordsAt(text);
  const pieces: Piece[] = [];
  let link: Link = 'with';
  let first = -1;
  const finish = (last: number, trailing: Link | null): void => {
    const start = words[first];
    const end = words[last];
    if (start && end && first >= 0) pieces.push({ start: start.start, end: end.end, link, trailing });
    first = -1;
    link = 'with';
  };
  for (let at = 0; at < words.length;) {
    const pause = at === 0 || words[at - 1]?.pause === true;
    const phrase = phraseAt(words, at, pause || first < 0);
    if (!phrase) {
      if (pause && first >= 0) finish(at - 1, null);
      if (first < 0) first = at;
      at += 1;
      continue;
    }
    const after = at + phrase.length;
    const conditional = STRENGTH[phrase.link] === 2;
    const closes = after >= words.length || words[after - 1]?.pause || phraseAt(words, after, false) !== null;
    if (conditional && first >= 0 && !pause && closes) {
      finish(at - 1, phrase.link);
    } else {
      if (first >= 0) finish(at - 1, null);
      if (STRENGTH[phrase.link] > STRENGTH[link]) link = phrase.link;
    }
    at = after;
  }
  finish(words.length - 1, null);
  return pieces.length > MAX_PIECES ? fewer(pieces, text) : pieces;
};

/** Joins pieces at the weak cuts first, then everything behind the last piece allowed. */
const fewer = (pieces: readonly Piece[], text: string): Piece[] => {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const strong = piece.link !== 'with' || (last !== undefined && /[.;!?]/.test(text.slice(last.end, piece.start)));
    if (last && (!strong || joined.length >= MAX_PIECES)) {
      last.end = piece.end;
      last.trailing = piece.trailing;
    } else joined.push({ ...piece });
  }
  return joined;
};

/** What a run of pieces would be worth as one clause: a probability. */
export type Worth = (text: string) => number;

/** A clause: one or more neighbouring pieces. */
export interface Clause extends Piece {
  text: string;
}

/** What a cut costs (a factor), and what leaving one uncut inside a clause costs, by its link. */
const CUT = 0.9;
const UNCUT: Record<Link, number> = { with: 1, succeeded: 0.9, finished: 0.5, failed: 0.5 };
/** Pieces that one clause may hold; bounds the number of stretches that are scored. */
const MAX_RUN = 12;

/**
 * Chooses the cuts: the division into at most `maxClauses` clauses whose worths multiply to the most.
 * `breathe` is awaited now and then, so that a long sentence does not hold up others.
 */
export const chooseClauses = async (
  text: string,
  pieces: readonly Piece[],
  worth: Worth,
  maxClauses: number,
  breathe: () => Promise<void>,
): Promise<Clause[]> => {
  interface Best {
    value: number;
    from: number;
  }
  const count = pieces.length;
  // best[k][end]: the best division of the first `end` pieces into k clauses.
  const best: (Best | undefined)[][] = Array.from({ length: maxClauses + 1 }, () => []);
  const start = best[0];
  if (start) start[0] = { value: 1, from: 0 };
  const longest = Math.max(MAX_RUN, Math.ceil(count / maxClauses));
  for (let end = 1; end <= count; end++) {
    await breathe();
    let inside = 1;
    for (let from = end - 1; from >= Math.max(0, end - longest); from--) {
      const first = pieces[from] as Piece;
      const value = worth(text.slice(first.start, (pieces[end - 1] as Piece).end)) * inside;
      for (let k = 1; k <= maxClauses; k++) {
        const before = best[k - 1]?.[from];
        if (!before) continue;
        const total = before.value * value * (k > 1 ? CUT : 1);
        const row = best[k];
        if (row && total > (row[end]?.value ?? -1)) row[end] = { value: total, from };
      }
      inside *= UNCUT[first.link];
    }
  }
  let k = 1;
  for (let more = 2; more <= maxClauses; more++) {
    if ((best[more]?.[count]?.value ?? -1) > (best[k]?.[count]?.value ?? -1)) k = more;
  }
  const clauses: Clause[] = [];
  for (let end = count; end > 0 && k > 0; k--) {
    const from = best[k]?.[end]?.from ?? 0;
    const first = pieces[from] as Piece;
    const last = pieces[end - 1] as Piece;
    clauses.unshift({
      start: first.start,
      end: last.end,
      link: first.link,
      trailing: last.trailing,
      text: text.slice(first.start, last.end),
    });
    end = from;
  }
  return clauses;
};
