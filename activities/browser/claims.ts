import { z } from 'zod';
import { sha256Of } from '../../platform/artifacts.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import type { ToolResult } from '../models/model.ts';

/**
 * Whose a call is. `mine`: nobody began it, make it now. `done`: it was made, with this result. `acted`: it was made in
 * this process, its picture is still to be taken. `unknown`: somebody began it, and nobody knows whether it happened.
 */
export type Claim =
  { state: 'mine' } | { state: 'done'; result: ToolResult } | { state: 'acted'; text: string } | { state: 'unknown' };

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
  /** Claims the call. Of any number of attempts, at the same time too, exactly one is told `mine`. */
  take(key: CallKey): Promise<Claim>;
  /** In memory only: it happened, its picture is still to be taken. */
  acted(key: CallKey, text: string): void;
  /** Kept beside the claim, never in its place: no late attempt can take it back. */
  finish(key: CallKey, result: ToolResult): Promise<void>;
}

/** A provider's call ids may hold any characters; the reference's name must not. */
const refOf = (key: CallKey): string => `claims/${key.jobId}.${key.turn}.${sha256Of(key.callId).slice(0, 32)}`;
const doneRefOf = (key: CallKey): string => `${refOf(key)}.done`;

export const createClaims = (artifacts: ArtifactStore): Claims => {
  const actedHere = new Map<string, string>();
  return {
    take: async (key) => {
      const ref = refOf(key);
      if (await artifacts.claimRef(ref, { v: 1, call: key.callId })) return { state: 'mine' };
      const done = StoredResult.safeParse(await artifacts.getRef(doneRefOf(key)));
      if (done.success) return { state: 'done', result: done.data };
      const text = actedHere.get(ref);
      return text === undefined ? { state: 'unknown' } : { state: 'acted', text };
    },
    acted: (key, text) => void actedHere.set(refOf(key), text),
    finish: async (key, result) => {
      await artifacts.setRef(doneRefOf(key), result);
      actedHere.delete(refOf(key));
    },
  };
};
