/** One word as it was written down, without quotes and marks around it. `start` and `end` are characters of the text. */
export interface Token {
  raw: string;
  /** Lower case. */
  key: string;
  start: number;
  end: number;
}

/** Characters of a text that are looked at; more is no sentence. */
const MAX_CHARS = 8_000;

/** An IPv6 address at the beginning of a word: its brackets belong to it. */
const BRACKETED = /^(?:[a-z]{2,5}:\/\/)?\[[0-9a-f:.]{2,45}\]/i;

/** The words of a text, split at white space. */
export const tokensOf = (text: string): Token[] =>
  Array.from(text.slice(0, MAX_CHARS).matchAll(/\S+/g), ({ 0: word, index }) => {
    const bracketed = BRACKETED.exec(word)?.[0].length ?? 0;
    const opened = bracketed > 0 ? word : word.replace(/^["'“‘`([]+/, '');
    const raw = trimEnd(opened, bracketed);
    const start = index + word.length - opened.length;
    return { raw, key: raw.toLowerCase(), start, end: start + raw.length };
  });

const CLOSING = `"'”’\`)],;:.!?…`;
/** Without the marks at its end. A loop: an expression anchored at the end takes quadratic time on a row of marks. */
const trimEnd = (word: string, least: number): string => {
  let end = word.length;
  while (end > least && CLOSING.includes(word.charAt(end - 1))) end--;
  return word.slice(0, end);
};

/** Words as phrases are compared by: lower case letters and digits, split at everything else. */
export const plainWords = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** What recognisers write for a mark that was said. */
export const MARKS: Readonly<Record<string, string>> = {
  dot: '.',
  slash: '/',
  dash: '-',
  hyphen: '-',
  minus: '-',
  underscore: '_',
  colon: ':',
};

/** The mark a token stands for; undefined when it is a word. */
export const markOf = (token: Token | undefined): string | undefined =>
  token !== undefined && Object.hasOwn(MARKS, token.key) ? MARKS[token.key] : undefined;

/** A letter that was spelled; "double u" takes two tokens. */
const letterAt = (tokens: readonly Token[], at: number): { letters: string; end: number } | null => {
  const token = tokens[at];
  if (!token) return null;
  if (/^[a-z]$/.test(token.key)) return { letters: token.key, end: at + 1 };
  // "I.D." is written for two letters too.
  if (/^(?:[a-z]\.)+[a-z]$/.test(token.key)) return { letters: token.key.replaceAll('.', ''), end: at + 1 };
  const next = tokens[at + 1]?.key;
  if (token.key === 'double' && (next === 'u' || next === 'you')) return { letters: 'w', end: at + 2 };
  if (token.key === 'triple' && next === 'w') return { letters: 'www', end: at + 2 };
  return null;
};

/** Two or more letters spelled one after another, as one word: "I D" is "id". `end` is the token behind them. */
export const spelledAt = (tokens: readonly Token[], at: number): { letters: string; end: number } | null => {
  let letters = '';
  let end = at;
  for (let next = letterAt(tokens, end); next; next = letterAt(tokens, end)) {
    letters += next.letters;
    end = next.end;
  }
  return letters.length > 1 ? { letters, end } : null;
};
