import { canonicalJson } from './canonical.ts';
import type { Conversation, Exchange, Outcome, PlannedCall, Reply } from './conversation.ts';
import { KNOWN_ORDERS, noOrders, readNotes, readOrder } from './notes.ts';
import type { MidJobNote, Orders } from './notes.ts';
import { readOpening } from './opening.ts';
import type { Opening } from './opening.ts';

/** What a program wants done next, and its words for it. */
export interface Step {
  say: string;
  calls: PlannedCall[];
}

/** What came of a step. `notes`: what was said to the model since. */
export interface Seen {
  outcomes: Outcome[];
  notes: MidJobNote[];
}

/** A program in the making: yields steps, is handed what came of them, returns its report. */
export type Program<Result = string> = Generator<Step, Result, Seen>;

/** What a program knows of its job; `done` and `orders` grow while it runs. */
export interface Job {
  opening: Opening;
  conversation: Pick<Conversation, 'provider' | 'model' | 'tools' | 'vocabulary'>;
  /** Paths of the repository, once it was looked at. */
  files: string[];
  /** What was done so far, one line each, for the report. */
  done: string[];
  orders: Orders;
  /** A person's words so far, in order, and the order that was seen in them. */
  steering: { text: string; order: keyof Orders | null }[];
}

/** A small model. Pure: everything it does follows from the conversation. */
export interface Scenario {
  name: string;
  /** Whether this job is one for it. Scenarios are asked in order. */
  fits(job: Job): boolean;
  run(job: Job): Program;
}

/** Thrown into a program's path when a person ordered it to stop; its report is what was done so far. */
export class StopOrdered extends Error {
  override readonly name = 'StopOrdered';
}

/** Lost sessions after which a program gives up asking for the same thing again. */
const MAX_REPEATS = 3;

/** Does some calls in one turn, in order. Repeats them when the session was lost before they could be. */
export function* act(job: Job, say: string, ...calls: PlannedCall[]): Program<Outcome[]> {
  for (let repeats = 0; ; repeats += 1) {
    const { outcomes, notes } = yield { say, calls };
    heed(job, notes);
    const lost = notes.some((note) => note.kind === 'session_lost') && outcomes.every((outcome) => outcome.isError);
    if (!lost || repeats >= MAX_REPEATS) return outcomes;
    job.done.push('the session was lost; did the same again in the new one');
  }
}

/** Takes a person's words into account. @throws StopOrdered when they say so. */
const heed = (job: Job, notes: readonly MidJobNote[]): void => {
  for (const note of notes) {
    if (note.kind !== 'person') continue;
    const order = readOrder(note.text);
    job.steering.push({ text: note.text, order });
    if (order) job.orders[order] = true;
  }
  if (job.orders.stopNow) throw new StopOrdered('asked to stop');
};

const sameCalls = (a: readonly PlannedCall[], b: readonly PlannedCall[]): boolean =>
  a.length === b.length &&
  a.every((call, at) => call.name === b[at]?.name && canonicalJson(call.input) === canonicalJson(b[at]?.input));

/** Runs a program to its report, also when a person stopped it. */
function* guarded(scenario: Scenario, job: Job): Program {
  try {
    return yield* scenario.run(job);
  } catch (error) {
    if (!(error instanceof StopOrdered)) throw error;
    return `Stopped as you asked (“${job.steering.at(-1)?.text ?? ''}”).`;
  }
}

/** How a person's words in mid-job show up in the report. */
const steeringLines = (job: Job): string[] =>
  job.steering.map(({ text, order }) =>
    order
      ? `You said in between: “${text}”. I kept to it.`
      : `You said in between: “${text}”. A rehearsal understands only ${KNOWN_ORDERS}, so nothing changed.`,
  );

export interface Thought extends Reply {
  scenario: string;
}

/** What every last word of rehearsal begins with: it never pretends to be a model. */
export const MARK = '(rehearsal)';

/**
 * The next step of a conversation, found by running the program again from its start and handing it, turn by turn,
 * what the conversation says came of its steps. Turns the program did not make (cut off, malformed, made by another)
 * are passed over, and it asks again for what it wanted. After its report, new words start a new program.
 */
export const think = (conversation: Conversation, scenarios: readonly Scenario[]): Thought => {
  let opening = readOpening(conversation.opening);
  let job = jobOf(conversation, opening);
  let scenario = choose(scenarios, job);
  let program = guarded(scenario, job);
  let state = program.next();
  let unheard: MidJobNote[] = [];

  for (const exchange of conversation.exchanges) {
    const notes = [...unheard, ...notesOf(exchange)];
    unheard = [];
    if (state.done === true) {
      const again = notes.at(-1);
      if (!again) continue;
      opening = followUp(opening, again);
      job = jobOf(conversation, opening);
      scenario = choose(scenarios, job);
      program = guarded(scenario, job);
      state = program.next();
    } else if (sameCalls(state.value.calls, exchange.calls))
      state = program.next({ outcomes: exchange.outcomes, notes });
    else unheard = notes;
  }

  if (state.done !== true) return { text: state.value.say, calls: state.value.calls, scenario: scenario.name };
  const lines = [`${MARK} ${state.value}`, ...steeringLines(job)];
  if (job.done.length > 0) lines.push(`Steps: ${job.done.join('; ')}.`);
  return { text: lines.join('\n\n'), calls: [], scenario: scenario.name };
};

const notesOf = (exchange: Exchange): MidJobNote[] => exchange.notes.flatMap(readNotes);

const jobOf = (conversation: Conversation, opening: Opening): Job => ({
  opening,
  conversation,
  files: [],
  done: [],
  orders: noOrders(),
  steering: [],
});

/** Words after the report: a person's are the next instruction, a failed verification is the same job seen anew. */
const followUp = (opening: Opening, note: MidJobNote): Opening =>
  note.kind === 'person'
    ? { ...opening, instruction: note.text, parameters: {} }
    : { ...opening, instruction: `fix the failing tests\n${note.text}` };

const choose = (scenarios: readonly Scenario[], job: Job): Scenario => {
  const scenario = scenarios.find((candidate) => candidate.fits(job));
  if (!scenario) throw new Error('no scenario takes this job: the last one must take any');
  return scenario;
};
