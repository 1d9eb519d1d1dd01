import type { FinalReply } from '../contracts/replies.ts';
import { ProblemError } from './problems.ts';

/** How long a reply is given again; accepted ones are found in Temporal after that. */
export const REMEMBER_MS = 10 * 60_000;
/** Replies kept; the oldest goes first. About 2 kB each. */
const MAX_REPLIES = 10_000;

interface Entry {
  bodyHash: string;
  reply: Promise<FinalReply>;
  expires: number;
}

export interface Remembered {
  /**
   * The reply to this utterance: the one given before, or being made, or made now by `make`.
   * @throws ProblemError utterance-conflict when the id came with another body; what `make` throws is not remembered.
   */
  once(utteranceId: string, bodyHash: string, make: () => Promise<FinalReply>): Promise<FinalReply>;
  /** A final with this id came within the time. */
  knows(utteranceId: string): boolean;
  /** The reply given under a trace, if it was not an accepted one. */
  byTrace(traceId: string): { reply: FinalReply; utterance: string; at: string } | null;
  /** Keeps a reply that no workflow will remember. */
  note(reply: FinalReply, utterance: string): void;
}

export const conflict = (): ProblemError =>
  new ProblemError('utterance-conflict', 'this utterance_id came before, with another text or session');

/** Bounded, in memory; time is monotonic, so that a jump of the clock changes nothing. */
export const createRemembered = (rememberMs = REMEMBER_MS): Remembered => {
  const byUtterance = new Map<string, Entry>();
  const byTrace = new Map<string, { reply: FinalReply; utterance: string; at: string; expires: number }>();
  const trim = (map: Map<string, { expires: number }>): void => {
    const now = performance.now();
    for (const [key, { expires }] of map) {
      if (expires > now && map.size <= MAX_REPLIES) break;
      map.delete(key);
    }
  };
  return {
    once: async (utteranceId, bodyHash, make) => {
      trim(byUtterance);
      const known = byUtterance.get(utteranceId);
      if (known) {
        if (known.bodyHash !== bodyHash) throw conflict();
        return known.reply;
      }
      const entry = { bodyHash, reply: make(), expires: performance.now() + rememberMs };
      byUtterance.set(utteranceId, entry);
      try {
        return await entry.reply;
      } catch (error) {
        if (byUtterance.get(utteranceId) === entry) byUtterance.delete(utteranceId);
        throw error;
      }
    },
    knows: (utteranceId) => byUtterance.has(utteranceId),
    byTrace: (traceId) => {
      trim(byTrace);
      return byTrace.get(traceId) ?? null;
    },
    note: (reply, utterance) => {
      byTrace.delete(reply.trace_id);
      byTrace.set(reply.trace_id, {
        reply,
        utterance,
        at: new Date().toISOString(),
        expires: performance.now() + rememberMs,
      });
      trim(byTrace);
    },
  };
};
