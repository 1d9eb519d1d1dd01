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
