import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { createLog } from '../../../platform/log.ts';
import { delay } from '../../../platform/lifecycle.ts';
import { openRegistry } from '../../../skills/registry.ts';
import type { Registry, RegistrySnapshot } from '../../../skills/registry.ts';

let said = '';
const silent = createLog(
  'test',
  (text) => text,
  'warn',
  (line) => void (said += line),
);
const SHIPPED = join(REPOSITORY_ROOT, 'skills');

let dir: string;
let registry: Registry | undefined;

const skill = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name,
  version: 1,
  agent: 'coding',
  description: `does ${name}`,
  examples: [`please ${name}`],
  ...more,
});
const write = (file: string, value: unknown): void =>
  writeFileSync(join(dir, file), typeof value === 'string' ? value : JSON.stringify(value));
const open = async (watch = false): Promise<Registry> =>
  (registry = await openRegistry({ dir, log: silent, watch, pollMs: 20 }));
const reasonOf = async (file: string, value: unknown): Promise<string> => {
  write(file, value);
  const found = (await open()).current().quarantined.find((entry) => entry.file === file);
  return found?.reason ?? 'served';
};
const until = async (test: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!test()) {
    if (Date.now() > deadline) throw new Error('the condition never came true');
    await delay(10);
  }
};
const names = (snapshot: RegistrySnapshot): string[] => snapshot.skills.map((entry) => entry.name);

beforeEach(() => {
  said = '';
  dir = mkdtempSync(join(tmpdir(), 'dual-registry-'));
  mkdirSync(join(dir, 'agents'));
  for (const file of ['coding.json', 'coding.md'])
    copyFileSync(join(SHIPPED, 'agents', file), join(dir, 'agents', file));
});
afterEach(() => {
  registry?.close();
  registry = undefined;
  rmSync(dir, { recursive: true, force: true });
});

describe('openRegistry', () => {
  it('serves the shipped folder without a single quarantine', async () => {
    registry = await openRegistry({ dir: SHIPPED, log: silent, watch: false });
    const { skills, agents, quarantined, instructionsOf } = registry.current();
    expect(quarantined).toEqual([]);
    expect(names(registry.current())).toEqual(
      'browser coding compare-pages deploy extract-data fix-bug fix-tests rename-symbol review-changes run-evaluation run-tests summarize validate-site write-tests'.split(
        ' ',
      ),
    );
    expect(agents.map((agent) => agent.name)).toEqual(['browser', 'coding', 'deployment', 'evaluation', 'summarize']);
    for (const { agent } of skills) expect(instructionsOf(agent).length).toBeGreaterThan(200);
  });

  it('fills in what a file leaves out', async () => {
    write('a.json', skill('alpha'));
    expect((await open()).current().skills[0]).toMatchObject({
      enabled: true,
      negative_examples: [],
      approval: { policy: 'never', risk: 'read_only' },
      routing: { accept: null, clarify: null, priority: 0 },
    });
  });

  it('leaves a disabled skill out without calling it bad', async () => {
    write('a.json', skill('alpha', { enabled: false }));
    expect((await open()).current()).toMatchObject({ skills: [], quarantined: [] });
  });

  it('uses the shipped agents where the folder has none', async () => {
    rmSync(join(dir, 'agents'), { recursive: true });
    write('a.json', skill('alpha', { agent: 'browser' }));
    expect(names((await open()).current())).toEqual(['alpha']);
  });

  it('says what is wrong with the folder itself', async () => {
    await expect(openRegistry({ dir: join(dir, 'nowhere'), log: silent, watch: false })).rejects.toThrow(
      /^SKILLS_DIR:/,
    );
  });

  it('has a version that depends on the content and on nothing else', async () => {
    write('a.json', skill('alpha'));
    const first = (await open()).current().version;
    write('a.json', JSON.stringify(skill('alpha'), null, 4));
    expect((await open()).current().version).toBe(first);
    write('a.json', skill('alpha', { version: 2 }));
    expect((await open()).current().version).not.toBe(first);
    write('a.json', skill('alpha'));
    writeFileSync(join(dir, 'agents/coding.md'), 'Other words.');
    expect((await open()).current().version).not.toBe(first);
  });

  it('answers for an unknown agent with NotFound', async () => {
    const snapshot = (await open()).current();
    expect(() => snapshot.instructionsOf('nobody')).toThrow(expect.objectContaining({ type: 'NotFound' }));
  });
});

