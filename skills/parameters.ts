import { Ajv } from 'ajv';
import { SPOKEN_FORMATS, SPOKEN_KEYWORDS } from '../contracts/skill.ts';
import type { Skill, SpokenFormat } from '../contracts/skill.ts';
import { messageOf } from '../platform/errors.ts';
import { isBranch } from './routing/spoken-names.ts';
import { plainWords } from './routing/spoken-words.ts';

/** JSON Schema keywords that carry regular expressions, or reach outside the file. */
const REFUSED = ['pattern', 'patternProperties', '$ref', '$dynamicRef', 'propertyNames'];
/** Depth of a parameters schema: they are filled from speech, not from documents. */
const MAX_DEPTH = 6;

/** What a value of each format has to be, whoever gives it; reading it from speech is routing's. */
const FORMATS: Record<SpokenFormat, (value: string) => boolean> = {
  uri: (value) => URL.canParse(value),
  symbol: (value) => /^\S+(?: \S+)*$/.test(value),
  file: (value) => value !== '' && !value.split(/[\\/]/).includes('..'),
  branch: isBranch,
  target: (value) => value !== '',
};

const validator = (options: { coerceTypes?: boolean } = {}): Ajv => {
  const ajv = new Ajv({ strict: true, allErrors: false, ...options });
  for (const [keyword, { description: _, ...metaSchema }] of Object.entries(SPOKEN_KEYWORDS))
    ajv.addKeyword({ keyword, schemaType: metaSchema.type, metaSchema });
  for (const format of SPOKEN_FORMATS) ajv.addFormat(format, FORMATS[format]);
  return ajv;
};

/** Making one takes longer than compiling a skill's parameters with it. */
let plain: Ajv | undefined;

/** Walks keyword positions only, so that a parameter may be *named* `pattern`. */
const refusedKeyword = (schema: unknown, path: string, depth: number): string | null => {
  if (typeof schema !== 'object' || schema === null) return null;
  if (depth > MAX_DEPTH) return `${path}: nested more than ${MAX_DEPTH} deep`;
  for (const [key, value] of Object.entries(schema as Record<string, unknown>)) {
    if (REFUSED.includes(key)) return `${path}.${key}: not allowed in a skill; use enum, or a plain string`;
    if (key === 'properties' && typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value as Record<string, unknown>)) {
        const problem = refusedKeyword(inner, `${path}.properties.${name}`, depth + 1);
        if (problem) return problem;
      }
    } else if (!['enum', 'const', 'default', 'examples', 'x-synonyms'].includes(key)) {
      const problem = refusedKeyword(value, `${path}.${key}`, depth + 1);
      if (problem) return problem;
    }
  }
  return null;
};

/** A synonym of something that is no value, or of two values; null when all are sound. */
const problemOfSynonyms = (properties: Record<string, unknown>): string | null => {
  for (const [name, schema] of Object.entries(properties)) {
    const { 'x-synonyms': synonyms, enum: values, format } = (schema ?? {}) as Record<string, unknown>;
    if (typeof synonyms !== 'object' || synonyms === null) continue;
    const place = `parameters.properties.${name}.x-synonyms`;
    const known = Array.isArray(values) ? values.map(String) : [];
    const meaning = new Map(known.map((value) => [plainWords(value).join(' '), value]));
    for (const [value, phrases] of Object.entries(synonyms as Record<string, unknown>)) {
      if (format !== 'target' && !known.includes(value)) return `${place}: "${value}" is not one of the enum`;
      for (const phrase of [value, ...(Array.isArray(phrases) ? phrases.map(String) : [])]) {
        const key = plainWords(phrase).join(' ');
        const other = meaning.get(key);
        if (key === '') return `${place}.${value}: "${phrase}" has no words`;
        if (other !== undefined && other !== value) return `${place}: "${phrase}" stands for ${other} and ${value}`;
        meaning.set(key, value);
      }
    }
  }
  return null;
};

/** What is wrong with a skill's `parameters`, `defaults` or `slot_prompts`; null when nothing is. */
export const problemOfParameters = (skill: Skill): string | null => {
  const { parameters, defaults } = skill;
  if (parameters['type'] !== 'object') return 'parameters.type: must be "object"';
  const refused = refusedKeyword(parameters, 'parameters', 0);
  if (refused) return refused;
  const properties = (parameters['properties'] ?? {}) as Record<string, unknown>;
  for (const [field, names] of [
    ['defaults', Object.keys(defaults)],
    ['slot_prompts', Object.keys(skill.slot_prompts)],
    ['parameters.required', (parameters['required'] ?? []) as string[]],
  ] as const) {
    const unknown = [...names].find((name) => !Object.hasOwn(properties, name));
    if (unknown !== undefined) return `${field}: "${unknown}" is not one of parameters.properties`;
  }
  try {
    const ajv = (plain ??= validator());
    const schema = { ...parameters, required: [] };
    const validate = ajv.compile(schema);
    ajv.removeSchema(schema); // or every reload would leave its skills behind
    if (!validate(defaults)) return `defaults: ${ajv.errorsText(validate.errors, { dataVar: 'defaults' })}`;
    const synonyms = problemOfSynonyms(properties);
    if (synonyms) return synonyms;
  } catch (error) {
    return `parameters: not a valid JSON Schema: ${messageOf(error)}`;
  }
  return null;
};

type Check = (value: unknown) => { value: unknown } | null;
const checks = new WeakMap<Skill, Map<string, Check>>();

/** One check a parameter, made once a skill: a snapshot's skills are never changed. */
const checksOf = (skill: Skill): Map<string, Check> => {
  const known = checks.get(skill);
  if (known) return known;
  const ajv = validator({ coerceTypes: true });
  const made = new Map(
    Object.entries((skill.parameters['properties'] ?? {}) as Record<string, unknown>).map(([name, schema]) => {
      const validate = ajv.compile({ type: 'object', properties: { value: schema }, required: ['value'] });
      const check: Check = (value) => {
        const data = { value };
        return validate(data) ? data : null;
      };
      return [name, check];
    }),
  );
  checks.set(skill, made);
  return made;
};

/**
 * Those of the given values that fit the skill's own schema, each by itself; text that stands for a number or a truth
 * value becomes one. Left out: what does not fit, and names that are no parameter of this skill.
 */
export const fittingParameters = (skill: Skill, given: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const fitting: [string, unknown][] = [];
  for (const [name, check] of checksOf(skill)) {
    if (!Object.hasOwn(given, name)) continue;
    const fits = check(given[name]);
    if (fits) fitting.push([name, fits.value]);
  }
  return Object.fromEntries(fitting);
};
