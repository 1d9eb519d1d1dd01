import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../platform/errors.ts';
import { loadPrices } from '../../../platform/prices.ts';

const M = 1_000_000;
const tokens = (input: number, output = 0, read = 0, write = 0) => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_tokens: read,
  cache_write_tokens: write,
});

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-prices-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (content: string): string => {
  const path = join(dir, 'prices.json');
  writeFileSync(path, content);
  return path;
};

describe('the shipped prices', () => {
  const book = loadPrices(null);

  it.each([
    // model, tokens, US dollars per million of each kind
    ['claude-opus-5-5', tokens(M), 4],
    ['claude-opus-5-5', tokens(0, M), 20],
    ['claude-opus-5-5', tokens(M, 0, M), 0.2],
    ['claude-opus-5-5', tokens(M, 0, 0, M), 5],
    ['claude-sonnet-5-5', tokens(M), 2],
    ['claude-sonnet-5-5', tokens(0, M), 10],
    ['claude-sonnet-5-5', tokens(M, 0, M), 0.1],
    ['claude-sonnet-5-5', tokens(M, 0, 0, M), 2.5],
    ['claude-haiku-5-5', tokens(100_000), 0.01],
    ['claude-haiku-5-5', tokens(100_001), 0.0500005],
    ['claude-haiku-5-5', tokens(100_000, M), 0.51],
    ['claude-haiku-5-5', tokens(200_000, M, 200_000), 2.51],
    ['gemini-3.5-flash', tokens(M), 1.5],
    ['gemini-3.5-flash', tokens(0, M), 9],
    ['gemini-3.5-flash', tokens(M, 0, M), 0.15],
    ['gpt-6-luna', tokens(200_000), 0.02],
    ['gpt-6-luna', tokens(200_000, M), 0.52],
    ['gpt-6-luna', tokens(200_000, 0, 200_000), 0.002],
    ['gpt-6-luna', tokens(200_000, 0, 0, 200_000), 0.025],
    ['gpt-6-luna', tokens(M, M), 0.95],
  ])('%s %j costs %d', (model, counts, usd) => {
    expect(book.cost(model, counts)).toBeCloseTo(usd, 9);
  });

  it('adds up a mixed turn: fresh, written, read and answered', () => {
    // 1,000 fresh at 2, 2,000 written at 2.5, 10,000 read at 0.1, 500 out at 10
    expect(book.cost('claude-sonnet-5-5', tokens(13_000, 500, 10_000, 2_000))).toBe(0.013);
  });

  it('knows a dated snapshot by its family, and nothing else', () => {
    expect(book.cost('claude-sonnet-5-5-20261103', tokens(M))).toBe(2);
    expect(book.knows('claude-sonnet-5-5-20261103')).toBe(true);
    expect(book.cost('gpt-6-luna-2026-09-22', tokens(200_000))).toBe(0.02);
    expect(book.knows('gpt-6-luna-2026-0922')).toBe(false);
  });

  it.each(['claude-sonnet-9', 'gemini-3.5-flash-lite', '', 'constructor', '__proto__', 'toString'])(
    'an unknown model (%j) has no price, which is not 0',
    (model) => {
      expect(book.cost(model, tokens(M))).toBeNull();
      expect(book.knows(model)).toBe(false);
    },
  );

  it('is dated, and holds the default model of every role', () => {
    expect(book.version).toMatch(/^20\d\d-\d\d/);
    const models = JSON.parse(readFileSync(new URL('../../../platform/models.json', import.meta.url), 'utf8')) as {
      checked: string;
      coding: { name: string; provider: string };
      browser: { name: string; provider: string };
      router: { name: string; provider: string };
    };
    expect(models.checked).toMatch(/^20\d\d-\d\d-\d\d$/);
    const roles = [models.coding, models.browser, models.router];
    expect(roles.map(({ provider }) => provider)).toEqual(['anthropic', 'gemini', 'openai']);
    expect(roles.map(({ name }) => book.knows(name))).toEqual([true, true, true]);
  });
});

describe('PRICES_FILE', () => {
  const tier = { up_to_prompt_tokens: null, input: 1, output: 2, cache_read: 0, cache_write: 1 };
  const whole = (models: unknown): string => JSON.stringify({ version: '2027-01', source: 'a test', models });

  it('replaces the shipped prices as a whole', () => {
    const book = loadPrices(file(whole({ mine: [tier] })));
    expect(book.version).toBe('2027-01');
    expect(book.cost('mine', tokens(M, M))).toBe(3);
    expect(book.knows('claude-sonnet-5-5')).toBe(false);
  });

  it.each([
    ['no JSON', '{"version":', 'is not JSON'],
    ['no models', JSON.stringify({ version: '1', source: 'x' }), 'models'],
    ['a negative price', whole({ mine: [{ ...tier, input: -1 }] }), 'models.mine.0.input'],
    ['a price in words', whole({ mine: [{ ...tier, output: 'cheap' }] }), 'models.mine.0.output'],
    ['an unknown field', whole({ mine: [{ ...tier, per_image: 1 }] }), 'models.mine.0'],
    ['no tiers', whole({ mine: [] }), 'models.mine'],
    ['a last tier with a limit', whole({ mine: [{ ...tier, up_to_prompt_tokens: 5 }] }), 'tiers must grow'],
    [
      'tiers out of order',
      whole({ mine: [{ ...tier, up_to_prompt_tokens: 9 }, { ...tier, up_to_prompt_tokens: 5 }, tier] }),
      'tiers must grow',
    ],
  ])('%s stops the process with the variable and the place', (_, content, place) => {
    const path = file(content);
    expect(() => loadPrices(path)).toThrow(ConfigError);
    expect(() => loadPrices(path)).toThrow(`PRICES_FILE: `);
    expect(() => loadPrices(path)).toThrow(place);
  });

  it('a file that is not there', () => {
    expect(() => loadPrices(join(dir, 'none.json'))).toThrow('PRICES_FILE: cannot be read');
  });
});
