import { WIRE_HZ } from './frames.ts';

/** Sound of one reply that may wait to be played; the service makes it faster than it is heard. Five minutes. */
const MAX_WAITING_SAMPLES = 300 * WIRE_HZ;

/** One thing the model says: its sound as it comes, for one listener, and its words. */
export class SpokenReply {
  readonly itemId: string;
  readonly contentIndex: number;
  readonly responseId: string;
  /** The words so far. */
  text = '';
  /** Somebody began to listen. */
  started = false;
  /** The service has sent all of it. */
  ended = false;
  #receivedSamples = 0;
  #waitingSamples = 0;
  #waiting: Int16Array[] = [];
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(about: { itemId: string; contentIndex: number; responseId: string }) {
    this.itemId = about.itemId;
    this.contentIndex = about.contentIndex;
    this.responseId = about.responseId;
  }

  /** Milliseconds of sound that came. */
  get receivedMs(): number {
    return Math.floor((this.#receivedSamples * 1_000) / WIRE_HZ);
  }

  /** false: more waits than anybody will listen to; this was dropped. */
  push(samples: Int16Array): boolean {
    this.#receivedSamples += samples.length;
    if (this.#closed) return true;
    if (this.#waitingSamples + samples.length > MAX_WAITING_SAMPLES) return false;
    this.#waitingSamples += samples.length;
    this.#waiting.push(samples);
    this.#wake?.();
    return true;
  }

  /** All of it came. */
  end(): void {
    this.ended = true;
    this.#wake?.();
  }

  /** No more of it is to be heard. */
  cut(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#waitingSamples = 0;
    this.#wake?.();
  }

  /** The sound as it comes; ends with it, or at a cut. */
  async *samples(): AsyncGenerator<Int16Array> {
    this.started = true;
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next) {
          this.#waitingSamples -= next.length;
          yield next;
        } else if (this.ended || this.#closed) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.cut();
    }
  }
}
