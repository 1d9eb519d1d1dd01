import { z } from 'zod';
import type { ModelTurnInput, ModelTurnOutput } from '../contracts/activities.ts';
import { sha256Of } from '../platform/artifacts.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import type { Usage } from './models/model.ts';

/** An answered turn as it is kept: what the activity returns, and what its trace event says. */
export interface AnsweredTurn {
  output: ModelTurnOutput;
  usage: Usage;
  requestModel: string;
  stopReason: string;
  maxTokens: number;
  priceVersion: string | null;
  durationMs: number;
  /** Earlier requests of this turn whose end nobody saw; each may have been billed. */
  uncertainRequests: number;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const Answer = z.strictObject({
  v: z.literal(1),
  turn: z.custom<AnsweredTurn>((turn) => isObject(turn) && isObject((turn as AnsweredTurn).output)),
});
const Intent = z.strictObject({ v: z.literal(1), open: z.number().int().nonnegative() });

/**
 * Names a turn by what it is asked, so that every attempt finds the answer of an earlier one: the job, its place in
 * the conversation, and what is new to the model. Not by the default model or the tools, which a deploy may change
 * between two attempts.
 */
export const turnKey = (input: ModelTurnInput): string =>
  sha256Of(JSON.stringify([input.job_id, input.head, input.turn, input.plan, input.notes, input.predecessors]));

/**
 * What makes a turn bought once. `find` looks for its answer; `intend` notes that a request is about to go out, and
 * tells how many earlier ones have no known end (the note outlives a kill at once, a power cut some milliseconds
 * later: nobody waits for the disk); `settle` takes the note back for a request that was certainly not worked on;
 * `answer` keeps the answer, fsynced, before the activity returns; when another attempt
 * (a process that was frozen and woke up) kept one first, that one stays and is what everybody gets.
 */
export interface TurnStore {
  find(key: string): Promise<AnsweredTurn | null>;
  intend(key: string): Promise<number>;
  settle(key: string): Promise<void>;
  answer(key: string, turn: AnsweredTurn): Promise<AnsweredTurn>;
}

export const createTurnStore = (artifacts: ArtifactStore): TurnStore => {
  const find: TurnStore['find'] = async (key) =>
    Answer.nullable().parse(await artifacts.getRef(`turns/${key}`))?.turn ?? null;
  const openOf = async (key: string): Promise<number> => {
    try {
      return Intent.nullable().parse(await artifacts.getRef(`intents/${key}`))?.open ?? 0;
    } catch (error) {
      if (error instanceof SyntaxError) return 1; // torn by a power cut while a request was under way
      throw error;
    }
  };
  /** A flush that fails changes nothing: what counts is kept by `answer`, which says so when it cannot. */
  const setOpen = (key: string, open: number): void =>
    void artifacts.stageRef(`intents/${key}`, { v: 1, open }).catch(() => undefined);
  return {
    find,
    intend: async (key) => {
      const open = await openOf(key);
      setOpen(key, open + 1);
      return open;
    },
    settle: async (key) => setOpen(key, Math.max(0, (await openOf(key)) - 1)),
    answer: async (key, turn) => {
      if (await artifacts.claimRef(`turns/${key}`, { v: 1, turn })) return turn;
      const first = (await find(key)) ?? turn;
      // What this attempt bought is nobody's answer now, but it was bought.
      const cost_source = first.output.cost_source === 'unknown' ? ('unknown' as const) : ('uncertain' as const);
      return { ...first, output: { ...first.output, cost_source, reused: true } };
    },
  };
};
