import type { Skill } from '../../contracts/skill.ts';
import { choicesIn } from './choices.ts';
import { nameAfter } from './name-ends.ts';
import { numbersIn } from './numbers.ts';
import { cuesOf, isChoice, parametersOf, requiredOf, withinBounds } from './parameter-schema.ts';
import type { ParameterSchema, SlotOptions } from './parameter-schema.ts';
import { branchBefore, fileIn, nameFrom } from './spoken-values.ts';
import { tokensOf } from './spoken-words.ts';
import type { Token } from './spoken-words.ts';
import { addressesIn, withoutAddresses } from './spoken-urls.ts';

export interface Slots {
  parameters: Record<string, unknown>;
  /** Required parameters nobody named, or named twice differently. */
  missing: string[];
}

/** What a text says about parameters: values, and those it names in two ways. */
interface Said {
  found: Map<string, unknown>;
  unclear: Set<string>;
}

/** "rename x to y to match the docs": a purpose, not a part of a name. */
const PURPOSE = new Set(
  'make match be fit avoid reflect follow help keep clarify fix show say mean express align have use improve get'.split(
    ' ',
  ),
);

/** Every place behind a cue's words, from token `from` on. */
const placesAfter = (tokens: readonly Token[], cue: string, from: number): number[] => {
  const words = cue.toLowerCase().split(/\s+/);
  const places: number[] = [];
  for (let at = from; at + words.length <= tokens.length; at++)
    if (words.every((word, i) => tokens[at + i]?.key === word)) places.push(at + words.length);
  return places;
};

/** Names by their cues, in the order of the schema: each is looked for behind the one before it. */
const namesIn = (text: string, schemas: readonly [string, ParameterSchema][], said: Said): void => {
  const tokens = tokensOf(text);
  let from = 0;
  let before: { name: string; end: number } | null = null;
  /** The symbol found last: "rename OrderService to order desk" means OrderDesk. */
  let like: string | null = null;
  for (const [name, schema] of schemas) {
    const cues = cuesOf(name, schema);
    const found = cues
      .flatMap((cue) => placesAfter(tokens, cue, from).slice(0, 1))
      .map((start) => ({ start, words: nameAfter(tokens, start, schema.format !== undefined) }))
      .map(({ start, words }) => ({ start, end: words.end, value: nameFrom(words, schema.format, like) }))
      .find(({ value }) => value !== undefined && withinBounds(value, schema));
    if (!found) {
      const shaped =
        schema.format === 'file'
          ? fileIn(tokensOf(withoutAddresses(text)))
          : schema.format === 'branch'
            ? branchBefore(tokens)
            : undefined;
      if (shaped !== undefined && withinBounds(shaped, schema)) said.found.set(name, shaped);
      continue;
    }
    // "rename convert to string to stringify": which "to"? Better asked than guessed.
    const again = cues.some((cue) => !cue.includes(' ') && tokens[found.end]?.key === cue.toLowerCase());
    const next = nameAfter(tokens, found.end + 1, true);
    if (
      schema.format === 'symbol' &&
      again &&
      next.words.length > 0 &&
      !PURPOSE.has(tokens[found.end + 1]?.key ?? '')
    ) {
      said.unclear.add(name);
      if (before && before.end === found.start - 1) {
        said.found.delete(before.name);
        said.unclear.add(before.name);
      }
      continue;
    }
    said.found.set(name, found.value);
    from = found.end;
    before = { name, end: found.end };
    if (schema.format === 'symbol') like = found.value ?? null;
  }
};

/** Words that may stand between a number and what it is the number of. */
const BETWEEN = new Set(['of', 'is', 'to', 'at', 'by', '=', 'be', 'about', 'most', 'least']);