describe('quarantine names the file, the place in it, and what is expected', () => {
  it.each<[string, unknown, RegExp]>([
    ['half a file', '{"name": "alpha", "ver', /not valid JSON/],
    ['no object', '[]', /file: .*expected object/],
    ['a missing field', { name: 'alpha', version: 1, agent: 'coding', description: 'x' }, /examples: .*expected array/],
    ['a wrong type', skill('alpha', { examples: ['a', 7] }), /examples\[1\]: .*expected string/],
    ['an unknown field', skill('alpha', { exampels: [] }), /exampels/],
    ['a bad name', skill('Al pha'), /name: .*must match/],
    ['an unknown agent', skill('alpha', { agent: 'plumber' }), /"plumber" is not a known agent; known are coding/],
    ['a threshold above one', skill('alpha', { routing: { accept: 2 } }), /routing\.accept/],
    ['an unknown policy', skill('alpha', { approval: { policy: 'sometimes' } }), /approval\.policy/],
    [
      'parameters that are no object schema',
      skill('alpha', { parameters: { type: 'string' } }),
      /parameters\.type: must be "object"/,
    ],
    [
      'a schema that is none',
      skill('alpha', { parameters: { type: 'object', properties: { a: { type: 'strnig' } } } }),
      /not a valid JSON Schema/,
    ],
    [
      'a regular expression',
      skill('alpha', { parameters: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } } }),
      /properties\.a\.pattern: not allowed/,
    ],
    [
      'a hidden regular expression',
      skill('alpha', {
        parameters: { type: 'object', properties: { a: { anyOf: [{ patternProperties: { '(a+)+$': true } }] } } },
      }),
      /patternProperties: not allowed/,
    ],
    [
      'a reference out of the file',
      skill('alpha', { parameters: { type: 'object', properties: { a: { $ref: 'http://example.test/x' } } } }),
      /\$ref: not allowed/,
    ],
    [
      'a default that breaks the schema',
      skill('alpha', {
        parameters: { type: 'object', properties: { a: { type: 'string', enum: ['x'] } } },
        defaults: { a: 'y' },
      }),
      /defaults.*must be equal to one of/,
    ],
    [
      'a synonym of no value',
      skill('alpha', {
        parameters: {
          type: 'object',
          properties: { a: { type: 'string', enum: ['x'], 'x-synonyms': { y: ['why'] } } },
        },
      }),
      /x-synonyms: "y" is not one of the enum/,
    ],
    [
      'a synonym of two values',
      skill('alpha', {
        parameters: {
          type: 'object',
          properties: { a: { type: 'string', enum: ['x', 'y'], 'x-synonyms': { x: ['Same one'], y: ['same-one'] } } },
        },
      }),
      /x-synonyms: "same-one" stands for x and y/,
    ],
    [
      'synonyms that are no lists',
      skill('alpha', {
        parameters: { type: 'object', properties: { a: { type: 'string', enum: ['x'], 'x-synonyms': { x: 'y' } } } },
      }),
      /not a valid JSON Schema: .*x-synonyms/,
    ],
    [
      'a format nobody reads',
      skill('alpha', { parameters: { type: 'object', properties: { a: { type: 'string', format: 'email' } } } }),
      /unknown format "email"/,
    ],
    [
      'a default that breaks its format',
      skill('alpha', {
        parameters: { type: 'object', properties: { a: { type: 'string', format: 'branch' } } },
        defaults: { a: 'a..b' },
      }),
      /defaults.*must match format "branch"/,
    ],
    ['a default nobody declared', skill('alpha', { defaults: { b: 1 } }), /defaults: "b" is not one of/],
    ['a prompt nobody declared', skill('alpha', { slot_prompts: { b: 'Which?' } }), /slot_prompts: "b"/],
    [
      'a bottomless schema',
      skill('alpha', {
        parameters: JSON.parse(
          `{"type":"object","properties":{"a":${'{"not":'.repeat(50)}{}${'}'.repeat(50)}}}`,
        ) as unknown,
      }),
      /nested more than/,
    ],
  ])('%s', async (_, value, reason) => {
    expect(await reasonOf('a.json', value)).toMatch(reason);
  });

  it('10 MB are refused by their size, unread', async () => {
    expect(await reasonOf('a.json', `{"name":"${'x'.repeat(10 * 1024 * 1024)}"}`)).toMatch(
      /^\d+ bytes; at most \d+ are read$/,
    );
  });

  it('more examples than a thousand; a thousand long ones are served', async () => {
    const examples = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => `order number ${i} ${'x'.repeat(280)}`);
    expect(await reasonOf('a.json', skill('alpha', { examples: examples(1_000) }))).toBe('served');
    expect(await reasonOf('a.json', skill('alpha', { examples: examples(1_001) }))).toMatch(/^examples: .*<=1000/);
    expect(await reasonOf('a.json', skill('alpha', { examples: ['x'.repeat(301)] }))).toMatch(
      /^examples\[0\]: .*<=300/,
    );
  });

  it('a folder called like a skill', async () => {
    mkdirSync(join(dir, 'a.json'));
    expect((await open()).current().quarantined).toEqual([{ file: 'a.json', reason: 'not a regular file' }]);
  });

  it('the second of two equal names, and names the first', async () => {
    write('a.json', skill('same'));
    write('b.json', skill('same', { version: 2 }));
    const snapshot = (await open()).current();
    expect(snapshot.skills.map((entry) => entry.version)).toEqual([1]);
    expect(snapshot.quarantined).toEqual([{ file: 'b.json', reason: 'name: "same" is already taken by a.json' }]);
  });

  it('an agent whose prose is missing, empty-handed or outside; its skills with it', async () => {
    const agent = JSON.parse(JSON.stringify((await open()).current().agents[0])) as Record<string, unknown>;
    write('agents/lost.json', { ...agent, name: 'lost', instructions: ['agents/lost.md'] });
    write('agents/thief.json', { ...agent, name: 'thief', instructions: ['agents/../../../etc/secret.md'] });
    writeFileSync(join(dir, 'agents/long.md'), 'x'.repeat(70_000));
    write('agents/windy.json', { ...agent, name: 'windy', instructions: ['agents/long.md'] });
    write('a.json', skill('alpha', { agent: 'lost' }));
    const { quarantined, skills } = (await open()).current();
    expect(skills).toEqual([]);
    expect(Object.fromEntries(quarantined.map(({ file, reason }) => [file, reason]))).toEqual({
      'agents/lost.json': 'instructions: agents/lost.md: cannot be read',
      'agents/thief.json': expect.stringContaining('must be a plain path inside the skills folder') as unknown,
      'agents/windy.json': expect.stringContaining('at most 65536 are read') as unknown,
      'a.json': '"lost" is not a known agent; known are coding'.replace(/^/, 'agent: '),
    });
  });

  it('leaves the good ones alone', async () => {
    write('a.json', '{');
    write('b.json', skill('beta'));
    expect(names((await open()).current())).toEqual(['beta']);
  });

  it('is not fooled by keys that objects are born with', async () => {
    write(
      'a.json',
      `{"name":"alpha","version":1,"agent":"coding","description":"x","examples":["x"],"__proto__":{"enabled":false}}`,
    );
    write('b.json', skill('beta', { parameters: { type: 'object', properties: {}, required: ['constructor'] } }));
    const { quarantined } = (await open()).current();
    expect(quarantined.find(({ file }) => file === 'b.json')?.reason).toMatch(/"constructor" is not one of/);
    expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
  });
});

