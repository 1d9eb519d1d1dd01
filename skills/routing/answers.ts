import type { Skill } from '../../contracts/skill.ts';
import { choicesIn } from './choices.ts';
import { nameAfter } from './name-ends.ts';
import { numbersIn } from './numbers.ts';
import { cuesOf, isChoice, parametersOf, withinBounds } from './parameter-schema.ts';
import type { ParameterSchema, SlotOptions } from './parameter-schema.ts';
import { saidIn } from './slots.ts';
import { fileIn, nameFrom } from './spoken-values.ts';
import { plainWords, tokensOf } from './spoken-words.ts';
import { addressesIn, withoutAddresses } from './spoken-urls.ts';

/** A longer answer to "which one?" is a new sentence, not a value. */
const MAX_VALUE_CHARS = 80;
const MAX_ADDRESS_CHARS = 500;

/** Whole answers that name nothing. */
const NO_ANSWER = new Set(
  'neither|neither of them|none|none of them|nothing|never mind|nevermind|forget it|forget that|cancel|stop|skip|skip it|no|nope|no idea|no thanks|not sure|i dont know|dont know|dunno|i have no idea|whatever|any|anything|either|both|yes|yeah|yep|ok|okay|sure|what|pardon|sorry|sorry what|come again|say that again|hello|hm|um|uh|thanks|thank you|wait|one moment|the other one|something else'.split(
    '|',
  ),
);
/** Sentences talk; names do not. */
const TALK = new Set(
  "i'm i'll we you he she they think know don't what why who maybe guess actually let's lets my your".split(' '),
);
const POLITE = new Set(['please', 'thanks', 'thank', 'you', 'um', 'uh', 'er', 'well', 'okay', 'ok', 'then']);
/** What people say before a value: words that are left out, longest first. */
const LEADS = [
  'it should be called',
  'it should be named',
  'it should be',
  'it is called',
  'its called',
  "it's called",
  'make it',
  'call it',
  'name it',
  'rename it to',
  'change it to',
  'the name is',
  'the new name is',
  'that would be',
  'should be',
  'i mean',
  'i meant',
  'i said',
  'i want',
  'it is',
  'its',
  "it's",
  'thats',
  "that's",
  'this is',
  'use',
  'take',
].map((lead) => lead.split(' '));
/** What may stand around a choice without making another order of it. */
const AROUND_CHOICE = new Set(
  'the a an one ones on to for in at it is its this that of our my i mean meant want said use take just only please thanks thank you site website page environment server branch target version um uh er well okay ok yes no not sorry actually'.split(
    ' ',
  ),
);

/** An answer without politeness at either end. */
const bareAnswer = (answer: string): string => {
  const words = answer.trim().split(/\s+/);
  const polite = (word: string | undefined): boolean =>
    POLITE.has((word ?? '').toLowerCase().replace(/[^\p{L}]/gu, ''));
  while (words.length > 1 && polite(words[0])) words.shift();
  while (words.length > 1 && polite(words.at(-1))) words.pop();
  return words.join(' ').replace(/^[,;:\s]+|[,;:.!?…\s]{1,20}$/g, '');
};

const withoutLead = (text: string, cues: readonly string[]): string => {
  const words = text.split(' ');
  for (const lead of [...LEADS, ...cues.map((cue) => cue.toLowerCase().split(' '))]) {
    if (words.length > lead.length && lead.every((word, at) => words[at]?.toLowerCase() === word))
      return withoutLead(words.slice(lead.length).join(' '), cues);
  }
  return text;
};

const nameIn = (text: string, schema: ParameterSchema): string | undefined => {
  const tokens = tokensOf(text);
  if (schema.format === undefined) return text;
  if (tokens.some(({ key }) => TALK.has(key))) return undefined;
  if (schema.format === 'file') {
    const shaped = fileIn(tokens);
    if (shaped !== undefined) return shaped;
  }
  const name = nameAfter(tokens, 0, true);
  // A word was left over: the answer says more than a name ("fetch user and run the tests").
  if (name.end < tokens.length && schema.format !== 'branch') return undefined;
  return nameFrom(name, schema.format);
};

const switchFrom = (text: string): boolean | undefined => {
  const [first] = plainWords(text);
  if (['yes', 'yeah', 'yep', 'sure', 'true', 'on', 'with', 'do'].includes(first ?? '')) return true;
  return ['no', 'nope', 'false', 'off', 'without', 'dont'].includes(first ?? '') ? false : undefined;
};

