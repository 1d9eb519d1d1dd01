import { z } from 'zod';
import { PROVIDERS } from '../contracts/agent.ts';
import type { Provider } from '../contracts/agent.ts';

/**
 * What can go wrong at a provider. `overloaded` is 529 at Anthropic and 503 at Gemini; `stall` never answers until the
 * client goes; `cut` destroys the socket in the middle of the answer; `malformed` answers with a tool call nobody can
 * execute; `stream_error` breaks an event stream off with an error event (a plain answer gets `overloaded` instead).
 */
export const FAULT_KINDS = [
  'rate_limited',
  'overloaded',
  'unauthorized',
  'bad_request',
  'too_large',
  'server_error',
  'stall',
  'cut',
  'stream_error',
  'malformed',
  'slow',
  'refusal',
  'max_tokens',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The body of `POST /rehearsal/faults` (one, or an array). */
export const Fault = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many matching requests it spoils. */
  count: z.number().int().min(1).max(1_000_000).default(1),
  provider: z.enum(PROVIDERS).optional(),
  /** Not before the nth matching request from now, from 1. */
  nth: z.number().int().min(1).default(1),
  /** Only requests whose body holds this text. */
  contains: z.string().min(1).optional(),
  /** Seconds, for `rate_limited` and `overloaded`. */
  retry_after_s: z.number().int().min(0).optional(),
  /** Milliseconds before the answer, for `slow`. */
  delay_ms: z.number().int().min(0).max(600_000).default(1_000),
});
export type Fault = z.infer<typeof Fault>;
/** What a caller writes; defaults are filled in. */
export type FaultInput = z.input<typeof Fault>;

export interface FaultQueue {
  add(fault: FaultInput): void;
  clear(): void;
  /** Faults that still wait, with what is left of them. */
  list(): Fault[];
  /** The first fault that fits this request, used up by one; null: the request is served. */
  take(provider: Provider, body: string): Fault | null;
}

/** Faults in the order they were added. Each counts its own matching requests, so `nth` means the same to all. */
export const createFaultQueue = (): FaultQueue => {
  let waiting: { fault: Fault; seen: number; left: number }[] = [];
  return {
    add: (input) => {
      const fault = Fault.parse(input);
      waiting.push({ fault, seen: 0, left: fault.count });
    },
    clear: () => {
      waiting = [];
    },
    list: () => waiting.map(({ fault, left }) => ({ ...fault, count: left })),
    take: (provider, body) => {
      let taken: Fault | null = null;
      for (const entry of waiting) {
        const { fault } = entry;
        if (fault.provider && fault.provider !== provider) continue;
        if (fault.contains && !body.includes(fault.contains)) continue;
        entry.seen += 1;
        if (taken || entry.seen < fault.nth) continue;
        entry.left -= 1;
        taken = fault;
      }
      waiting = waiting.filter((entry) => entry.left > 0);
      return taken;
    },
  };
};
