import { z } from 'zod';
import { AcceptedReply } from '../contracts/replies.ts';
import type { RouteResult } from '../skills/routing/router.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { REMEMBER_MS } from './remembered.ts';

/** A question waits this long for its answer. */
export const PARK_MS = 60_000;
/** Questions, and answers given, that are kept; the oldest goes first. */
const MAX_KEPT = 1_000;

/** A transcript that waits for an answer: one a session, whole, with everything the router said about it. */
export interface Parked {
  trace_id: string;
  session_id: string;
  utterance: string;
  body_hash: string;
  route: RouteResult;
  /** The caller's own context, for `POST /task`. */
  context: string;
}

export interface ParkedTranscripts {
  of(sessionId: string): Parked | null;
  /** Replaces what the session had asked before. Durable when it resolves. */
  park(parked: Parked): Promise<void>;
  /** The question is settled. With `answer`, the utterance that settled it gets the same reply when it comes again. */
  settle(sessionId: string, answer?: { utteranceId: string; bodyHash: string; reply: AcceptedReply }): Promise<void>;
  answered(utteranceId: string): { bodyHash: string; reply: AcceptedReply } | null;
}

const FILE = 'gateway/parked';

/** `expires_at` is milliseconds since the epoch; the inside of `parked` was written by ourselves. */
const Saved = z.object({
  parked: z.array(z.object({ expires_at: z.number(), parked: z.custom<Parked>((value) => isParked(value)) })),
  answers: z.array(
    z.object({ expires_at: z.number(), utterance_id: z.string(), body_hash: z.string(), reply: AcceptedReply }),
  ),
});

const isParked = (value: unknown): boolean =>
  z
    .looseObject({
      trace_id: z.string(),
      session_id: z.string(),
      utterance: z.string(),
      body_hash: z.string(),
      context: z.string(),
      route: z.looseObject({ decision: z.string(), clauses: z.array(z.looseObject({ text: z.string() })) }),
    })
    .safeParse(value).success;

interface Timed {
  /** On the monotonic clock: a jump of the wall clock neither ends nor prolongs a question. */
  until: number;
}

/**
 * Reads what an earlier life of the gateway left. `store` is a small durable store below the data directory.
 * What cannot be written is kept in memory and logged.
 */
export const openParked = async (
  store: Pick<ArtifactStore, 'getRef' | 'setRef'>,
  log: Log,
  parkMs = PARK_MS,
): Promise<ParkedTranscripts> => {
  const parked = new Map<string, Timed & { value: Parked }>();
  const answers = new Map<string, Timed & { bodyHash: string; reply: AcceptedReply }>();

  const saved = Saved.safeParse(await store.getRef(FILE).catch(() => null));
  if (saved.success) {
    const untilOf = (expiresAt: number, most: number): number => {
      const left = expiresAt - Date.now();
      return performance.now() + (left > 0 && left <= most ? left : 0);
    };
    for (const { expires_at, parked: value } of saved.data.parked)
      parked.set(value.session_id, { until: untilOf(expires_at, parkMs), value });
    for (const { expires_at, utterance_id, body_hash, reply } of saved.data.answers)
      answers.set(utterance_id, { until: untilOf(expires_at, REMEMBER_MS), bodyHash: body_hash, reply });
  }

  const trim = (map: Map<string, Timed>): void => {
    const now = performance.now();
    for (const [key, { until }] of map) if (until <= now || map.size > MAX_KEPT) map.delete(key);
  };
  const expiresAt = ({ until }: Timed): number => Date.now() + Math.max(0, until - performance.now());

  let writing: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    trim(parked);
    trim(answers);
    writing = writing
      .then(() =>
        store.setRef(FILE, {
          parked: [...parked.values()].map((entry) => ({ expires_at: expiresAt(entry), parked: entry.value })),
          answers: [...answers].map(([utterance_id, entry]) => ({
            expires_at: expiresAt(entry),
            utterance_id,
            body_hash: entry.bodyHash,
            reply: entry.reply,
          })),
        }),
      )
      .catch((error: unknown) =>
        log.error({ error: messageOf(error) }, 'a parked question cannot be written; it is lost if the gateway ends'),
      );
    return writing;
  };

  return {
    of: (sessionId) => {
      trim(parked);
      return parked.get(sessionId)?.value ?? null;
    },
    park: (value) => {
      parked.delete(value.session_id);
      parked.set(value.session_id, { until: performance.now() + parkMs, value });
      return save();
    },
    settle: (sessionId, answer) => {
      parked.delete(sessionId);
      if (answer)
        answers.set(answer.utteranceId, {
          until: performance.now() + REMEMBER_MS,
          bodyHash: answer.bodyHash,
          reply: answer.reply,
        });
      return save();
    },
    answered: (utteranceId) => {
      trim(answers);
      return answers.get(utteranceId) ?? null;
    },
  };
};
