import { ClarifyReply, ControlReply, DeclinedReply } from '../contracts/replies.ts';
import type { FinalReply } from '../contracts/replies.ts';
import { z } from 'zod';
import type { Remembered } from './remembered.ts';
import { findEvent } from './trace-search.ts';

/** Days of trace files that are searched for what memory has let go. */
const DAYS = 8;
const DAY_MS = 24 * 3_600_000;
const PHASES = new Set(['declined', 'clarify', 'control']);

const Payload = z
  .looseObject({ utterance: z.string() })
  .transform(({ utterance, ...reply }) => ({ utterance, reply }))
  .pipe(
    z.object({
      utterance: z.string(),
      reply: z.discriminatedUnion('status', [DeclinedReply, ClarifyReply, ControlReply]),
    }),
  );

export interface Unstarted {
  reply: FinalReply;
  utterance: string;
  /** ISO 8601. */
  at: string;
}

/**
 * What was answered under a trace that started nothing: from memory, later from this gateway's trace files.
 * Files are searched for one caller at a time, so that guessing ids costs the guesser and not the disk.
 */
export const createUnstarted = (
  remembered: Pick<Remembered, 'byTrace'>,
  traceDir: string,
): ((traceId: string) => Promise<Unstarted | null>) => {
  let searching: Promise<unknown> = Promise.resolve();
  const search = async (traceId: string): Promise<Unstarted | null> => {
    const sinceDay = new Date(Date.now() - DAYS * DAY_MS).toISOString().slice(0, 10);
    const about = { process: 'gateway', sinceDay };
    const event = await findEvent(traceDir, traceId, ({ phase }) => PHASES.has(phase), about);
    const payload = Payload.safeParse(event?.payload);
    return event && payload.success ? { ...payload.data, at: event.ts } : null;
  };
  return (traceId) => {
    const known = remembered.byTrace(traceId);
    if (known) return Promise.resolve(known);
    const found = searching.then(() => search(traceId));
    searching = found.catch(() => undefined);
    return found;
  };
};