/**
 * The value that an answer gives one parameter, read as `fillSlots` reads orders but without a cue: "the production one
 * please", "to fetch user", "twenty". Undefined when it gives none: "neither", two values at once, another sentence.
 */
const valueOf = (name: string, schema: ParameterSchema, answer: string, options: SlotOptions = {}): unknown => {
  if (schema.type === 'boolean') return switchFrom(answer);
  const bare = bareAnswer(answer);
  if (bare === '' || NO_ANSWER.has(plainWords(bare).join(' '))) return undefined;
  if (isChoice(schema)) {
    const values = choicesIn(bare, schema, options);
    return values.length === 1 ? values[0] : undefined;
  }
  if (schema.format === 'uri') {
    const urls = bare.length > MAX_ADDRESS_CHARS ? [] : [...new Set(addressesIn(bare).map(({ url }) => url))];
    return urls.length === 1 && withinBounds(urls[0], { maxLength: MAX_ADDRESS_CHARS, ...schema })
      ? urls[0]
      : undefined;
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    const numbers = numbersIn(tokensOf(bare));
    return numbers.length === 1 && withinBounds(numbers[0]?.value, schema) ? numbers[0]?.value : undefined;
  }
  if (schema.type !== 'string' || bare.length > MAX_VALUE_CHARS) return undefined;
  const value = nameIn(withoutLead(bare, cuesOf(name, schema)), schema);
  return value !== undefined && withinBounds(value, schema) ? value : undefined;
};

/** True for an answer that is a choice and next to nothing else: no order, whatever it resembles. */
export const isBareChoice = (schema: ParameterSchema, answer: string, options: SlotOptions = {}): boolean => {
  if (!isChoice(schema) || choicesIn(answer, schema, options).length !== 1) return false;
  const wordsBeside = (text: string): string[] => plainWords(text).filter((word) => !AROUND_CHOICE.has(word));
  if (addressesIn(answer).length > 0) return wordsBeside(withoutAddresses(answer)).length === 0;
  const words = wordsBeside(answer);
  // Each word is needed: "test system" is one choice, "check staging" is a choice and something else.
  const needed = words.every((_, at) => choicesIn(words.toSpliced(at, 1).join(' '), schema, options).length === 0);
  return needed && choicesIn(words.join(' '), schema, options).length === 1;
};

/**
 * What an answer gives of a skill's missing parameters. The first is the one that was asked for and needs no cue; the
 * others count where they are announced: "parse user to read user". Empty when it gives nothing.
 */
export const answeredIn = (
  skill: Skill,
  missing: readonly string[],
  answer: string,
  options: SlotOptions = {},
): Record<string, unknown> => {
  const [asked] = missing;
  if (asked === undefined) return {};
  const schemas = new Map(parametersOf(skill));
  const { found } = saidIn(skill, answer, options, false);
  const answered: Record<string, unknown> = {};
  for (const name of missing.slice(1)) if (found.has(name)) answered[name] = found.get(name);
  const schema = schemas.get(asked);
  const before =
    Object.keys(answered).length > 0
      ? partBefore(
          answer,
          [...schemas].filter(([name]) => Object.hasOwn(answered, name)),
        )
      : answer;
  const value =
    schema &&
    (found.has(asked) && schema.format !== undefined ? found.get(asked) : valueOf(asked, schema, before, options));
  return value === undefined ? {} : { ...answered, [asked]: value };
};

/** The answer up to the first word that announces another parameter. */
const partBefore = (answer: string, others: readonly [string, ParameterSchema][]): string => {
  const tokens = tokensOf(answer);
  let cut = answer.length;
  for (const [name, schema] of others) {
    for (const cue of cuesOf(name, schema)) {
      const words = cue.toLowerCase().split(/\s+/);
      const at = tokens.findIndex((_, i) => i > 0 && words.every((word, w) => tokens[i + w]?.key === word));
      if (at > 0) cut = Math.min(cut, tokens[at]?.start ?? cut);
    }
  }
  return answer.slice(0, cut);
};

/** What an answer says about a skill's parameters besides choosing the skill, where it announces them. */
export const mentionedIn = (skill: Skill, answer: string, options: SlotOptions = {}): Record<string, unknown> =>
  Object.fromEntries(saidIn(skill, answer, options, false).found);
