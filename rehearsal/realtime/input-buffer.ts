import type { RealtimeFault } from './faults.ts';
import type { ServerVad } from './settings.ts';
import type { Spoken } from './transcriptions.ts';
import { FRAME_SAMPLES, ONSET_FRAMES, TurnDetector } from './turn-detector.ts';

/** 24 kHz samples in a millisecond. */
const SAMPLES_PER_MS = 24;

/** The utterance that sound goes to now. */
export interface OpenUtterance {
  spoken: Spoken;
  fault: RealtimeFault | null;
  samples: number;
  appends: number;
}

export interface BufferEvents {
  /** The first sound of an utterance; its item gets its name now. */
  begin(): { spoken: Spoken; fault: RealtimeFault | null };
  /** `atMs`: where in all the sound of the session the speech begins, or ends. */
  speechStarted(utterance: OpenUtterance, atMs: number): void;
  speechStopped(utterance: OpenUtterance, atMs: number): void;
}

/** The input buffer of one session: hands sound on as it comes, and finds turns where it is asked to. */
export class InputBuffer {
  readonly #events: BufferEvents;
  #open: OpenUtterance | null = null;
  #vad: { settings: ServerVad; detector: TurnDetector } | null = null;
  /** Sound from before speech was noticed, in frames; and the rest of a frame. */
  #before: Int16Array[] = [];
  #rest = new Int16Array(0);
  /** All the sound there ever was. */
  #heard = 0;

  constructor(events: BufferEvents) {
    this.#events = events;
  }

  get ms(): number {
    const before = this.#before.reduce((sum, { length }) => sum + length, this.#rest.length);
    return ((this.#open?.samples ?? 0) + before) / SAMPLES_PER_MS;
  }

  get open(): OpenUtterance | null {
    return this.#open;
  }

  /** null: the client says where turns end. What the buffer holds stays. */
  detect(settings: ServerVad | null): void {
    if (!settings && this.#vad) this.#gather();
    this.#vad = settings && { settings, detector: new TurnDetector(settings) };
  }

  push(samples: Int16Array): void {
    if (!this.#vad) {
      this.#heard += samples.length;
      this.#hand(samples);
      if (this.#open) this.#open.appends += 1;
      return;
    }
    const all = new Int16Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    all.set(samples, this.#rest.length);
    let at = 0;
    for (; at + FRAME_SAMPLES <= all.length; at += FRAME_SAMPLES) this.#frame(all.slice(at, at + FRAME_SAMPLES));
    this.#rest = all.slice(at);
    if (this.#open) this.#open.appends += 1;
  }

  /** What is in it is an utterance now; null: there was no sound. */
  take(): OpenUtterance | null {
    this.#gather();
    const taken = this.#open;
    this.#open = null;
    if (this.#vad) this.#vad.detector = new TurnDetector(this.#vad.settings);
    return taken;
  }

  clear(): void {
    this.#open?.spoken.discard();
    this.#open = null;
    this.#before = [];
    this.#rest = new Int16Array(0);
    if (this.#vad) this.#vad.detector = new TurnDetector(this.#vad.settings);
  }

  #frame(frame: Int16Array): void {
    if (!this.#vad) return this.#hand(frame);
    const { settings, detector } = this.#vad;
    this.#heard += frame.length;
    if (this.#open) this.#hand(frame);
    else this.#before.push(frame);
    const kept = Math.ceil((settings.prefix_padding_ms * SAMPLES_PER_MS) / FRAME_SAMPLES) + ONSET_FRAMES;
    if (this.#before.length > kept) this.#before.shift();
    const turn = detector.push(frame);
    const nowMs = this.#heard / SAMPLES_PER_MS;
    if (turn === 'started') {
      const beforeMs = (this.#before.length * FRAME_SAMPLES) / SAMPLES_PER_MS;
      for (const earlier of this.#before.splice(0)) this.#hand(earlier);
      if (this.#open) this.#events.speechStarted(this.#open, Math.max(0, nowMs - beforeMs));
    } else if (turn === 'stopped' && this.#open) {
      const over = this.#open;
      this.#open = null;
      this.#events.speechStopped(over, nowMs);
    }
  }

  /** All that waited for speech goes where speech would. */
  #gather(): void {
    for (const frame of this.#before.splice(0)) this.#hand(frame);
    this.#heard += this.#rest.length;
    this.#hand(this.#rest);
    this.#rest = new Int16Array(0);
  }

  #hand(samples: Int16Array): void {
    if (samples.length === 0) return;
    this.#open ??= { ...this.#events.begin(), samples: 0, appends: 0 };
    this.#open.samples += samples.length;
    this.#open.spoken.push(samples);
  }
}
