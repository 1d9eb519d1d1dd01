/** Signs of other utterances put a stall off, but not for ever: times `stallMs` in all. */
const STALLS_AT_MOST = 4;

export interface StallOptions {
  /** Without a sign for so long after its commit an utterance counts as stalled, milliseconds. */
  stallMs: number;
  /** `performance.now()` of the commits that are not answered. */
  waiting: () => Iterable<number>;
  /** At least one is stalled; asked again as long as that is so. */
  stalled: () => void;
}

/** Notices that the service has stopped answering. */
export class StallWatch {
  readonly #options: StallOptions;
  #timer: NodeJS.Timeout | null = null;
  #lastSignMs = 0;

  constructor(options: StallOptions) {
    this.#options = options;
  }

  /** The service has written something down. */
  sign(): void {
    this.#lastSignMs = performance.now();
  }

  isStalled(committedAtMs: number): boolean {
    return this.#deadlineOf(committedAtMs) <= performance.now();
  }

  /** Something waits. */
  watch(): void {
    if (this.#timer) return;
    let first = Infinity;
    for (const committedAtMs of this.#options.waiting()) first = Math.min(first, this.#deadlineOf(committedAtMs));
    if (first === Infinity) return;
    const inMs = Math.max(1, Math.ceil(first - performance.now()));
    this.#timer = setTimeout(() => this.#look(), inMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    this.#timer = null;
    for (const committedAtMs of this.#options.waiting()) {
      if (!this.isStalled(committedAtMs)) continue;
      this.#options.stalled();
      break;
    }
    this.watch();
  }

  #deadlineOf(committedAtMs: number): number {
    const { stallMs } = this.#options;
    const lastMs = Math.max(committedAtMs, this.#lastSignMs);
    return Math.min(lastMs + stallMs, committedAtMs + STALLS_AT_MOST * stallMs);
  }
}
