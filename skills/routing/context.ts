import type { Piece, Verbs } from './split.ts';
import { textOf } from './split.ts';
import type { Stretch } from './choose-clauses.ts';
import { wordSet } from './phrases.ts';

/** Words that stand for something said before. */
const PRONOUNS = wordSet('it them that this these those everything one all both itself');
/** "figure out what's wrong": what, the words before it told. */
const CAUSE = wordSet('whats wrong why cause reason culprit');
/** Words at which the thing a verb acts on ends. */
const AFTER_OBJECT = wordSet('in on for of to from with at off into onto that which who by about and then so because');
/** A clause this short, with a pronoun in it, leans on what was said before. */
const LEANING = 4;
/** Words of a fragment without a verb of its own: "bar to supplier". */
const FRAGMENT = 5;

const keysOf = (piece: Piece): string[] => piece.words.map(({ key }) => key);
/** The words as they were said: names of code keep their capitals. */
const saidOf = (text: string, piece: Piece): string[] => piece.words.map(({ start, end }) => text.slice(start, end));
const beginsWithVerb = (piece: Piece | undefined, verbs: Verbs): boolean => verbs.has(piece?.words[0]?.key ?? '');

/** What the verb of a piece acts on: "write tests for the coupon logic" -> "tests". */
const objectOf = (text: string, piece: Piece): string => {
  const end = keysOf(piece).findIndex((key, i) => i > 0 && AFTER_OBJECT.has(key));
  return saidOf(text, piece)
    .slice(1, end < 0 ? piece.words.length : end)
    .join(' ');
};

const leans = (piece: Piece): boolean =>
  piece.words.length <= LEANING && piece.words.some(({ key }, i) => i > 0 && (PRONOUNS.has(key) || CAUSE.has(key)));

/**
 * Joins to a statement the short order that leans on it: "the date parser crashes on leap years, repair it" is one
 * order, and "three specs are failing sort them out" as well.
 */
export const joinLeaning = (pieces: readonly Piece[], verbs: Verbs): Piece[] => {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const statement = last && !last.negated && !piece.negated && !beginsWithVerb(last, verbs) && last.words.length > 2;
    if (last && statement && piece.link === 'with' && last.trailing === null && leans(piece))
      joined[joined.length - 1] = {
        ...last,
        end: piece.end,
        trailing: piece.trailing,
        words: [...last.words, ...piece.words],
        tail: last.tail + piece.words.length,
      };
    else joined.push(piece);
  }
  return joined;
};

/** One way to word a piece, and what was borrowed for it. `tail`: only where its own words fit nothing. */
export interface Wording {
  text: string;
  by: 'own' | 'tail' | 'object' | 'pronoun' | 'verb';
}

/** The wordings by which a piece could be meant, its own first. */
const meanings = (text: string, pieces: readonly Piece[], at: number, verbs: Verbs): Wording[] => {
  const piece = pieces[at] as Piece;
  const before = pieces[at - 1];
  const after = pieces[at + 1];
  const own = saidOf(text, piece);
  const found: Wording[] = [{ text: own.join(' '), by: 'own' }];
  const add = (by: Wording['by'], words: readonly string[]): void => void found.push({ text: words.join(' '), by });
  // "audio mixer dot c p p plays the wrong channel, fix this": where the telling confuses, the order alone decides.
  if (piece.tail > 0) add('tail', own.slice(-piece.tail));
  // "fix and test the parser": the first verb shares the second one's object.
  if (
    piece.words.length === 1 &&
    after?.link === 'with' &&
    beginsWithVerb(piece, verbs) &&
    beginsWithVerb(after, verbs)
  )
    add('object', [...own, ...saidOf(text, after).slice(1)]);
  if (!before || before.negated || !beginsWithVerb(before, verbs)) return found;
  if (leans(piece)) {
    const object = objectOf(text, before);
    const keys = keysOf(piece);
    if (object)
      add(
        'pronoun',
        own.map((word, i) => (i > 0 && PRONOUNS.has(keys[i] ?? '') ? object : word)),
      );
  }
  // "rename foo to customer and bar to supplier": the fragment shares the verb, or more, of the clause before.
  if (own.length <= FRAGMENT && piece.link === 'with' && !piece.weak && !beginsWithVerb(piece, verbs)) {
    const shared = saidOf(text, before).filter((_, i) => before.words[i]?.key !== 'both');
    const lead = shared.slice(0, Math.max(1, shared.length - own.length));
    add('verb', [shared[0] ?? '', ...own]);
    if (lead.length > 1) add('verb', [...lead, ...own]);
  }
  return found;
};

/** How a piece is best understood beside its neighbours. */
export interface Context {
  /** The stretch of pieces from `from` up to, not including, `end`. */
  stretch: (from: number, end: number) => Stretch;
  /** The piece borrows words of a neighbour: its own verb's object, or the verb before it. */
  borrows: (at: number) => 'object' | 'verb' | null;
}

/** `prefer` says which of several wordings is meant, by its index, and is told what was said before. */
export const createContext = (
  text: string,
  pieces: readonly Piece[],
  verbs: Verbs,
  prefer: (wordings: readonly Wording[], before: string | undefined) => number,
): Context => {
  const meant = pieces.map((_, at) => {
    const wordings = meanings(text, pieces, at, verbs);
    const before = pieces[at - 1];
    return wordings.length > 1 ? wordings[prefer(wordings, before && saidOf(text, before).join(' '))]?.text : undefined;
  });
  const known = new Map<number, Stretch>();
  const borrows = (at: number): 'object' | 'verb' | null => {
    const piece = pieces[at] as Piece;
    // What leans on something told keeps both: the telling is what it is about.
    if (piece.tail > 0) return null;
    if (meant[at] === undefined || meant[at] === saidOf(text, piece).join(' ')) return null;
    if (!beginsWithVerb(piece, verbs)) return 'verb';
    return piece.words.length === 1 ? 'object' : null;
  };
  return {
    borrows,
    stretch: (from, end) => {
      const key = from * 1_000 + end;
      let found = known.get(key);
      if (!found) {
        const own = textOf(text, pieces.slice(from, end));
        const wording = end === from + 1 ? (meant[from] ?? own) : own;
        // Whoever carries it out has to know what "fix" was said of.
        const said = end === from + 1 && borrows(from) !== null ? wording : own;
        found = { text: said, meant: wording };
        known.set(key, found);
      }
      return found;
    },
  };
};