/** Numbers by their cues ("depth 2", "12 pages"); with `alone` also the one number for the one parameter that is left. */
const numbersFor = (text: string, schemas: readonly [string, ParameterSchema][], said: Said, alone: boolean): void => {
  if (schemas.length === 0) return;
  const tokens = tokensOf(text);
  const addresses = addressesIn(text);
  let numbers = numbersIn(tokens).filter(
    ({ start }) =>
      !addresses.some(
        (address) => (tokens[start]?.start ?? 0) >= address.start && (tokens[start]?.start ?? 0) < address.end,
      ),
  );
  const left = schemas.filter(([name, schema]) => {
    for (const cue of cuesOf(name, schema)) {
      for (const place of placesAfter(tokens, cue, 0)) {
        let at = place;
        while (at < place + 2 && BETWEEN.has(tokens[at]?.key ?? '')) at++;
        const behind = place - cue.split(/\s+/).length;
        const number = numbers.find(({ start }) => start === at) ?? numbers.find(({ end }) => end === behind);
        if (!number) continue;
        numbers = numbers.filter((other) => other !== number);
        if (withinBounds(number.value, schema)) said.found.set(name, number.value);
        else said.unclear.add(name);
        return false;
      }
    }
    return true;
  });
  const [only] = numbers;
  const [last] = left;
  if (!alone || numbers.length !== 1 || left.length !== 1 || !only || !last) return;
  if (withinBounds(only.value, last[1])) said.found.set(last[0], only.value);
};

const switchIn = (tokens: readonly Token[], name: string, schema: ParameterSchema): boolean | undefined => {
  for (const cue of cuesOf(name, schema)) {
    const [place] = placesAfter(tokens, cue, 0);
    if (place === undefined) continue;
    return !['no', 'not', 'without', "don't", 'skip'].includes(tokens[place - 1 - cue.split(/\s+/).length]?.key ?? '');
  }
  return undefined;
};

/** Everything a text says about a skill's parameters. `alone`: a number may count without a cue. */
export const saidIn = (skill: Skill, text: string, options: SlotOptions, alone: boolean): Said => {
  const said: Said = { found: new Map(), unclear: new Set() };
  const schemas = parametersOf(skill);
  for (const [name, schema] of schemas) {
    if (isChoice(schema)) {
      const values = choicesIn(text, schema, options);
      if (values.length > 1) said.unclear.add(name);
      else if (values.length === 1) said.found.set(name, values[0]);
    } else if (schema.format === 'uri') {
      const urls = [...new Set(addressesIn(text).map(({ url }) => url))];
      if (urls.length > 1) said.unclear.add(name);
      else if (urls[0] !== undefined && withinBounds(urls[0], { maxLength: 2_000, ...schema }))
        said.found.set(name, urls[0]);
    } else if (schema.type === 'boolean') {
      const value = switchIn(tokensOf(text), name, schema);
      if (value !== undefined) said.found.set(name, value);
    }
  }
  const plain = schemas.filter(([, schema]) => !isChoice(schema) && schema.format !== 'uri');
  namesIn(
    text,
    plain.filter(([, { type }]) => type === 'string'),
    said,
  );
  numbersFor(
    text,
    plain.filter(([, { type }]) => type === 'integer' || type === 'number'),
    said,
    alone,
  );
  return said;
};

/** The text names two different values of one parameter: it is probably two orders. */
export const namesTwoValues = (skill: Skill, text: string, options: SlotOptions = {}): boolean =>
  parametersOf(skill).some(([, schema]) => isChoice(schema) && choicesIn(text, schema, options).length > 1);

/** Fills a skill's parameters from the words of one clause, then from its defaults. */
export const fillSlots = (skill: Skill, text: string, options: SlotOptions = {}): Slots => {
  const { found, unclear } = saidIn(skill, text, options, true);
  for (const [name, value] of Object.entries(skill.defaults)) {
    if (!found.has(name) && !unclear.has(name)) found.set(name, value);
  }
  return {
    parameters: Object.fromEntries(found),
    missing: requiredOf(skill).filter((name) => !found.has(name)),
  };
};
