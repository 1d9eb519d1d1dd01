import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { findTestCommand, parseRecipe, readRecipe } from '../../../../activities/coding/recipe.ts';
import { makeFolder, makeRepository } from './coding-fixture.ts';

describe('a workspace recipe', () => {
  it('is optional, and so is everything in it', () => {
    expect(parseRecipe(null)).toEqual({ setup: [], share: [], env: {}, network: [] });
    expect(parseRecipe('{}')).toEqual(parseRecipe(null));
  });

  it('has every key that is promised', () => {
    const text =
      '{ "setup": ["npm ci --offline"], "verify": "npm test", "share": ["node_modules"], "env": { "CI": "1" }, "network": ["registry.internal.example:443"], "deploy": "make deploy-staging" }';
    expect(parseRecipe(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['not JSON', '{'],
    ['setup', '{"setup": "npm ci"}'],
    ['share.0', '{"share": ["../elsewhere"]}'],
    ['share.0', '{"share": ["/etc"]}'],
    ['share.0', '{"share": ["a/.git"]}'],
    ['network.0', '{"network": ["example.com"]}'],
    ['env', '{"env": {"A B": "x"}}'],
    ['nonsense', '{"nonsense": 1}'],
  ])('says what is wrong: %s', (what, text) => {
    expect(() => parseRecipe(text)).toThrow(expect.objectContaining({ type: 'BadInput' }));
    expect(() => parseRecipe(text)).toThrow(what);
    expect(() => parseRecipe(text)).toThrow('.dual/workspace.json');
  });
});

describe('the test command', () => {
  const folder = makeFolder();
  const { signal } = new AbortController();
  const found = async (name: string, files: Record<string, string>): Promise<string | null> => {
    const root = join(folder, name);
    const commit = makeRepository(root, { 'a.txt': 'a', ...files });
    const place = { gitDir: join(root, '.git') };
    return findTestCommand(place, commit, await readRecipe(place, commit, signal), signal);
  };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is the recipe’s, or npm test, or make test, or none', async () => {
    const manifest = '{"scripts": {"test": "node --test"}}';
    expect(await found('recipe', { '.dual/workspace.json': '{"verify": "./check"}', 'package.json': manifest })).toBe(
      './check',
    );
    expect(await found('npm', { 'package.json': manifest, Makefile: 'test:\n\ttrue\n' })).toBe('npm test');
    expect(await found('make', { Makefile: 'all:\n\ntest: all\n\ttrue\n' })).toBe('make test');
    const placeholder = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}';
    expect(await found('placeholder', { 'package.json': placeholder })).toBeNull();
    expect(await found('assigned', { Makefile: 'test := 1\n' })).toBeNull();
    expect(await found('broken', { 'package.json': '{' })).toBeNull();
  });
});
