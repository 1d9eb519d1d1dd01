import { z } from 'zod';
import { sha256Of } from '../../platform/artifacts.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import type { ToolResult } from '../models/model.ts';

/** What is known of one call: nothing; that it was begun; that it happened, but not what it showed; or its result. */
export type Claim =
  { state: 'new' } | { state: 'begun' } | { state: 'acted'; text: string } | { state: 'done'; result: ToolResult };

const StoredResult = z.object({
  call_id: z.string(),
  name: z.string(),
  content: z.array(
    z.union([
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({ type: z.literal('image'), sha256: z.string(), media_type: z.string() }),
    ]),
  ),
  is_error: z.boolean(),
  unknown: z.boolean(),
  summary: z.string(),
  url: z.string().nullable(),
  confirmed: z.boolean(),
});
const Stored = z.union([
  z.object({ v: z.literal(1), state: z.literal('begun') }),
  z.object({ v: z.literal(1), state: z.literal('done'), result: StoredResult }),
]);

export interface CallKey {
  jobId: string;
  turn: number;
  callId: string;
}

/**
 * Who has touched the outside world, and with what result. A click cannot be undone, so it is claimed, on disk, before
 * it is made; whoever tries the same call again, here or in another process, finds the claim and does not repeat it.
 */
export interface Claims {
  find(key: CallKey): Promise<Claim>;
  begin(key: CallKey): Promise<void>;
  /** In memory only: it happened, its picture is still to be taken. */
  acted(key: CallKey, text: string): void;
  finish(key: CallKey, result: ToolResult): Promise<void>;
}

/** A provider's call ids may hold any characters; the reference's name must not. */
const refOf = (key: CallKey): string => `claims/${key.jobId}.${key.turn}.${sha256Of(key.callId).slice(0, 32)}`;

export const createClaims = (artifacts: ArtifactStore): Claims => {
  const actedHere = new Map<string, string>();
  return {
    find: async (key) => {
      const ref = refOf(key);
      const stored = Stored.safeParse(await artifacts.getRef(ref));
      if (!stored.success) return { state: 'new' };
      if (stored.data.state === 'done') return { state: 'done', result: stored.data.result };
      const text = actedHere.get(ref);
      return text === undefined ? { state: 'begun' } : { state: 'acted', text };
    },
    begin: (key) => artifacts.setRef(refOf(key), { v: 1, state: 'begun' }),
    acted: (key, text) => void actedHere.set(refOf(key), text),
    finish: async (key, result) => {
      await artifacts.setRef(refOf(key), { v: 1, state: 'done', result });
      actedHere.delete(refOf(key));
    },
  };
};
