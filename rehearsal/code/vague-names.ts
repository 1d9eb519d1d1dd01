import type { Block } from './blocks.ts';
import { isIdentifier, nameFrom, styleOf, wordsOf } from './names.ts';

/** Words that say nothing about what is done, or to what. */
const EMPTY_NOUNS = new Set(
  'stuff thing things it foo bar baz qux misc something whatever blah all everything magic work job2'.split(' '),
);
const EMPTY_WORDS = new Set(
  'do does handle process run make get calc compute perform execute helper util utils func function fn method data value result temp tmp my new old'.split(
    ' ',
  ),
);

/** True for a function name from which nobody can tell what it does. */
export const isVague = (name: string): boolean => {
  const words = wordsOf(name)
    .map((word) => word.replace(/\d+$/, ''))
    .filter(Boolean);
  const last = words.at(-1) ?? '';
  if (words.length === 0) return false;
  return (
    (words.length > 1 && EMPTY_NOUNS.has(last)) ||
    (words.length === 1 && (EMPTY_NOUNS.has(last) || last.length === 1)) ||
    words.every((word) => EMPTY_WORDS.has(word))
  );
};

const bareVerb = (verb: string): string | null => {
  const word = verb.toLowerCase();
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|ss|x|zz|o)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : null;
};

const FILLER = /^(?:an?|the|each|every|all|this|that|its|one|some|given|new|whole|and|of|to|for)$/i;

/** "Prices an order: …" → price, order; "Share of an amount" → share, of. null: the comment does not begin that way. */
export const wordsOfComment = (doc: string): string[] | null => {
  const sentence = doc
    .replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/+|#+|""")/gm, ' ')
    .replace(/\*\/\s*$/, '')
    .trim();
  const words =
    /^[^.:;,(–—-]+/
      .exec(sentence)?.[0]
      .trim()
      .split(/\s+/)
      .filter((word) => /^[A-Za-z]+$/.test(word)) ?? [];
  const [head, ...rest] = words;
  if (head === undefined) return null;
  const verb = bareVerb(head);
  const noun = rest.find((word) => !FILLER.test(word));
  if (verb !== null && verb.length > 2 && noun !== undefined) return [verb, noun.toLowerCase()];
  const subject = FILLER.test(head) ? rest : words;
  return subject.length > 1 && subject[1]?.toLowerCase() === 'of' && subject[0] !== undefined
    ? [subject[0].toLowerCase(), 'of']
    : null;
};

/** A name somebody wrote down as the better one, beside the old one: "`calcStuff` … `priceOrder` would be the name". */
export const nameFromDocuments = (name: string, documents: readonly string[]): string | null => {
  for (const document of documents)
    for (const line of document.split('\n')) {
      if (!line.includes(`\`${name}\``) || !/\b(?:name|named|called|rename)\b/i.test(line)) continue;
      const other = [...line.matchAll(/`([\w$]+)`/g)]
        .map((match) => match[1] ?? '')
        .find((each) => each !== name && isIdentifier(each));
      if (other !== undefined) return other;
    }
  return null;
};

/** A better name for a vague one: what a document says, else what its comment says it does, else what it returns. */
export const betterName = (block: Block, documents: readonly string[]): { name: string; because: string } | null => {
  const old = block.name ?? '';
  const written = nameFromDocuments(old, documents);
  if (written !== null) return { name: written, because: 'a document here calls for that name' };
  const style = styleOf(old) === 'flat' ? 'camel' : styleOf(old);
  const said = wordsOfComment(block.doc);
  if (said) return { name: nameFrom(said, style), because: 'its comment says so' };
  const returned = /\)\s*(?::|->)\s*(?:Promise<)?([A-Z]\w+)/.exec(block.code)?.[1];
  if (returned !== undefined && !/^(?:Promise|Array|Record|Map|Set)$/.test(returned))
    return { name: nameFrom([...wordsOf(returned), 'of'], style), because: `it returns ${returned}` };
  return null;
};
