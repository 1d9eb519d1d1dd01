import { z } from 'zod';

/**
 * What can go wrong at the Realtime service. At the handshake: `unauthorized` is a 401, `slow` answers it after
 * `delay_ms`. While an utterance comes in, after `after_appends` of its pieces: `cut` destroys the socket,
 * `insufficient_quota` is an error event, `session_expired` one with the end of the session, `flood` sends 5,000 events
 * that mean nothing. After its commit: `cut_after_commit` destroys the socket, `stall` completes `delay_ms` later,
 * `transcription_failed` has no text, `completed_first` sends the deltas after the completion, `out_of_order` keeps its
 * text until the next utterance is complete, `delay_ms` at most.
 */
const HANDSHAKE_KINDS = ['unauthorized', 'slow'] as const;
const UTTERANCE_KINDS = [
  'cut',
  'insufficient_quota',
  'session_expired',
  'flood',
  'cut_after_commit',
  'stall',
  'transcription_failed',
  'completed_first',
  'out_of_order',
] as const;
export const REALTIME_FAULT_KINDS = [...HANDSHAKE_KINDS, ...UTTERANCE_KINDS] as const;
export type RealtimeFaultKind = (typeof REALTIME_FAULT_KINDS)[number];

/** In the body of `POST /rehearsal/faults`, beside the faults of the other models. */
export const RealtimeFault = z.strictObject({
  provider: z.literal('openai'),
  kind: z.enum(REALTIME_FAULT_KINDS),
  /** How many handshakes, or utterances, it spoils. */
  count: z.number().int().min(1).max(1_000_000).default(1),
  /** Not before the nth handshake, or utterance, from now, from 1. */
  nth: z.number().int().min(1).default(1),
  /** Pieces of sound of the utterance. */
  after_appends: z.number().int().min(1).max(100_000).default(5),
  /** Milliseconds. */
  delay_ms: z.number().int().min(0).max(600_000).default(5_000),
});
export type RealtimeFault = z.infer<typeof RealtimeFault>;
/** What a caller writes; defaults are filled in. */
export type RealtimeFaultInput = z.input<typeof RealtimeFault>;

/** When a fault strikes, and what is counted for its `nth`. */
export type FaultStage = 'handshake' | 'utterance';

const stageOf = ({ kind }: RealtimeFault): FaultStage =>
  HANDSHAKE_KINDS.some((known) => known === kind) ? 'handshake' : 'utterance';

export interface RealtimeFaults {
  add(fault: RealtimeFaultInput): void;
  clear(): void;
  /** Faults that still wait, with what is left of them. */
  list(): RealtimeFault[];
  /** The first fault that fits, used up by one; null: all goes well. */
  take(stage: FaultStage): RealtimeFault | null;
}

/** Faults in the order they were added, each with a count of its own. */
export const createRealtimeFaults = (): RealtimeFaults => {
  let waiting: { fault: RealtimeFault; seen: number; left: number }[] = [];
  return {
    add: (input) => {
      const fault = RealtimeFault.parse(input);
      waiting.push({ fault, seen: 0, left: fault.count });
    },
    clear: () => {
      waiting = [];
    },
    list: () => waiting.map(({ fault, left }) => ({ ...fault, count: left })),
    take: (stage) => {
      const fitting = waiting.filter(({ fault }) => stageOf(fault) === stage);
      for (const entry of fitting) entry.seen += 1;
      const taken = fitting.find(({ fault, seen }) => seen >= fault.nth);
      if (taken) taken.left -= 1;
      waiting = waiting.filter(({ left }) => left > 0);
      return taken?.fault ?? null;
    },
  };
};
