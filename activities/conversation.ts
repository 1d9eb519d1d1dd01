import { z } from 'zod';
import { PROVIDERS } from '../contracts/agent.ts';
import { Sha256 } from '../contracts/task.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { OperationError } from '../platform/errors.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { Entry } from './models/model.ts';
import { scrubEntries } from './scrub-entries.ts';

const Part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image'), sha256: Sha256, media_type: z.string() }),
]);
const ToolCall = z.strictObject({
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  confirm: z.string().nullable(),
});
const ToolResult = z.strictObject({
  call_id: z.string(),
  name: z.string(),
  content: z.array(Part),
  is_error: z.boolean(),
  unknown: z.boolean(),
  summary: z.string(),
  url: z.string().nullable(),
  confirmed: z.boolean(),
});
const EntrySchema: z.ZodType<Entry> = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('user'), content: z.array(Part) }),
  z.strictObject({
    role: z.literal('assistant'),
    provider: z.enum(PROVIDERS),
    model: z.string(),
    text: z.string(),
    tool_calls: z.array(ToolCall),
    raw: z.unknown(),
  }),
  z.strictObject({ role: z.literal('tools'), results: z.array(ToolResult) }),
]);

/** One link: `prev` is the artifact before it, null at the start. */
const Node = z.strictObject({ v: z.literal(1), prev: Sha256.nullable(), entries: z.array(EntrySchema) });
type Node = z.infer<typeof Node>;

/** The chain of a job's conversation: immutable links in the artifact store, named by their content. */
export interface Conversation {
  /** Entries as they are kept: free of secrets. What goes to a provider or a person passes through here first. */
  scrub(entries: readonly Entry[]): Entry[];
  /** Stores a link, scrubbed and fsynced; resolves with the new head. */
  append(prev: string | null, entries: readonly Entry[]): Promise<string>;
  /** Every entry from the start; null: none. The entries are shared with other readers: do not change them. */
  read(head: string | null): Promise<Entry[]>;
}

/** Links kept in memory, in bytes of their JSON: a job's turn then reads one file instead of all. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** A link larger than this share of the cache would throw out everybody else's. */
const LARGEST_SHARE = 1 / 8;

/** Least recently used links, bounded by bytes; they are immutable, so they never grow stale. */
const createLinkCache = (maxBytes: number) => {
  const links = new Map<string, { node: Node; bytes: number }>();
  let total = 0;
  return {
    get: (sha256: string): Node | undefined => {
      const link = links.get(sha256);
      if (!link) return undefined;
      links.delete(sha256);
      links.set(sha256, link);
      return link.node;
    },
    set: (sha256: string, node: Node, bytes: number): void => {
      if (bytes > maxBytes * LARGEST_SHARE || links.has(sha256)) return;
      links.set(sha256, { node, bytes });
      total += bytes;
      for (const [oldest, link] of links) {
        if (total <= maxBytes) break;
        links.delete(oldest);
        total -= link.bytes;
      }
    },
  };
};

export interface ConversationOptions {
  artifacts: ArtifactStore;
  scrub: Scrub;
  /** Default 16 MiB. */
  cacheBytes?: number;
}

/** @throws OperationError NotFound when a link is not in the store; Internal (final) when one is not a link. */
export const createConversation = (options: ConversationOptions): Conversation => {
  const { artifacts } = options;
  const cache = createLinkCache(options.cacheBytes ?? CACHE_BYTES);
  const scrub = (entries: readonly Entry[]): Entry[] => scrubEntries(entries, options.scrub);

  const readLink = async (sha256: string): Promise<Node> => {
    const cached = cache.get(sha256);
    if (cached) return cached;
    const bytes = await artifacts.get(sha256);
    const parsed = Node.safeParse(jsonOf(bytes));
    if (!parsed.success)
      throw new OperationError('Internal', `artifact ${sha256} is no part of a conversation`, { retryable: false });
    cache.set(sha256, parsed.data, bytes.length);
    return parsed.data;
  };

  return {
    scrub,
    append: async (prev, entries) => {
      const node: Node = { v: 1, prev, entries: scrub(entries) };
      const json = JSON.stringify(node);
      const { sha256, bytes } = await artifacts.put(json, {
        name: 'conversation.json',
        mediaType: 'application/json',
      });
      cache.set(sha256, node, bytes);
      return sha256;
    },
    read: async (head) => {
      const links: Entry[][] = [];
      for (let at = head; at !== null;) {
        const node = await readLink(at);
        links.push(node.entries);
        at = node.prev;
      }
      return links.reverse().flat();
    },
  };
};

const jsonOf = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined; // no JSON is no link, and is said so by the caller
  }
};
