import { FRAME_SAMPLES } from './frames.ts';

/** Cuts pieces of any length into frames of 20 ms. */
export interface Reframer {
  /** Calls `onFrame` for every frame that is complete now; each has samples of its own. */
  push(samples: Int16Array): void;
  /** What is left becomes a frame with silence behind it; nothing when nothing is left. */
  flush(): void;
  /** Samples that wait for the rest of their frame. */
  readonly pending: number;
}

export const createReframer = (onFrame: (samples: Int16Array) => void): Reframer => {
  let frame = new Int16Array(FRAME_SAMPLES);
  let filled = 0;
  const give = (): void => {
    const full = frame;
    frame = new Int16Array(FRAME_SAMPLES);
    filled = 0;
    onFrame(full);
  };
  return {
    push: (samples) => {
      for (let from = 0; from < samples.length;) {
        const piece = samples.subarray(from, from + FRAME_SAMPLES - filled);
        frame.set(piece, filled);
        filled += piece.length;
        from += piece.length;
        if (filled === FRAME_SAMPLES) give();
      }
    },
    flush: () => {
      if (filled > 0) give();
    },
    get pending() {
      return filled;
    },
  };
};
