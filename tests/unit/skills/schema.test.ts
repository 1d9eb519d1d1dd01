import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { Agent } from '../../../contracts/agent.ts';
import { Skill } from '../../../contracts/skill.ts';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';

/** The files editors read say what the gateway checks. After a change: UPDATE_SCHEMAS=1 and run this test once. */
describe('the schema files', () => {
  it.each([
    ['skill', Skill],
    ['agent', Agent],
  ])('%s.schema.json equals the contract', (name, contract) => {
    const path = join(REPOSITORY_ROOT, 'skills/schema', `${name}.schema.json`);
    const schema = { $id: `${name}.schema.json`, ...z.toJSONSchema(contract, { io: 'input' }) };
    if (process.env['UPDATE_SCHEMAS']) writeFileSync(path, `${JSON.stringify(schema, null, 2)}\n`);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
  });
});

const SKILLS = join(REPOSITORY_ROOT, 'skills');
const skillFiles = readdirSync(SKILLS).filter((name) => name.endsWith('.json'));
const readJson = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const schemaFile = join(SKILLS, 'schema/skill.schema.json');

describe('what an editor makes of a skill file', () => {
  // Formats and x-… keywords are for the reader of speech; an editor passes over what it does not know.
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(readJson(schemaFile));

  it.each(skillFiles)('%s names the schema, and it finds nothing wrong', (file) => {
    const path = join(SKILLS, file);
    const skill = readJson(path);
    expect(resolve(dirname(path), String(skill['$schema']))).toBe(schemaFile);
    validate(skill);
    expect(validate.errors).toBeNull();
  });

  it('it says what is wrong with what the gateway would refuse', () => {
    const skill = { name: 'a', version: 1, agent: 'coding', description: 'x', examples: ['x'] };
    const wrong = (more: object): boolean => !validate({ ...skill, ...more });
    expect(wrong({})).toBe(false);
    expect(wrong({ exampels: [] })).toBe(true);
    expect(wrong({ examples: [] })).toBe(true);
    expect(wrong({ approval: { risk: 'some' } })).toBe(true);
    expect(wrong({ parameters: { properties: { a: { format: 'email' } } } })).toBe(true);
    expect(wrong({ parameters: { properties: { a: { 'x-cues': 'to' } } } })).toBe(true);
  });

  it('every field says what it is for', () => {
    interface Field {
      description?: string;
      properties?: Record<string, Field>;
    }
    const silent = (field: Field, path: string): string[] =>
      Object.entries(field.properties ?? {}).flatMap(([name, inner]) => [
        ...(inner.description === undefined ? [`${path}${name}`] : []),
        // Below it is JSON Schema itself, which editors know.
        ...(name === 'parameters' ? [] : silent(inner, `${path}${name}.`)),
      ]);
    expect(silent(readJson(schemaFile), '')).toEqual([]);
  });
});
