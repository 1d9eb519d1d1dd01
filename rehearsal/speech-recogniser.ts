/** One stretch of sound on its way to text. */
export interface RecognitionStream {
  /** The next sound, 16 kHz mono. Never waits; decoding happens elsewhere. */
  push(samples: Int16Array): void;
  /** Called with all text so far that is stable, whenever it grows; it only ever grows. */
  onStable(listener: (text: string) => void): void;
  /** There is no more sound: the whole text. Empty when nothing was understood. */
  finish(): Promise<string>;
  /** Forgets it. */
  discard(): void;
}

/** Turns sound into words, really; loads its model once, at the first `open` at the latest. */
export interface SpeechRecogniser {
  /** For people: `PocketSphinx (libpocketsphinx3)`. */
  readonly label: string;
  /** Several may be open at once. @throws Error saying what to install */
  open(): Promise<RecognitionStream>;
  close(): Promise<void>;
}
