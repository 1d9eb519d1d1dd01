import type { Link } from './connectives.ts';
import type { Piece } from './split.ts';

/** A clause: one or more neighbouring pieces. */
export interface Clause extends Omit<Piece, 'words' | 'sentence' | 'weak' | 'tail'> {
  text: string;
  /** What it is judged by when its own words lean on the clause before ("run them", "bar to supplier"). */
  meant: string;
}

/** How well a text fits each label (a skill, or "no order"), between 0 and 1; `verbatim`: it is a known line, word for word. */
export interface Fit {
  scores: readonly number[];
  verbatim: boolean;
}

/** What the chooser needs to know of a stretch of neighbouring pieces. */
export interface Stretch {
  text: string;
  meant: string;
}

/** What a cut costs, in well-fitting words; one that only a verb marks; and one before "the …", "of …". */
const CUT = 0.6;
const WEAK_CUT = 2;
const NOUN_CUT = 1;
/** What leaving a cut inside a clause takes from its worth (a factor), by the cut's link. */
const UNCUT: Record<Link, number> = { with: 1, succeeded: 0.8, first: 0.5, finished: 0.5, failed: 0.5 };
/** The same where two orders share a word and are two for certain. */
const MUST_CUT = 0.3;
/** How much the pieces of a clause have a say in what it is, against the clause as a whole. */
const SAY_OF_PIECES = 0.5;
const NO_BEGINNING = new Set('the a an my our your his her its their of for in on at with from by to'.split(' '));
const cutCost = ({ weak, words, link, fresh }: Piece): number => {
  if (weak) return WEAK_CUT;
  return link === 'with' && !fresh && NO_BEGINNING.has(words[0]?.key ?? '') ? NOUN_CUT : CUT;
};
/** Pieces that one clause may hold; bounds the number of stretches that are scored. */
const MAX_RUN = 12;

/**
 * Chooses the cuts: the division into at most `maxClauses` clauses whose words fit best. Every word counts how well
 * its clause fits one label, half by the clause as a whole and half by the word's own piece: a clause that speaks with
 * one voice is left whole, one whose pieces pull in different directions is cut. (A product of the clauses' scores
 * punishes every cut, right or wrong: 52 % of MixSNIPS against 87 %.) Negated pieces stand alone.
 * `breathe` is awaited now and then, so that a long sentence does not hold up others.
 */
export const chooseClauses = async (
  pieces: readonly Piece[],
  stretch: (from: number, end: number) => Stretch,
  fit: (text: string) => Fit,
  mustCut: (at: number) => boolean,
  maxClauses: number,
  breathe: () => Promise<void>,
): Promise<Clause[]> => {
  interface Best {
    value: number;
    from: number;
  }
  const count = pieces.length;
  const own = pieces.map((piece, i) => ({
    words: piece.words.length,
    scores: piece.negated ? [] : fit(stretch(i, i + 1).meant).scores,
  }));
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
      if (from < end - 1 && (first.negated || pieces[from + 1]?.negated)) break;
      words += piece?.words ?? 0;
      piece?.scores.forEach((score, label) => (said[label] = (said[label] ?? 0) + score * piece.words));
      let value = 0;
      if (!first.negated) {
        const whole = fit(stretch(from, end).meant);
        const say = whole.verbatim || from === end - 1 ? 0 : SAY_OF_PIECES;
        const closing = (pieces[end - 1] as Piece).trailing;
        const intact = whole.verbatim ? 1 : inside * (closing && from < end - 1 ? UNCUT[closing] : 1);
        value = intact * Math.max(...whole.scores.map((score, l) => (1 - say) * score * words + say * (said[l] ?? 0)));
      }
      for (let k = 1; k <= maxClauses; k++) {
        const before = best[k - 1]?.[from];
        if (!before) continue;
        const total = before.value + value - (k > 1 ? cutCost(first) : 0);
        const row = best[k];
        if (row && total > (row[end]?.value ?? -Infinity)) row[end] = { value: total, from };
      }
      inside *= mustCut(from) ? MUST_CUT : UNCUT[first.link];
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
      negated: first.negated,
      fresh: first.fresh,
      condition: first.condition || last.condition,
      parted: first.parted,
      ...stretch(from, end),
    });
    end = from;
  }
  return clauses;
};
