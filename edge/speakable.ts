/** Words of one spoken sentence; more is not listened to. */
export const MAX_SPOKEN_WORDS = 25;
/** Characters that are looked at: nothing said is longer, and no text of others costs more than this. */
const MAX_CHARS = 4_000;

const MONEY =
  /[$€£]\s?\d|\b\d{1,12}(?:[.,]\d{1,12})?\s?(?:us)?\s?(?:dollars?|cents?|usd|euros?|eur|pounds?)\b|\bno cost\b|\bless than a cent\b|\b(?:an )?unknown price\b/i;
const AMOUNT =
  /(?:about )?(?:[$€£]\s?\d[\d.,]*\d|[$€£]\s?\d|\b\d{1,12}(?:[.,]\d{1,12})?\s?(?:us)?\s?(?:dollars?|cents?|usd|euros?|eur|pounds?)\b)/gi;

/** Extensions of pages: such a file is called a page. */
const PAGE = /\.(?:html?|php|aspx?|jsp)$/i;

/** A token that is a key, a hash or a code, rather than a word. */
const isUnspeakable = (token: string): boolean =>
  /^[0-9a-f]{7,}$/i.test(token) ? /\d/.test(token) : token.length >= 16 && /\d/.test(token) && /[a-z]/i.test(token);

const nameOf = (segment: string): string => {
  let plain = segment;
  try {
    plain = decodeURIComponent(segment);
  } catch {
    // A stray percent sign: it stands as it is.
  }
  const words = plain
    .replace(/[-_+%]+/g, ' ')
    .replace(/\.(?=\w)/g, ' dot ')
    .trim();
  return words.split(' ').some(isUnspeakable) ? '' : words;
};

/** "the start page", "the page old prices", "logo dot png". */
const spokenAddress = (text: string): string => {
  const end = /[.,;:!?)\]]+$/.exec(text)?.[0] ?? '';
  const url = URL.parse(text.slice(0, text.length - end.length));
  if (!url) return `the address${end}`;
  const last = url.pathname.split('/').filter(Boolean).at(-1);
  if (last === undefined || /^index\.\w+$/.test(last)) return `the start page${end}`;
  if (PAGE.test(last) || !last.includes('.')) return `the page ${nameOf(last.replace(PAGE, ''))}${end}`;
  return `${nameOf(last)}${end}`;
};

/** "src/api/users.ts", "C:\\data", "./run", but not "and/or" and "3/4". */
const isPath = (text: string): boolean =>
  /[a-z]/i.test(text) && (/^[./~\\]|^[a-z]:|\\|\.\w/i.test(text) || text.split('/').length > 2);

/** The last part of a path is its name; the way there is for eyes. */
const spokenPath = (path: string): string => nameOf(path.split(/[\\/]/).filter(Boolean).at(-1) ?? '');

/** Marks of Markdown, tables and code, taken away line by line. Blocks of code are not read out. */
const withoutMarkup = (text: string): string =>
  text
    .replace(/```[^]*?(?:```|$)/g, ' ')
    .replace(/!?\[([^\]\n]{0,300})\]\([^)\n]{0,2000}\)/g, '$1')
    .replace(/^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+)/gm, '')
    .replace(/^\s*\|.*$/gm, ' ')
    .replace(/<\/?[a-z][^<>]{0,300}>/gi, ' ')
    .replace(/\*\*|__|~~|`/g, '')
    .replace(/(^|[\s(])[*_](?=\S)|(?<=\S)[*_](?=[\s).,;:!?]|$)/gm, '$1');

/** A job's id keeps its place: "job 2". */
const withoutIds = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{32}-(\d{1,3})\b/gi, 'job $1')
    .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '')
    .replace(/\[secret\]/g, 'a secret');

const withoutCodes = (text: string): string =>
  text.replace(/[\w./+=-]{7,}/g, (token) => (isUnspeakable(token.replace(/[./-]+$/, '')) ? '' : token));

const withoutAddresses = (text: string): string =>
  text
    .replace(/\b(?:https?|wss?|file|ftp):\/\/[^\s<>"'“”’`]+/gi, spokenAddress)
    .replace(/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b/g, 'the address')
    .replace(/(?<![\w/])[\w.-]+@[\w-]+(?:\.[\w-]+)+/g, 'a mail address')
    .replace(/(?<![\w.@~-])(?:[A-Za-z]:)?(?:[\w.@~-]*[\\/])+[\w.@~-]*/g, (path) =>
      isPath(path) ? spokenPath(path) : path,
    )
    .replace(/\b[\w-]+\.(?:[cm]?[jt]sx?|json|ya?ml|md|py|go|rs|java|css|html?|sh|toml|sql|txt)\b/gi, nameOf);

