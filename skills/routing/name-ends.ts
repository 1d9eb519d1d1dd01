import { spelledAt } from './spoken-words.ts';
import type { Token } from './spoken-words.ts';

/** Words before a name that are not part of it. */
const LEADING = new Set(
  'the a an this that our my called named function method class variable constant type symbol field property interface module enum helper component parameter param argument attribute column counter endpoint file branch'.split(
    ' ',
  ),
);
/** "The private method …", "the test helper …": part of what is said about it, where such a word follows. */
const BEFORE_LEADING = new Set(
  'test private public protected static global local async exported abstract shared'.split(' '),
);
/** Words at which a name ends. */
const ENDING = new Set(
  'to into onto as from everywhere in across throughout wherever all and or please on at for with then when if it instead so because before after'.split(
    ' ',
  ),
);
/** Words at which a name ends, though it goes on after these: "created at", "log in user", "select all rows". */
const GOES_ON: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    in: 'log sign check opt plug built logged signed zoom fade',
    on: 'based depends created updated run',
    at: 'created updated deleted expires started ended finished published',
    for: 'wait look search check',
    with: 'starts ends begins start end replace merge',
    as: 'save mark',
    all: 'select clear find get remove delete fetch list load',
    from: 'create build load read copy import derive parse make',
    if: 'create remove delete throw',
  }).map(([ending, before]) => [ending, new Set(before.split(' '))]),
);
/** A name may begin with these: "on click", "for each", "is" needs no mention. */
const MAY_BEGIN = new Set(['on', 'at', 'with', 'as', 'if', 'when', 'for']);
/** "rename for me …", "in the code": no beginning of a name follows. */
const NO_NAME = new Set(['me', 'us', 'now', 'once', 'it', 'its']);
const MAX_NAME_WORDS = 12;

/** What a name is the name of, where that decides how it is written. */
const KINDS = new Set('class type interface enum component constant'.split(' '));
const CASES: Readonly<Record<string, Style>> = {
  'camel case': 'camel',
  camelcase: 'camel',
  'lower camel case': 'camel',
  'pascal case': 'pascal',
  pascalcase: 'pascal',
  'upper camel case': 'pascal',
  'snake case': 'snake',
  'kebab case': 'kebab',
  'dash case': 'kebab',
  'constant case': 'constant',
  'screaming snake case': 'constant',
  'all caps': 'constant',
  'all capitals': 'constant',
  'upper case': 'constant',
  uppercase: 'constant',
};

export type Style = 'camel' | 'pascal' | 'snake' | 'kebab' | 'constant';

/** The words of a name, and what was said about how it is written. `end` is the token behind all of it. */
export interface NameWords {
  words: Token[];
  end: number;
  kind: string | null;
  style: Style | null;
}

const caseAt = (tokens: readonly Token[], at: number): { style: Style; end: number } | null => {
  for (let length = 3; length > 0; length--) {
    const key = tokens
      .slice(at, at + length)
      .map((token) => token.key)
      .join(' ');
    const style = Object.hasOwn(CASES, key) ? CASES[key] : undefined;
    if (style !== undefined) return { style, end: at + length };
  }
  return null;
};

/** Whether the name is over at this token. `code`: names of code may hold words at which others end. */
const endsAt = (tokens: readonly Token[], at: number, first: boolean, code: boolean): boolean => {
  const key = tokens[at]?.key ?? '';
  if (key === '' || !ENDING.has(key)) return key === '';
  if (!code) return true;
  const next = tokens[at + 1]?.key ?? '';
  if (first) return !MAY_BEGIN.has(key) || next === '' || [ENDING, LEADING, NO_NAME].some((set) => set.has(next));
  if (key === 'in' && caseAt(tokens, at + 1)) return true;
  const before = Object.hasOwn(GOES_ON, key) ? GOES_ON[key] : undefined;
  return !before?.has(tokens[at - 1]?.key ?? '') || LEADING.has(next);
};

/**
 * The words of a name that begins at or behind a token: without "the function", up to a word that ends names.
 * `code`: it is the name of something in code; a way of writing it ("in snake case") may be said too.
 */
export const nameAfter = (tokens: readonly Token[], start: number, code: boolean): NameWords => {
  let at = start;
  let kind: string | null = null;
  let style: Style | null = null;
  for (; at < tokens.length; at++) {
    const key = tokens[at]?.key ?? '';
    const said = code ? caseAt(tokens, at) : null;
    if (said) {
      style = said.style;
      at = said.end - 1;
    } else if (spelledAt(tokens, at)) break;
    else if (BEFORE_LEADING.has(key) && LEADING.has(tokens[at + 1]?.key ?? '')) continue;
    else if (LEADING.has(key)) kind = KINDS.has(key) ? key : kind;
    else break;
  }
  const words: Token[] = [];
  for (; at < tokens.length && words.length < MAX_NAME_WORDS; at++) {
    const said = code && words.length > 0 ? caseAt(tokens, at) : null;
    if (said) {
      style = said.style;
      at = said.end;
      break;
    }
    if (endsAt(tokens, at, words.length === 0, code)) break;
    words.push(tokens[at] as Token);
  }
  if (words.length > 0 && code && tokens[at]?.key === 'in') {
    const said = caseAt(tokens, at + 1);
    if (said) {
      style = said.style;
      at = said.end;
    }
  }
  return { words, end: at, kind, style };
};

/** A word that cannot be part of a name, or at which one ends. */
export const isBoundary = (token: Token | undefined): boolean =>
  token === undefined || ENDING.has(token.key) || LEADING.has(token.key) || token.key === '';
