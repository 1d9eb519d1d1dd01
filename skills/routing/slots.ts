import type { Skill } from '../../contracts/skill.ts';
import { keyOf } from './classify.ts';

export interface Slots {
  parameters: Record<string, unknown>;
  /** Required parameters nobody named, or named twice differently. */
  missing: string[];
}

/** What a value read from speech may be described by; the rest of JSON Schema cannot be filled from words. */
interface ParameterSchema {
  type?: unknown;
  enum?: unknown[];
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  'x-cues'?: string[];
}

const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );
/** Words before a name that are not part of it. */
const LEADING = new Set(
  'the a an this that called named function method class variable constant type symbol field property interface module enum helper file'.split(
    ' ',
  ),
);
/** Words at which a name ends. */
const ENDING = new Set(
  'to into as from everywhere in across throughout wherever all and or please on at for with then when if it'.split(
    ' ',
  ),
);
const MAX_NAME_WORDS = 6;

interface Token {
  raw: string;
  key: string;
}

const tokensOf = (text: string): Token[] =>
  (text.match(/\S+/g) ?? []).map((raw) => {
    const clean = raw.replace(/^["'“‘`([]+/, '').replace(/["'”’`)\],;:.!?]+$/, '');
    return { raw: clean, key: clean.toLowerCase() };
  });

/** Where a cue's words end, at or after token `from`; -1 when it is not said. */
const afterCue = (tokens: readonly Token[], cue: string, from: number): number => {
  const words = cue.toLowerCase().split(' ');
  for (let at = from; at + words.length <= tokens.length; at++) {
    if (words.every((word, i) => tokens[at + i]?.key === word)) return at + words.length;
  }
  return -1;
};

/** A name after a cue: its words up to one that ends it; `end` is the token behind it. */
const nameAfter = (tokens: readonly Token[], start: number): { value: string; end: number } => {
  let at = start;
  while (LEADING.has(tokens[at]?.key ?? '')) at++;
  const words: string[] = [];
  for (; at < tokens.length && words.length < MAX_NAME_WORDS; at++) {
    const token = tokens[at] as Token;
    if (ENDING.has(token.key) || token.raw === '') break;
    words.push(token.raw);
  }
  return { value: words.join(' '), end: at };
};

const numberIn = (tokens: readonly Token[], name: string): number | undefined => {
  const values = tokens.map(({ key }) =>
    /^-?\d{1,15}(\.\d{1,15})?$/.test(key) ? Number(key) : NUMBER_WORDS.indexOf(key),
  );
  const isNumber = (at: number): boolean => (values[at] ?? -1) >= 0 || /^-\d/.test(tokens[at]?.key ?? '');
  const named = tokens.findIndex(({ key }) => key === name.toLowerCase());
  for (const at of [named + 1, named - 1]) if (named >= 0 && at >= 0 && isNumber(at)) return values[at];
  const all = tokens.map((_, at) => at).filter(isNumber);
  return all.length === 1 ? values[all[0] ?? 0] : undefined;
};

/** The enum values a text names, as whole words. */
const namedValues = (text: string, values: readonly unknown[]): unknown[] => {
  const key = ` ${keyOf(text)} `;
  return values.filter((value) => {
    const word = keyOf(String(value));
    return word !== '' && key.includes(` ${word} `);
  });
};

const schemasOf = (skill: Skill): [string, ParameterSchema][] =>
  Object.entries((skill.parameters['properties'] ?? {}) as Record<string, ParameterSchema>);

/** The text names two different values of one parameter: it is probably two orders. */
export const namesTwoValues = (skill: Skill, text: string): boolean =>
  schemasOf(skill).some(([, schema]) => Array.isArray(schema.enum) && namedValues(text, schema.enum).length > 1);

/** Fills a skill's parameters from the words of one clause, then from its defaults. */
export const fillSlots = (skill: Skill, text: string): Slots => {
  const tokens = tokensOf(text);
  const found = new Map<string, unknown>();
  const unclear = new Set<string>();
  let from = 0;
  for (const [name, schema] of schemasOf(skill)) {
    if (Array.isArray(schema.enum)) {
      const named = namedValues(text, schema.enum);
      if (named.length === 1) found.set(name, named[0]);
      else if (named.length > 1) unclear.add(name);
    } else if (schema.type === 'string') {
      for (const cue of schema['x-cues'] ?? [name.replace(/[_-]/g, ' ')]) {
        const start = afterCue(tokens, cue, from);
        if (start < 0) continue;
        const { value, end } = nameAfter(tokens, start);
        if (!value || value.length > (schema.maxLength ?? 200)) continue;
        found.set(name, value);
        from = end;
        break;
      }
    } else if (schema.type === 'integer' || schema.type === 'number') {
      const value = numberIn(tokens, name);
      const fits =
        value !== undefined &&
        (schema.type === 'number' || Number.isInteger(value)) &&
        value >= (schema.minimum ?? -Infinity) &&
        value <= (schema.maximum ?? Infinity);
      if (fits) found.set(name, value);
    } else if (schema.type === 'boolean') {
      const at = afterCue(tokens, name.replace(/[_-]/g, ' '), 0);
      if (at >= 0)
        found.set(name, !['no', 'not', 'without'].includes(tokens[at - 1 - name.split(/[_-]/).length]?.key ?? ''));
    }
  }
  for (const [name, value] of Object.entries(skill.defaults)) {
    if (!found.has(name) && !unclear.has(name)) found.set(name, value);
  }
  const required = (skill.parameters['required'] ?? []) as string[];
  return { parameters: Object.fromEntries(found), missing: required.filter((name) => !found.has(name)) };
};
