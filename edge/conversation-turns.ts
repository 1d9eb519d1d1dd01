/** One thing the speaker said, and what became of it. */
export class Turn {
  readonly utteranceId: string;
  /** What was said; undefined: not written down yet, null: never will be. */
  text: string | null | undefined;
  /** What the service calls it. */
  itemId: string | null = null;
  /** The model may answer it. */
  ready = false;
  /** It was handed over. */
  submitted = false;
  /** Nothing more may be done for it. */
  hushed = false;
  /** Calls of the model for it that are under way. */
  running = 0;
  /** It has been answered, or never will be. */
  over = false;
  readonly #known = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | null = null;

  constructor(utteranceId: string) {
    this.utteranceId = utteranceId;
  }

  /** Resolves when `text` will not change any more. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  write(text: string | null): void {
    this.text = text;
    this.#known.resolve();
  }

  /** Once, unless stopped before. */
  after(ms: number, act: () => void): void {
    this.stop();
    this.#timer = setTimeout(act, ms);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** What was said and is not dealt with, in spoken order; what is, stays until its text is known. */
export class Turns {
  readonly #turns = new Map<string, Turn>();
  readonly #unsent: (utteranceId: string) => void;

  /** `unsent`: a turn is over and was not handed over. */
  constructor(unsent: (utteranceId: string) => void) {
    this.#unsent = unsent;
  }

  begin(utteranceId: string): void {
    this.#turns.set(utteranceId, new Turn(utteranceId));
  }

  get(utteranceId: string): Turn | undefined {
    return this.#turns.get(utteranceId);
  }

  drop(utteranceId: string): void {
    this.#turns.get(utteranceId)?.stop();
    this.#turns.delete(utteranceId);
  }

  all(): Turn[] {
    return [...this.#turns.values()];
  }

  /** Those the model may answer, and has not. */
  answerable(): Turn[] {
    return this.all().filter(({ ready, over }) => ready && !over);
  }

  /** Something is being done for one. */
  get anyRunning(): boolean {
    return this.all().some(({ running }) => running > 0);
  }

  /** One waits for its text, or to be heard at all. */
  get anyUnready(): boolean {
    return this.all().some(({ over, ready }) => !over && !ready);
  }

  /** It is over, unless something is being done for it. */
  finish(turn: Turn): void {
    if (turn.over || turn.running > 0) return;
    turn.stop();
    turn.over = true;
    if (turn.text !== undefined) this.#turns.delete(turn.utteranceId);
    if (!turn.submitted) this.#unsent(turn.utteranceId);
  }

  /** The session is over: what has no text is said again to the next one, and answered then. */
  sessionGone(): void {
    for (const turn of this.#turns.values()) {
      turn.stop();
      turn.itemId = null;
      if (turn.text === undefined && !turn.over) turn.ready = false;
    }
  }
}
