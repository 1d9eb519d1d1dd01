import type { RecognitionStream, SpeechRecogniser } from '../../rehearsal/speech-recogniser.ts';

/** Sound after which a scripted word is stable: 200 ms at 16 kHz. */
export const SAMPLES_A_WORD = 3_200;

/** What one stream was given. */
export interface HeardStream {
  text: string;
  /** 16 kHz samples. */
  samples: number;
  /** The loudest of them. */
  peak: number;
  end: 'open' | 'finished' | 'discarded';
}

/**
 * Hears the scripted texts, one a stream, in order: a word more is stable with every 200 ms of sound. `complaints` says
 * what the user of the port did wrong.
 */
export class ScriptedRecogniser implements SpeechRecogniser {
  readonly label = 'a script';
  readonly streams: HeardStream[] = [];
  readonly complaints: string[] = [];
  /** Awaited before a stream is open, and before it has its text. */
  beforeOpen: () => Promise<void> = () => Promise.resolve();
  beforeText: () => Promise<void> = () => Promise.resolve();
  closed = false;
  readonly #texts: string[];

  constructor(texts: readonly string[]) {
    this.#texts = [...texts];
  }

  async open(): Promise<RecognitionStream> {
    const text = this.#texts[this.streams.length];
    const heard: HeardStream = { text: text ?? '', samples: 0, peak: 0, end: 'open' };
    this.streams.push(heard);
    if (text === undefined) this.complaints.push(`no text left for utterance ${this.streams.length}`);
    if (this.closed) this.complaints.push('opened after its end');
    await this.beforeOpen();
    const words = heard.text.split(' ');
    let listener: (text: string) => void = () => undefined;
    let stable = 0;
    const check = (what: string): void => {
      if (heard.end !== 'open') this.complaints.push(`${what} of a stream that is ${heard.end}`);
    };
    return {
      push: (samples) => {
        check('push');
        heard.samples += samples.length;
        for (const sample of samples) heard.peak = Math.max(heard.peak, Math.abs(sample));
        // The last word is never stable while sound comes: more of it may follow.
        const now = Math.min(words.length - 1, Math.floor(heard.samples / SAMPLES_A_WORD));
        if (now <= stable) return;
        stable = now;
        listener(words.slice(0, now).join(' '));
      },
      onStable: (told) => {
        listener = told;
      },
      finish: async () => {
        check('finish');
        heard.end = 'finished';
        await this.beforeText();
        return heard.text;
      },
      discard: () => {
        if (heard.end === 'open') heard.end = 'discarded';
      },
    };
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
