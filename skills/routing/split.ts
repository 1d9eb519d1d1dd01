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

/** Joins pieces at the weak cuts if there are strong ones, then everything behind the last piece allowed. */
const fewer = (pieces: readonly Piece[], text: string): Piece[] => {
  const strong = (piece: Piece, last: Piece | undefined): boolean =>
    piece.link !== 'with' || (last !== undefined && /[.;!?]/.test(text.slice(last.end, piece.start)));
  const onlyWeak = !pieces.some((piece, i) => i > 0 && strong(piece, pieces[i - 1]));
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && (joined.length >= MAX_PIECES || !(onlyWeak || strong(piece, last)))) {
      last.end = piece.end;
      last.trailing = piece.trailing;
    } else joined.push({ ...piece });
  }
  return joined;
};

/** A clause: one or more neighbouring pieces. */
export interface Clause extends Piece {
  text: string;
}

/** How well a text fits each label (a skill, or "no order"), between 0 and 1; `verbatim`: it is a known line, word for word. */
export interface Fit {
  scores: readonly number[];
  verbatim: boolean;
}

/** What a cut costs, in well-fitting words. */
const CUT = 0.3;
/** What leaving a cut inside a clause takes from its worth (a factor), by the cut's link. */
const UNCUT: Record<Link, number> = {
  with: 1,
  succeeded: 0.8,
  finished: 0.5,
  failed: 0.5,
};
/** How much the pieces of a clause have a say in what it is, against the clause as a whole. */
const SAY_OF_PIECES = 0.5;
/** Pieces that one clause may hold; bounds the number of stretches that are scored. */
const MAX_RUN = 12;

/**
 * Chooses the cuts: the division into at most `maxClauses` clauses whose words fit best. Every word counts how well
 * its clause fits one label, half by the clause as a whole and half by the word's own piece: a clause that speaks with
 * one voice is left whole, one whose pieces pull in different directions is cut. (A product of the clauses' scores
 * punishes every cut, right or wrong: 52 % of MixSNIPS against 87 %.)
 * `breathe` is awaited now and then, so that a long sentence does not hold up others.
 */
export const chooseClauses = async (
  text: string,
  pieces: readonly Piece[],
  fit: (text: string) => Fit,
  maxClauses: number,
  breathe: () => Promise<void>,
): Promise<Clause[]> => {
  interface Best {
    value: number;
    from: number;
  }
  const count = pieces.length;
  const own = pieces.map(({ start, end }) => {
    const stretch = text.slice(start, end);
    return { words: stretch.split(/\s+/).length, scores: fit(stretch).scores };
  });
  // best[k][end]: the best division of the first `end` pieces into k clauses.
  const best: (Best | undefined)[][] = Array.from({ length: maxClauses + 1 }, () => []);
  const start = best[0];
  if (start) start[0] = { value: 0, from: 0 };
  const longest = Math.max(MAX_RUN, Math.ceil(count / maxClauses));
  for (let end = 1; end <= count; end++) {
    await breathe();
    let inside = 1;
    let words = 0;
    const said: number[] = [];
    for (let from = end - 1; from >= Math.max(0, end - longest); from--) {
      const first = pieces[from] as Piece;
      const piece = own[from];
      words += piece?.words ?? 0;
      piece?.scores.forEach((score, label) => (said[label] = (said[label] ?? 0) + score * piece.words));
      const whole = fit(text.slice(first.start, (pieces[end - 1] as Piece).end));
      const say = whole.verbatim || from === end - 1 ? 0 : SAY_OF_PIECES;
      const intact = whole.verbatim ? 1 : inside;
      const value =
        intact * Math.max(...whole.scores.map((score, l) => (1 - say) * score * words + say * (said[l] ?? 0)));
      for (let k = 1; k <= maxClauses; k++) {
        const before = best[k - 1]?.[from];
        if (!before) continue;
        const total = before.value + value - (k > 1 ? CUT : 0);
        const row = best[k];
        if (row && total > (row[end]?.value ?? -Infinity)) row[end] = { value: total, from };
      }
      inside *= UNCUT[first.link];
    }
  }
  let k = 1;
  for (let more = 2; more <= maxClauses; more++) {
    if ((best[more]?.[count]?.value ?? -Infinity) > (best[k]?.[count]?.value ?? -Infinity)) k = more;
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
