import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Skill } from '../../../../contracts/skill.ts';
import { fillSlots, namesTwoValues } from '../../../../skills/routing/slots.ts';

const skill = (properties: Record<string, unknown>, required: string[] = [], defaults = {}): Skill =>
  Skill.parse({
    name: 's',
    version: 1,
    agent: 'a',
    description: 'd',
    examples: ['e'],
    parameters: { type: 'object', properties, required },
    defaults,
  });
const rename = skill(
  {
    from: { type: 'string', maxLength: 80, 'x-cues': ['rename', 'name of'] },
    to: { type: 'string', maxLength: 80, 'x-cues': ['to', 'into'] },
  },
  ['from', 'to'],
);
const site = skill({ target: { type: 'string', enum: ['staging', 'production', 'blue-green'] } }, ['target']);

describe('names', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['rename parseUser to readUser everywhere', 'parseUser', 'readUser'],
    ['Rename the function get total to compute total, please', 'get total', 'compute total'],
    ['change the name of the class "Manager" into `Registry` in the code', 'Manager', 'Registry'],
    ['rename a.b-c_d to $x', 'a.b-c_d', '$x'],
    ['rename the function', undefined, undefined],
    ['rename parseUser', 'parseUser', undefined],
    ['rename to', undefined, undefined],
    [`rename ${'x'.repeat(81)} to y`, undefined, 'y'],
  ])('%s', (text, from, to) => {
    const { parameters, missing } = fillSlots(rename, text);
    expect([parameters['from'], parameters['to']]).toEqual([from, to]);
    expect(missing).toEqual([...(from ? [] : ['from']), ...(to ? [] : ['to'])]);
  });

  it("a parameter's own name is its cue when it has no other", () => {
    const branch = skill({ base_branch: { type: 'string' } });
    expect(fillSlots(branch, 'start from base branch main and go').parameters).toEqual({ base_branch: 'main' });
  });
});

describe('choices', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['validate the Staging website', { target: 'staging' }, []],
    ['validate the blue green website', { target: 'blue-green' }, []],
    ['the stagingarea', {}, ['target']],
    ['staging or production', {}, ['target']],
  ])('%s', (text, parameters, missing) => {
    expect(fillSlots(site, text)).toEqual({ parameters, missing });
  });

  it('a default fills in for silence, not for two answers', () => {
    const lax = skill({ target: { type: 'string', enum: ['staging', 'production'] } }, ['target'], {
      target: 'staging',
    });
    expect(fillSlots(lax, 'validate the site')).toEqual({ parameters: { target: 'staging' }, missing: [] });
    expect(fillSlots(lax, 'staging or production')).toEqual({ parameters: {}, missing: ['target'] });
    expect([namesTwoValues(lax, 'staging or production'), namesTwoValues(lax, 'staging')]).toEqual([true, false]);
  });
});

describe('numbers and switches', () => {
  it.each<[Record<string, unknown>, string, Record<string, unknown>]>([
    [{ pages: { type: 'integer' } }, 'look at 12 pages', { pages: 12 }],
    [{ pages: { type: 'integer' } }, 'look at three pages', { pages: 3 }],
    [{ pages: { type: 'integer' } }, 'look at 2.5 of it', {}],
    [{ share: { type: 'number' } }, 'a share 2.5 of it', { share: 2.5 }],
    [{ offset: { type: 'integer' } }, 'offset -3', { offset: -3 }],
    [{ pages: { type: 'integer', maximum: 10 } }, 'look at 12 pages', {}],
    [{ pages: { type: 'integer' } }, 'between 3 and 5', {}],
    [{ depth: { type: 'integer' } }, '5 pages to depth 2', { depth: 2 }],
    [{ screenshots: { type: 'boolean' } }, 'with screenshots', { screenshots: true }],
    [{ screenshots: { type: 'boolean' } }, 'without screenshots', { screenshots: false }],
    [{ screenshots: { type: 'boolean' } }, 'look at it', {}],
    [{ list: { type: 'array' } }, 'list a b c', {}],
  ])('%j %s', (properties, text, parameters) => {
    expect(fillSlots(skill(properties), text).parameters).toEqual(parameters);
  });
});

