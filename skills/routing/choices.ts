import { listedAs } from '../targets.ts';
import { numbersIn } from './numbers.ts';
import type { ParameterSchema, SlotOptions } from './parameter-schema.ts';
import { plainWords, tokensOf } from './spoken-words.ts';
import { addressesIn, withoutAddresses } from './spoken-urls.ts';

/** Words before a value that say it is not meant. */
const NOT = new Set(['not', 'except', 'without', 'isnt', 'nor', 'neither', 'never']);
const NOT_PAIRS = new Set(['instead of', 'rather than', 'no longer', 'other than', 'not the', 'not on', 'except the']);

/** Each value with the phrases it is known by, as words. */
const phrasesOf = (schema: ParameterSchema, { targets = [] }: SlotOptions): { value: unknown; words: string[] }[] => {
  const synonyms = schema['x-synonyms'] ?? {};
  const values = new Set<unknown>(schema.enum ?? []);
  if (schema.format === 'target')
    for (const name of [...Object.keys(synonyms), ...targets.map(({ name }) => name)]) values.add(name);
  return [...values].flatMap((value) => {
    const own = Object.hasOwn(synonyms, String(value)) ? (synonyms[String(value)] ?? []) : [];
    return [String(value), ...own].map((phrase) => ({ value, words: plainWords(phrase) }));
  });
};

/** Values named in a text without addresses, as whole words; of two that overlap the longer one, none that is denied. */
const namedIn = (text: string, schema: ParameterSchema, options: SlotOptions): unknown[] => {
  const words = plainWords(text);
  const found: { value: unknown; start: number; end: number }[] = [];
  for (const { value, words: phrase } of phrasesOf(schema, options)) {
    if (phrase.length === 0) continue;
    for (let at = 0; at + phrase.length <= words.length; at++)
      if (phrase.every((word, i) => words[at + i] === word)) found.push({ value, start: at, end: at + phrase.length });
  }
  const inside = (a: { start: number; end: number }, b: { start: number; end: number }): boolean =>
    a.start >= b.start && a.end <= b.end && a.end - a.start < b.end - b.start;
  const denied = (start: number): boolean =>
    NOT.has(words[start - 1] ?? '') || NOT_PAIRS.has(`${words[start - 2] ?? ''} ${words[start - 1] ?? ''}`);
  const named = found.filter((match) => !found.some((other) => inside(match, other)) && !denied(match.start));
  if (named.length === 0 && schema.enum?.some((value) => typeof value === 'number')) {
    const numbers = numbersIn(tokensOf(text)).map(({ value }) => value);
    return schema.enum.filter((value) => numbers.includes(value as number));
  }
  const values = new Set(named.map(({ value }) => value));
  // "from staging to production": where it comes from is not where it goes.
  if (values.size > 1) for (const { value, start } of named) if (words[start - 1] === 'from') values.delete(value);
  return [...values];
};

/**
 * The different values of a choice that a text names: by name, synonym or, for a target, by address. An address of a
 * listed target is that target; a name that is a part of an address said beside it ("the staging site, staging dot
 * example dot com") is the same thing said twice.
 */
export const choicesIn = (text: string, schema: ParameterSchema, options: SlotOptions): unknown[] => {
  const addresses = addressesIn(text);
  const named = namedIn(addresses.length > 0 ? withoutAddresses(text, addresses) : text, schema, options);
  if (schema.format !== 'target' || addresses.length === 0) return named;
  const said = addresses.map((address) => {
    const listed = listedAs(address, options.targets ?? []);
    const url = URL.parse(listed?.url ?? address.url);
    const bare = url?.pathname === '/' && url.search === '' && url.hash === '';
    return {
      name: listed?.name,
      host: url?.hostname ?? '',
      value: listed && bare ? listed.name : (url?.href ?? address.url),
    };
  });
  const others = named.filter(
    (name) => !said.some((address) => address.name === name || address.host.split(/[.-]/).includes(String(name))),
  );
  return [...new Set([...said.map(({ value }) => value), ...others])];
};
