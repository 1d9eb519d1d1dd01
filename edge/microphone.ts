/** Why no sound comes. `retryable`: the same device may come back (unplugged, taken by another program). */
export class MicrophoneError extends Error {
  override readonly name = 'MicrophoneError';
  readonly retryable: boolean;
  constructor(message: string, about: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: about.cause });
    this.retryable = about.retryable;
  }
}

/** Where sound comes from: a device, a file, standard input. */
export interface Microphone {
  /** For people: `sox, default device`, `demo.wav`. */
  readonly label: string;
  /** Its sound has an end (a file, standard input). */
  readonly finite: boolean;
  /**
   * Hands on 16 kHz mono samples in pieces of any length, as they come and synchronously, until the signal aborts or a
   * finite source is at its end; then resolves. Nothing is open afterwards.
   * @throws MicrophoneError saying what a person can do
   */
  capture(onSamples: (samples: Int16Array) => void, signal: AbortSignal): Promise<void>;
}

/** An input of this machine, for `--devices`. */
export interface InputDevice {
  /** What `--device` takes. */
  readonly name: string;
  readonly isDefault: boolean;
  /** Which adapter reaches it: `native`, `sox`, `arecord`. */
  readonly by: string;
}