describe('hot reload', () => {
  it('follows a new, a changed and a removed file; each snapshot stays as it was', async () => {
    write('a.json', skill('alpha'));
    const current = await open(true);
    const before = current.current();
    const seen: string[][] = [];
    current.onChange((snapshot) => seen.push(names(snapshot)));
    write('b.json', skill('beta'));
    await until(() => names(current.current()).length === 2);
    write('b.json', skill('gamma'));
    await until(() => names(current.current()).includes('gamma'));
    rmSync(join(dir, 'a.json'));
    await until(() => names(current.current()).length === 1);
    expect(names(before)).toEqual(['alpha']);
    expect(seen).toEqual([['alpha', 'beta'], ['alpha', 'gamma'], ['gamma']]);
  });

  it('quarantines a half-written file and recovers, while the others are served throughout', async () => {
    write('a.json', skill('alpha'));
    write('b.json', skill('beta'));
    const current = await open(true);
    const whole = JSON.stringify(skill('beta', { version: 2 }));
    write('b.json', whole.slice(0, 40));
    await until(() => current.current().quarantined.length === 1);
    expect(names(current.current())).toEqual(['alpha']);
    write('b.json', whole);
    await until(() => current.current().quarantined.length === 0);
    expect(current.current().skills.map((entry) => entry.version)).toEqual([1, 2]);
  });

  it('sees a file that is renamed into place and prose that changes', async () => {
    write('a.json', skill('alpha'));
    const current = await open(true);
    write('.next', skill('alpha', { version: 9 }));
    renameSync(join(dir, '.next'), join(dir, 'a.json'));
    await until(() => current.current().skills[0]?.version === 9);
    writeFileSync(join(dir, 'agents/coding.md'), 'Work carefully.');
    await until(() => current.current().instructionsOf('coding') === 'Work carefully.');
  });

  it('keeps the last snapshot while the folder is away, and goes on when it is back', async () => {
    write('a.json', skill('alpha'));
    const current = await open(true);
    renameSync(dir, `${dir}-away`);
    await until(() => said.includes('skills folder unreadable; the last snapshot stays'));
    expect(names(current.current())).toEqual(['alpha']);
    renameSync(`${dir}-away`, dir);
    write('b.json', skill('beta'));
    await until(() => names(current.current()).length === 2);
  });

  it('a failing listener harms neither the others nor the next reload; a closed registry calls nobody', async () => {
    const current = await open(true);
    const seen: number[] = [];
    current.onChange(() => {
      throw new Error('listener');
    });
    const stop = current.onChange((snapshot) => seen.push(snapshot.skills.length));
    write('a.json', skill('alpha'));
    await until(() => seen.length === 1);
    stop();
    write('b.json', skill('beta'));
    await until(() => current.current().skills.length === 2);
    expect(seen).toEqual([1]);
    current.close();
    const other = await openRegistry({ dir, log: silent, watch: true, pollMs: 20 });
    write('c.json', skill('gamma'));
    await until(() => other.current().skills.length === 3);
    other.close();
    expect(current.current().skills.length).toBe(2);
  });
});
