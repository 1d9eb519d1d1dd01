import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
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
