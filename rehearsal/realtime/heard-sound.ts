import type { RecognitionStream } from '../speech-recogniser.ts';
import { createResampler } from './resample.ts';

/** The sound of one utterance on its way to text, from before there is anybody to listen. */
export class HeardSound {
  readonly #resampler = createResampler();
  readonly #opened: Promise<RecognitionStream>;
  #stream: RecognitionStream | null = null;
  #waiting: Int16Array[] = [];
  #discarded = false;

  /** `grown` is told all text that is stable, whenever it grows. */
  constructor(open: () => Promise<RecognitionStream>, grown: (text: string) => void) {
    this.#opened = open().then((stream) => {
      if (this.#discarded) {
        stream.discard();
        return stream;
      }
      stream.onStable(grown);
      for (const samples of this.#waiting.splice(0)) stream.push(samples);
      this.#stream = stream;
      return stream;
    });
    // Whoever wants the text learns of it.
    this.#opened.catch(() => undefined);
  }

  /** The next sound, 24 kHz. */
  push(samples: Int16Array): void {
    this.#hand(this.#resampler.push(samples));
  }

  /** The whole text. @throws Error for people when there is no recogniser, or it failed */
  finish(): Promise<string> {
    this.#hand(this.#resampler.flush());
    return this.#opened.then((stream) => {
      if (this.#discarded) throw new Error('this sound was discarded');
      return stream.finish();
    });
  }

  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.#waiting = [];
    this.#stream?.discard();
  }

  #hand(samples: Int16Array): void {
    if (this.#discarded || samples.length === 0) return;
    if (this.#stream) this.#stream.push(samples);
    else this.#waiting.push(samples);
  }
}
