import type { LineState, RecogniserEvents } from '../../edge/recogniser.ts';
import type { Utterance } from '../../edge/utterance.ts';
import { until } from './until.ts';

/** One end of an utterance, as a recogniser told it. */
export interface Outcome {
  id: string;
  final: string | null;
  lost: string | null;
}

/**
 * Listens to a recogniser and holds it to its word: text that is shown only grows, nothing comes about an utterance
 * that nobody began, and each ends once. Every breach is in `complaints`.
 */
export class Heard implements RecogniserEvents {
  readonly outcomes: Outcome[] = [];
  readonly partials: { id: string; text: string }[] = [];
  readonly firsts: string[] = [];
  readonly states: { state: LineState; problem: string | null }[] = [];
  readonly complaints: string[] = [];
  readonly #shown = new Map<string, number>();
  readonly #begun = new Set<string>();
  readonly #ended = new Set<string>();

  /** A new utterance, and it is expected to end. */
  utterance(id: string): Utterance {
    this.#begun.add(id);
    return {
      utteranceId: id,
      sequence: this.#begun.size,
      onsetAudioMs: 0,
      noticedAtMs: 0,
      saidAt: '2026-11-26T10:00:00Z',
    };
  }

  /** It was no speech: nothing may come of it. */
  discarded(id: string): void {
    this.#begun.delete(id);
  }

  firstAppend(id: string): void {
    this.#check(id, 'firstAppend');
    if (this.firsts.lastIndexOf(id) >= 0) this.complaints.push(`firstAppend of ${id} twice`);
    this.firsts.push(id);
  }

  partial(id: string, text: string): void {
    this.#check(id, 'partial');
    if (text.length <= (this.#shown.get(id) ?? 0)) this.complaints.push(`partial of ${id} did not grow: ${text}`);
    this.#shown.set(id, text.length);
    this.partials.push({ id, text });
  }

  final(id: string, text: string): void {
    this.#check(id, 'final');
    this.#ended.add(id);
    this.outcomes.push({ id, final: text, lost: null });
  }

  lost(id: string, reason: string): void {
    this.#check(id, 'lost');
    this.#ended.add(id);
    this.outcomes.push({ id, final: null, lost: reason });
  }

  state(state: LineState, problem: string | null): void {
    this.states.push({ state, problem });
  }

  get finals(): Record<string, string> {
    return Object.fromEntries(this.outcomes.flatMap(({ id, final }) => (final === null ? [] : [[id, final]])));
  }

  get lostOnes(): string[] {
    return this.outcomes.flatMap(({ id, lost }) => (lost === null ? [] : [id]));
  }

  /** Resolves when every utterance that began has ended. @throws after `withinMs` */
  async settled(withinMs = 15_000): Promise<void> {
    await until(() => (this.outcomes.length >= this.#begun.size ? true : undefined), withinMs);
  }

  async reached(state: LineState, withinMs = 15_000): Promise<string | null> {
    const found = await until(() => {
      const last = this.states.at(-1);
      return last?.state === state ? last : undefined;
    }, withinMs);
    return found.problem;
  }

  /** What is wrong so far: breaches, and utterances without an end. */
  get faults(): string[] {
    const missing = [...this.#begun].filter((id) => !this.#ended.has(id)).map((id) => `${id} has no end`);
    return [...this.complaints, ...missing];
  }

  #check(id: string, what: string): void {
    if (!this.#begun.has(id)) this.complaints.push(`${what} of ${id}, which nobody began`);
    if (this.#ended.has(id)) this.complaints.push(`${what} of ${id} after its end`);
  }
}
