/** A stretch of sound in the ring, as positions since the ring was made. */
export interface Stretch {
  readonly start: number;
  /** Behind its last sample. */
  end: number;
}

/**
 * Keeps the newest sound, 16 kHz, in memory taken once; older sound is overwritten. Stretches lie one behind another,
 * and only the newest may still grow, or be taken back.
 */
export class UtteranceRing {
  readonly #samples: Int16Array;
  #written = 0;

  /** `capacity`: samples. */
  constructor(capacity: number) {
    this.#samples = new Int16Array(capacity);
  }

  /** A new stretch, empty, behind all others. */
  begin(): Stretch {
    return { start: this.#written, end: this.#written };
  }

  /** More of the newest stretch. */
  append(stretch: Stretch, samples: Int16Array): void {
    const { length: capacity } = this.#samples;
    const kept = samples.length <= capacity ? samples : samples.subarray(samples.length - capacity);
    const at = (this.#written + samples.length - kept.length) % capacity;
    const room = capacity - at;
    this.#samples.set(kept.subarray(0, room), at);
    if (kept.length > room) this.#samples.set(kept.subarray(room), 0);
    this.#written += samples.length;
    stretch.end = this.#written;
  }

  /** The newest stretch was nothing: its room is free again. */
  takeBack(stretch: Stretch): void {
    this.#written = stretch.start;
    stretch.end = stretch.start;
  }

  /** The first position that is still there. */
  get oldest(): number {
    return Math.max(0, this.#written - this.#samples.length);
  }

  /** All of it is still there. */
  isWhole(stretch: Stretch): boolean {
    return stretch.start >= this.oldest;
  }

  /** A copy of at most `most` samples from a position that is still there, and inside the stretch. */
  read(stretch: Stretch, from: number, most: number): Int16Array {
    const { length: capacity } = this.#samples;
    const count = Math.max(0, Math.min(most, stretch.end - from));
    const at = from % capacity;
    if (at + count <= capacity) return this.#samples.slice(at, at + count);
    const out = new Int16Array(count);
    out.set(this.#samples.subarray(at));
    out.set(this.#samples.subarray(0, count - (capacity - at)), capacity - at);
    return out;
  }
}
