import { Ajv } from 'ajv';
import type { Skill } from '../contracts/skill.ts';
import { messageOf } from '../platform/errors.ts';

/** JSON Schema keywords that carry regular expressions, or reach outside the file. */
const REFUSED = ['pattern', 'patternProperties', '$ref', '$dynamicRef', 'propertyNames'];
/** Depth of a parameters schema: they are filled from speech, not from documents. */
const MAX_DEPTH = 6;

/** `x-cues`: words after which a string parameter's value is said, e.g. ["rename", "name of"]. Default: its own name. */
const CUES = { type: 'array', items: { type: 'string', minLength: 1, maxLength: 60 }, maxItems: 20 };

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
    } else if (!['enum', 'const', 'default', 'examples'].includes(key)) {
      const problem = refusedKeyword(value, `${path}.${key}`, depth + 1);
      if (problem) return problem;
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
    const ajv = new Ajv({ strict: true, allErrors: false });
    ajv.addKeyword({ keyword: 'x-cues', schemaType: 'array', metaSchema: CUES });
    const validate = ajv.compile({ ...parameters, required: [] });
    if (!validate(defaults)) return `defaults: ${ajv.errorsText(validate.errors, { dataVar: 'defaults' })}`;
  } catch (error) {
    return `parameters: not a valid JSON Schema: ${messageOf(error)}`;
  }
  return null;
};
