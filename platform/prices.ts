import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from './errors.ts';

/** US dollars per million tokens, for prompts of up to so many tokens (null: of any size). */
const Tier = z.strictObject({
  up_to_prompt_tokens: z.number().int().positive().nullable(),
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cache_read: z.number().nonnegative(),
  cache_write: z.number().nonnegative(),
});

const ascends = (tiers: z.infer<typeof Tier>[]): boolean =>
  tiers.every((tier, at) => {
    const next = tiers[at + 1];
    if (!next) return tier.up_to_prompt_tokens === null;
    return tier.up_to_prompt_tokens !== null && tier.up_to_prompt_tokens < (next.up_to_prompt_tokens ?? Infinity);
  });

/**
 * The format of `prices.json` and of a file named by PRICES_FILE, which replaces it as a whole. `version` is a date and
 * goes into every trace event; `source` says where the figures are from. A model has one tier, or several by prompt size,
 * smallest first, the last without limit; the whole prompt (fresh, cache write and cache read) chooses the tier.
 */
export const PriceFile = z.strictObject({
  version: z.string().min(1).max(40),
  source: z.string().min(1),
  models: z.record(
    z.string().min(1),
    z.array(Tier).min(1).refine(ascends, 'tiers must grow, and the last must have up_to_prompt_tokens null'),
  ),
});
export type PriceFile = z.infer<typeof PriceFile>;

/** Tokens of one turn. `input_tokens` is the whole prompt, cache reads and writes included; thinking counts as output. */
export interface TokenCounts {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

export interface PriceBook {
  readonly version: string;
  knows(model: string): boolean;
  /** US dollars; null when the model has no price. */
  cost(model: string, tokens: TokenCounts): number | null;
}

/** Providers date their snapshots: `claude-sonnet-5-5-20261103` and `gpt-6-luna-2026-09-22` cost what the undated ones do. */
const withoutDate = (model: string): string => model.replace(/-20\d\d(-?)\d\d\1\d\d$/, '');

/** The prices in `path` (PRICES_FILE), or the shipped ones. @throws ConfigError naming PRICES_FILE and what is wrong. */
export const loadPrices = (path: string | null): PriceBook => {
  const { version, models } = readPriceFile(path);
  const tiers = new Map(Object.entries(models));
  const tiersOf = (model: string): z.infer<typeof Tier>[] | undefined =>
    tiers.get(model) ?? tiers.get(withoutDate(model));
  return {
    version,
    knows: (model) => tiersOf(model) !== undefined,
    cost: (model, tokens) => {
      const tier = tiersOf(model)?.find((each) => tokens.input_tokens <= (each.up_to_prompt_tokens ?? Infinity));
      if (!tier) return null;
      const fresh = Math.max(0, tokens.input_tokens - tokens.cache_read_tokens - tokens.cache_write_tokens);
      const perMillion =
        fresh * tier.input +
        tokens.cache_read_tokens * tier.cache_read +
        tokens.cache_write_tokens * tier.cache_write +
        tokens.output_tokens * tier.output;
      return Math.round(perMillion * 1e3) / 1e9; // whole nano-dollars: sums stay free of binary dust
    },
  };
};

const attempt = <T>(step: () => T, problem: string): T => {
  try {
    return step();
  } catch {
    throw new ConfigError('PRICES_FILE', problem); // the error's own words may quote the file
  }
};

const readPriceFile = (path: string | null): PriceFile => {
  const text = attempt(() => readFileSync(path ?? new URL('./prices.json', import.meta.url), 'utf8'), 'cannot be read');
  const parsed = PriceFile.safeParse(attempt(() => JSON.parse(text) as unknown, 'is not JSON'));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ConfigError('PRICES_FILE', `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not valid'}`);
};