const inWords = (text: string): string =>
  text
    .replace(/\s*(?:->|=>|→|⇒)\s*/g, ' to ')
    .replace(/&/g, ' and ')
    .replace(/%/g, ' percent')
    .replace(/#(?=\d)/g, 'number ')
    .replace(/(\d)\s?ms\b/g, '$1 milliseconds')
    .replace(/[“”„"«»‹›<>{}[\]|\\^~=#*_`…•·$€£]/g, ' ')
    .replace(/[–—]/g, ', ')
    .replace(/\p{Extended_Pictographic}|\p{Cf}|\p{Co}/gu, ' ')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/\(\s*\)/g, ' ')
    .replace(/\s+([.,;:!?)])/g, '$1')
    .replace(/([.,;:!?])(?:\s*[,;:.])+/g, '$1')
    .replace(/ {2,}/g, ' ')
    .replace(/^[\s.,;:!?)-]+/, '')
    .trim();

/** Sentences that tell a price are left out; where that is all there is, the price alone. */
const withoutMoney = (text: string): string => {
  if (!MONEY.test(text)) return text;
  const rest = text.split(/(?<=[.!?;])\s+|\n+/).filter((part) => !MONEY.test(part));
  return rest.length > 0 ? rest.join(' ') : text.replace(AMOUNT, 'an amount').replace(MONEY, 'an amount');
};

/** At most so many words, ended where a sentence or a part of one ends, if that keeps half of them. */
export const shortened = (text: string, maxWords: number): string => {
  const words = text.split(' ').filter(Boolean);
  if (words.length <= maxWords) return text;
  const kept = words.slice(0, maxWords);
  const stop = kept.findLastIndex((word, at) => at + 1 >= maxWords / 2 && /[.;:!?,]$/.test(word));
  const cut = stop >= 0 ? kept.slice(0, stop + 1) : kept;
  while (/^(?:a|an|the|and|or|of|to|in|on|at|for|with|from|by|that|which|is|are|was)$/i.test(cut.at(-1) ?? ''))
    cut.pop();
  return cut
    .join(' ')
    .replace(/\([^()]*$/, '')
    .replace(/[.,;:\s]+$/, '');
};

/**
 * Text of others as it can be said: without marks, addresses, paths, ids, keys and prices. May be empty. Not for a
 * question: what is left out may be what it is about.
 */
export const speakable = (text: string, maxWords = MAX_SPOKEN_WORDS): string =>
  shortened(
    inWords(withoutCodes(withoutAddresses(withoutIds(withoutMoney(withoutMarkup(text.slice(0, MAX_CHARS))))))),
    maxWords,
  );

/** The first sentence with words in it. A full stop within a number or a name ends none. */
export const firstSentence = (text: string): string => {
  const line =
    withoutMarkup(text.slice(0, MAX_CHARS).replace(/^\s{0,3}#{1,6}\s.*$/gm, ''))
      .split('\n')
      .find((one) => /\p{L}{2}/u.test(one)) ?? '';
  return (/^.*?[.!?](?=\s|$)/.exec(line.trim())?.[0] ?? line).trim();
};

/** "Two", "three" …; digits above twelve. */
export const counted = (count: number): string => COUNTS[count] ?? String(count);
const COUNTS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ');

/** With a capital letter and a full stop. */
export const sentence = (text: string): string => {
  const plain = text.trim();
  if (plain === '') return '';
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${/[.!?]$/.test(plain) ? '' : '.'}`;
};
