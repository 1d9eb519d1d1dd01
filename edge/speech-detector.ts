/** How sure the detector is that somebody speaks, for the window that ends at `endMs`. */
export interface Verdict {
  /** End of the judged window, milliseconds of audio since capture began. */
  readonly endMs: number;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** 0 to 1. */
  readonly probability: number;
}

/** Judges sound window by window, in order, elsewhere: `push` never waits. */
export interface SpeechDetector {
  readonly label: string;
  /** Takes the next frame (320 samples, 16 kHz). Frames must follow each other without a gap. */
  push(samples: Int16Array): void;
  /** Forgets what it heard; the next frame starts at `audioMs`. For gaps in the sound. */
  reset(audioMs: number): void;
  /** Frames pushed but not judged yet. */
  readonly pending: number;
  close(): Promise<void>;
}

/** Verdicts arrive in order, later than their frames; `failed` is the end of this detector. */
export interface DetectorEvents {
  verdict(verdict: Verdict): void;
  failed(error: Error): void;
}
