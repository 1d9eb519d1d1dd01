/** What a decoder tells. */
export interface DecoderEvents {
  /** What it takes the sound for so far; may change with every call. */
  heard(text: string): void;
  /** All of it; once after each `finish`. */
  finished(text: string): void;
  /** It does not decode any more. */
  failed(error: Error): void;
}

/** Decodes one stretch of sound at a time, somewhere else (a thread, a child). Nothing here waits. */
export interface Decoder {
  /** Forgets what was not finished; sound follows. */
  begin(): void;
  /** 16 kHz mono. */
  sound(samples: Int16Array): void;
  finish(): void;
  close(): Promise<void>;
}

/** Resolves when it can be used. @throws Error saying what to install */
export type OpenDecoder = (events: DecoderEvents) => Promise<Decoder>;
