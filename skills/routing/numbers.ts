import type { Token } from './spoken-words.ts';

const SMALL = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
    .split(' ')
    .map((word, value) => [word, value]),
);
const TENS = new Map(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, i) => [word, (i + 2) * 10]),
);
const SCALES = new Map([
  ['thousand', 1_000],
  ['million', 1_000_000],
]);
/** "second" is missing: "a thirty second timeout" is said more often than a thirty-second of something. */
const ORDINALS = new Set(
  'first third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth twentieth thirtieth fortieth fiftieth hundredth thousandth'.split(
    ' ',
  ),
);
/** "the second one": a pronoun, unless more number words follow. */
const BEFORE_PRONOUN = new Set(
  'the this that which other another last next first second third each every any no some new old right left same wrong production staging'.split(
    ' ',
  ),
);
const DIGITS = /^(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?$/;

/** A number and the token behind it. */
export interface SpokenNumber {
  value: number;
  start: number;
  end: number;
}

const small = (word: string | undefined): number | undefined => SMALL.get(word ?? '');
const tens = (word: string | undefined): number | undefined => TENS.get(word ?? '');

/** One written word as several spoken ones: "twenty-five" is "twenty five". */
interface Word {
  key: string;
  token: number;
}
const wordsFrom = (tokens: readonly Token[], at: number): Word[] => {
  const words: Word[] = [];
  // The longest number in words that is worth reading has fewer words than this.
  for (let token = at; token < Math.min(tokens.length, at + 16); token++) {
    const key = tokens[token]?.key ?? '';
    const parts = key.split('-');
    const split = parts.length > 1 && parts.every((part) => SMALL.has(part) || TENS.has(part) || part === 'hundred');
    for (const part of split ? parts : [key]) words.push({ key: part, token });
  }
  return words;
};

/** A whole number at the beginning of `words`: its value and how many words it takes; null when there is none. */
const wholeIn = (words: readonly Word[]): { value: number; length: number } | null => {
  let total = 0;
  let part = 0;
  /** Below what the next word has to be to belong to the number. */
  let below = 1_000;
  let scaleBelow = Infinity;
  let length = 0;
  for (let at = 0; at < words.length;) {
    const key = words[at]?.key ?? '';
    const next = words[at + 1]?.key;
    const value = small(key) ?? tens(key);
    const scale = SCALES.get(key);
    if (key === 'and') {
      // "a hundred and two", but not "twenty and thirty".
      if (length === 0 || below < 100 || small(next) === 0 || (small(next) ?? tens(next)) === undefined) break;
      below = Math.min(below, 100);
      at += 1;
      continue;
    }
    if (value !== undefined) {
      if (value >= below || (value === 0 && length > 0)) break;
      part += value;
      below = value >= 20 ? 10 : 0;
    } else if ((key === 'a' || key === 'an') && length === 0 && (next === 'hundred' || SCALES.has(next ?? ''))) {
      part = 1;
      below = 0;
    } else if (key === 'hundred') {
      if (part === 0 || part > 99) break;
      part *= 100;
      below = 100;
    } else if (scale !== undefined) {
      if (part === 0 || scale >= scaleBelow) break;
      total += part * scale;
      part = 0;
      below = 1_000;
      scaleBelow = scale;
    } else if (length === 0 && DIGITS.test(key)) {
      const digits = Number(key.replaceAll(',', ''));
      const factor = SCALES.get(next ?? '');
      return factor === undefined ? { value: digits, length: 1 } : { value: digits * factor, length: 2 };
    } else break;
    at += 1;
    length = at;
  }
  return length === 0 ? null : { value: total + part, length };
};

/** "point five", "point one four": the digits behind the point, and how many words they take. */
const decimalsIn = (words: readonly Word[]): { digits: string; length: number } | null => {
  if (words[0]?.key !== 'point') return null;
  let digits = '';
  let length = 1;
  for (; length < words.length; length++) {
    const key = words[length]?.key ?? '';
    const value = key === 'oh' ? 0 : small(key);
    if (value !== undefined && value < 10) digits += value;
    else if (length === 1 && /^\d{1,15}$/.test(key)) digits = key;
    else break;
  }
  return digits === '' ? null : { digits, length };
};

/**
 * The number that begins at a token, in digits or in English words: "twenty-five", "a hundred and two",
 * "three point five", "minus three", "3 thousand"; null where none begins. Ordinals are no numbers.
 */
const numberAt = (tokens: readonly Token[], at: number): SpokenNumber | null => {
  const first = tokens[at]?.key ?? '';
  const signed = /^-\d/.test(first);
  const minus = first === 'minus' || first === 'negative';
  const words = wordsFrom(tokens, minus ? at + 1 : at);
  if (signed) words[0] = { key: first.slice(1), token: at };
  const whole = wholeIn(words);
  const decimals = decimalsIn(words.slice(whole?.length ?? 0));
  if (!whole && !decimals) return null;
  let value = whole?.value ?? 0;
  let length = whole?.length ?? 0;
  if (decimals && Number.isInteger(value)) {
    value = Number(`${value}.${decimals.digits}`);
    length += decimals.length;
  } else if (
    words
      .slice(length, length + 3)
      .map(({ key }) => key)
      .join(' ') === 'and a half'
  ) {
    value += 0.5;
    length += 3;
  }
  const behind = words[length];
  const end = behind ? behind.token : (words.at(-1)?.token ?? at) + 1;
  // Half of a hyphenated word, or "twenty fifth".
  if (words[length - 1]?.token === behind?.token && behind) return null;
  if (ORDINALS.has(tokens[end]?.key ?? '')) return null;
  return { value: signed || minus ? -value : value, start: at, end };
};

const isMark = (token: Token | undefined): boolean => token?.key === 'dot' || token?.key === 'slash';

/** Every number in a text. Parts of versions and addresses ("one dot two") and the pronoun "one" are none. */
export const numbersIn = (tokens: readonly Token[]): SpokenNumber[] => {
  const found: SpokenNumber[] = [];
  for (let at = 0; at < tokens.length;) {
    const number = numberAt(tokens, at);
    if (!number) {
      at += 1;
      continue;
    }
    const alone = number.end === at + 1 && tokens[at]?.key === 'one';
    const pronoun = alone && (BEFORE_PRONOUN.has(tokens[at - 1]?.key ?? '') || tokens[at + 1]?.key === 'of');
    if (!pronoun && !isMark(tokens[at - 1]) && !isMark(tokens[number.end])) found.push(number);
    at = number.end;
  }
  return found;
};

/**
 * Digits that are said in groups, as ports, addresses and ticket numbers are: "eighty eighty" is 8080, "one two seven"
 * is 127, "three thousand" is 3000. `end` is the token behind them; null where no digits begin.
 */
export const digitsAt = (tokens: readonly Token[], at: number): { digits: string; end: number } | null => {
  let digits = '';
  let end = at;
  while (end < tokens.length && digits.length < 16) {
    const key = tokens[end]?.key ?? '';
    if (key === 'oh' || key === 'o') {
      if (digits === '') break;
      digits += '0';
      end += 1;
      continue;
    }
    const words = wordsFrom(tokens, end);
    const whole = wholeIn(words);
    if (!whole || !Number.isInteger(whole.value)) break;
    const behind = words[whole.length];
    digits += /^0\d*$/.test(key) ? key : String(whole.value);
    end = behind ? behind.token : (words.at(-1)?.token ?? end) + 1;
    if (behind && words[whole.length - 1]?.token === behind.token) return null;
  }
  return digits === '' ? null : { digits, end };
};
