import { createHash } from 'node:crypto';

/** One block of a prompt in the provider's order (tools, system, messages). `keep`: a cache breakpoint ends here. */
export interface PromptBlock {
  text: string;
  tokens: number;
  keep: '5m' | '1h' | null;
}

/** Tokens of a prompt by how they were had; their sum is the prompt. */
export interface PromptTokens {
  fresh: number;
  read: number;
  written5m: number;
  written1h: number;
}

export interface PrefixCache {
  /** Counts a prompt and remembers its marked prefixes. `scope` keeps providers and models apart. */
  use(scope: string, blocks: readonly PromptBlock[]): PromptTokens;
}

/** The shortest prefix worth keeping: 1,024 tokens, Anthropic's and Gemini's documented minimum for most models. */
export const MIN_CACHED_TOKENS = 1_024;
/** How many blocks before a breakpoint a hit is looked for (Anthropic, "prompt caching"). */
const LOOKBACK = 20;
const TTL_MS = { '5m': 300_000, '1h': 3_600_000 } as const;
/** Prefixes remembered; the oldest go first. */
const MAX_ENTRIES = 20_000;

/** Simulates prompt caching: a marked prefix seen within its lifetime is read, and reading it renews it. */
export const createPrefixCache = (now: () => number = Date.now): PrefixCache => {
  const known = new Map<string, { expires: number; ttl: number }>();
  const renew = (hash: string, ttl: number): void => {
    known.delete(hash);
    known.set(hash, { expires: now() + ttl, ttl });
    for (const oldest of known.keys()) {
      if (known.size <= MAX_ENTRIES) break;
      known.delete(oldest);
    }
  };

  return {
    use: (scope, blocks) => {
      const hashes: string[] = [];
      const upTo: number[] = [];
      let hash = scope;
      let sum = 0;
      for (const block of blocks) {
        hash = createHash('sha256').update(hash).update(block.text).digest('base64');
        sum += block.tokens;
        hashes.push(hash);
        upTo.push(sum);
      }
      const marks = blocks.flatMap((block, index) => (block.keep ? [{ index, keep: block.keep }] : []));
      const worth = marks.filter((mark) => (upTo[mark.index] ?? 0) >= MIN_CACHED_TOKENS);

      let hit = -1;
      for (const mark of worth) {
        for (let at = mark.index; at >= 0 && at > mark.index - LOOKBACK && at > hit; at -= 1) {
          const entry = known.get(hashes[at] ?? '');
          if (entry && entry.expires > now()) {
            hit = at;
            renew(hashes[at] ?? '', entry.ttl);
          }
        }
      }
      const counted: PromptTokens = { fresh: sum, read: upTo[hit] ?? 0, written5m: 0, written1h: 0 };
      let done = counted.read;
      for (const mark of worth) {
        renew(hashes[mark.index] ?? '', TTL_MS[mark.keep]);
        const end = upTo[mark.index] ?? 0;
        if (end <= done) continue;
        counted[mark.keep === '1h' ? 'written1h' : 'written5m'] += end - done;
        done = end;
      }
      counted.fresh = sum - done;
      return counted;
    },
  };
};
