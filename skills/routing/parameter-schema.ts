import type { SpokenFormat } from '../../contracts/skill.ts';
import type { Skill } from '../../contracts/skill.ts';
import type { Target } from '../targets.ts';

/** What a value read from speech may be described by; the rest of JSON Schema cannot be filled from words. */
export interface ParameterSchema {
  type?: unknown;
  enum?: readonly unknown[];
  format?: SpokenFormat;
  maxLength?: number;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  'x-cues'?: readonly string[];
  'x-synonyms'?: Readonly<Record<string, readonly string[]>>;
}

/** What a value may be read with, besides its schema. */
export interface SlotOptions {
  /** The sites of TARGETS_FILE and STAGING_URL: their names and addresses are values of `format: target`. */
  targets?: readonly Target[];
}

export const parametersOf = (skill: Skill): [string, ParameterSchema][] =>
  Object.entries((skill.parameters['properties'] ?? {}) as Record<string, ParameterSchema>);

export const requiredOf = (skill: Skill): string[] => (skill.parameters['required'] ?? []) as string[];

/** Words that announce a parameter's value: its cues, or its own name. */
export const cuesOf = (name: string, schema: ParameterSchema): readonly string[] =>
  schema['x-cues'] ?? [name.replace(/[_-]/g, ' ')];

/** True for a parameter that is one of several named things. */
export const isChoice = (schema: ParameterSchema): boolean => Array.isArray(schema.enum) || schema.format === 'target';

/** Whether a value keeps the schema's bounds. */
export const withinBounds = (value: unknown, schema: ParameterSchema): boolean => {
  if (typeof value === 'number')
    return (
      (schema.type !== 'integer' || Number.isInteger(value)) &&
      value >= (schema.minimum ?? -Infinity) &&
      value <= (schema.maximum ?? Infinity)
    );
  if (typeof value === 'string')
    return value !== '' && value.length >= (schema.minLength ?? 1) && value.length <= (schema.maxLength ?? 200);
  return true;
};
