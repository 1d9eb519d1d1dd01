/** Plays sound. One at a time. */
export interface Speaker {
  readonly label: string;
  /**
   * Plays 24 kHz mono samples as they come; resolves when the last was heard, or as soon as the signal aborts, with
   * the milliseconds that were heard (an estimate: never more than was handed to the device). Silent within 150 ms of
   * an abort. @throws Error when the device is gone
   */
  play(samples: AsyncIterable<Int16Array>, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** Makes speech of text, on this machine. */
export interface Voice {
  readonly label: string;
  /** 24 kHz mono. @throws Error when the program behind it fails */
  speak(text: string, signal: AbortSignal): AsyncIterable<Int16Array>;
}