describe('formats', () => {
  const symbols = skill(
    {
      from: { type: 'string', format: 'symbol', 'x-cues': ['rename', 'name of', 'from'] },
      to: { type: 'string', format: 'symbol', 'x-cues': ['to', 'into'] },
    },
    ['from', 'to'],
  );
  it.each<[string, string | undefined, string | undefined]>([
    ['rename get user by I D to fetch user by I D', 'getUserById', 'fetchUserById'],
    ['rename parseUser to readUser everywhere', 'parseUser', 'readUser'],
    ['rename OrderService to order desk in all files', 'OrderService', 'OrderDesk'],
    ['rename the class order service to order desk', 'OrderService', 'OrderDesk'],
    ['rename get_total to compute total', 'get_total', 'compute_total'],
    ['rename get user to fetch user in snake case', 'getUser', 'fetch_user'],
    ['rename foo to bar to match the docs', 'foo', 'bar'],
    ['rename it to foo', undefined, 'foo'],
    // Which "to" parts the two? Better asked than guessed.
    ['rename convert to string to stringify', undefined, undefined],
  ])('symbols: %s', (text, from, to) => {
    const { parameters } = fillSlots(symbols, text);
    expect([parameters['from'], parameters['to']]).toEqual([from, to]);
  });

  const change = skill({
    file: { type: 'string', format: 'file' },
    branch: { type: 'string', format: 'branch' },
    address: { type: 'string', format: 'uri' },
  });
  it.each<[string, Record<string, unknown>]>([
    [
      'fix the file user service dot t s on branch feature slash login page',
      { file: 'user-service.ts', branch: 'feature/login-page' },
    ],
    ['open user service dot t s please', { file: 'user-service.ts' }],
    ['clean up src/userService.ts', { file: 'src/userService.ts' }],
    ['switch to the main branch and run the tests', { branch: 'main' }],
    ['check out branch release slash one dot two', { branch: 'release/1.2' }],
    ['read staging dot example dot com slash news', { address: 'https://staging.example.com/news' }],
    ['read example dot com and example dot org', {}],
    ['write to bob at example dot com', {}],
  ])('files, branches, addresses: %s', (text, parameters) => {
    expect(fillSlots(change, text).parameters).toEqual(parameters);
  });

  const visit = skill(
    {
      target: {
        type: 'string',
        format: 'target',
        'x-synonyms': { staging: ['stage'], production: ['prod', 'live site'] },
      },
    },
    ['target'],
    { target: 'staging' },
  );
  const targets = [
    { name: 'staging', url: 'http://127.0.0.1:4000' },
    { name: 'preview', url: 'https://preview.example.org' },
  ];
  it.each<[string, unknown]>([
    ['check the site', 'staging'],
    ['check prod', 'production'],
    ['check the live site', 'production'],
    ['check preview', 'preview'],
    ['check production, not staging', 'production'],
    ['check staging dot example dot com', 'https://staging.example.com/'],
    ['check the staging site at staging dot example dot com slash login', 'https://staging.example.com/login'],
    ['check http://127.0.0.1:4000/', 'staging'],
    ['check http://127.0.0.1:4000/login', 'http://127.0.0.1:4000/login'],
    ['check preview dot example dot org', 'preview'],
    ['check staging and preview', undefined],
    ['check staging and example dot com', undefined],
  ])('targets: %s', (text, target) => {
    expect(fillSlots(visit, text, { targets }).parameters['target']).toBe(target);
    expect(namesTwoValues(visit, text, { targets })).toBe(target === undefined);
  });
});

it.each<[string, Record<string, unknown>]>([
  ['look at twenty five pages', { pages: 25 }],
  ['a depth of two and twelve pages', { depth: 2, pages: 12 }],
  ['12 pages', { pages: 12 }],
  // One number, and no word says whose.
  ['take three', {}],
  ['pages of version one dot two', {}],
])('numbers in words, each for its own: %s', (text, parameters) => {
  const numbers = skill({ pages: { type: 'integer' }, depth: { type: 'integer' } });
  expect(fillSlots(numbers, text).parameters).toEqual(parameters);
});

it('any text gives strings from it, within their length, or says what is missing', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((s) => `rename ${s} to ${s}`),
      ),
      (text) => {
        const { parameters, missing } = fillSlots(rename, text);
        for (const name of ['from', 'to']) {
          const value = parameters[name];
          expect(value === undefined).toBe(missing.includes(name));
          if (value !== undefined) {
            expect(typeof value === 'string' && value !== '' && value.length <= 80).toBe(true);
            for (const word of (value as string).split(' ')) expect(text).toContain(word);
          }
        }
      },
    ),
  );
});
