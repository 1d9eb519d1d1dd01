/** The words a name is made of: `getTotal`, `get_total`, "get total" → get, total. */
export const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_-]+/)
    .filter(Boolean)
    .map((word) => word.toLowerCase());

export type Style = 'camel' | 'pascal' | 'snake' | 'constant' | 'kebab' | 'flat';

export const styleOf = (name: string): Style => {
  if (/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(name) && (name.includes('_') || name.length > 1)) return 'constant';
  if (name.includes('_')) return 'snake';
  if (name.includes('-')) return 'kebab';
  if (/^[A-Z]/.test(name)) return 'pascal';
  return /[A-Z]/.test(name) ? 'camel' : 'flat';
};

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Words as a name of a style; one word in `flat` or `camel` look the same. */
export const nameFrom = (words: readonly string[], style: Style): string => {
  switch (style) {
    case 'constant':
      return words.join('_').toUpperCase();
    case 'snake':
      return words.join('_');
    case 'kebab':
      return words.join('-');
    case 'pascal':
      return words.map(capital).join('');
    case 'camel':
    case 'flat':
      return words.map((word, at) => (at === 0 ? word : capital(word))).join('');
  }
};

/** True for what may stand as a name in code. */
export const isIdentifier = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text);

/** A regular expression for a whole name: `$` belongs to names, `\b` does not know that. */
export const wholeName = (name: string): RegExp =>
  new RegExp(`(?<![\\w$])${name.replace(/[$.*+?^{}()|[\]\\]/g, '\\$&')}(?![\\w$])`, 'g');

/**
 * A name that nobody wrote ("compute total" became computeTotal on its way here) as its words again: the code decides
 * how it is written, unless a way of writing was said.
 */
const asHeard = (name: string, instruction: string): string => {
  const words = wordsOf(name).join(' ');
  const said = !instruction.includes(name) && instruction.toLowerCase().includes(words);
  return said && !/\b(?:case|caps|underscore|dash|hyphen)\b/i.test(instruction) ? words : name;
};

/** What somebody wants renamed, from `parameters` or from words; null: it is not said. */
export const renameAsked = (
  parameters: Record<string, unknown>,
  instruction: string,
): { from: string; to: string } | null => {
  const { from, to } = parameters;
  if (typeof from === 'string' && typeof to === 'string' && from.trim() && to.trim())
    return { from: clean(from), to: asHeard(clean(to), instruction) };
  const said =
    /\brename\s+(?<from>.+?)\s+(?:to|into|as)\s+(?<to>.+)$/i.exec(instruction) ??
    /\bchange\s+the\s+name\s+of\s+(?<from>.+?)\s+(?:to|into)\s+(?<to>.+)$/i.exec(instruction);
  const [a, b] = [clean(said?.groups?.from ?? ''), clean(said?.groups?.to ?? '')];
  return a === '' || b === '' ? null : { from: a, to: b };
};

const KINDS =
  /^(?:the\s+)?(?:(?:function|class|variable|constant|symbol|method|type|interface|module|field|property|name)\s+)?/i;
const AFTERWARDS =
  /[\s,]+(?:everywhere|throughout|across|in\s+(?:all|the|every|this|our|my)|and\s|please|for me|all over)\b.*$/i;

/** A name as a person writes or says it, without what surrounds it. */
const clean = (text: string): string =>
  text
    .trim()
    .replace(KINDS, '')
    .replace(AFTERWARDS, '')
    .replace(/^[`'"“”‘’]+|[`'"“”‘’.!?,;]+$/g, '')
    .trim();
