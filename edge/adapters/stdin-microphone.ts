import type { Readable } from 'node:stream';
import { messageOf } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import { CAPTURE_HZ, FRAME_SAMPLES } from '../frames.ts';
import { MicrophoneError } from '../microphone.ts';
import type { Microphone } from '../microphone.ts';
import { createPcmBytes } from '../pcm-bytes.ts';

/**
 * A device's clock is never this much faster than ours, so live sound is never held back, while a file that comes
 * down the pipe all at once is slowed to what a speaker could say.
 */
const MOST_SPEED = 1.25;
/** Sound that may come at once, milliseconds: what a pipe holds back and then lets go. */
const BURST_MS = 1_000;

export interface StdinMicrophoneOptions {
  /** 16 kHz, 16 bit, low byte first, mono. It is destroyed when capture ends. */
  input: Readable;
  /** Times real time, at most; default 1.25. */
  mostSpeed?: number;
}

/** Sound that another program pipes in. */
export const createStdinMicrophone = ({ input, mostSpeed = MOST_SPEED }: StdinMicrophoneOptions): Microphone => {
  /** Answers how long to wait before so many samples may go on. */
  const createPacer = (): ((samples: number) => number) => {
    let creditMs = BURST_MS;
    let sinceMs = performance.now();
    return (samples) => {
      const nowMs = performance.now();
      creditMs = Math.min(BURST_MS, creditMs + (nowMs - sinceMs) * mostSpeed) - (samples * 1_000) / CAPTURE_HZ;
      sinceMs = nowMs;
      return Math.max(0, -creditMs / mostSpeed);
    };
  };

  const hear = async (onSamples: (samples: Int16Array) => void, signal: AbortSignal): Promise<void> => {
    const bytes = createPcmBytes();
    const waitMs = createPacer();
    for await (const chunk of input) {
      const samples = bytes.push(chunk as Uint8Array);
      for (let from = 0; from < samples.length; from += FRAME_SAMPLES) {
        const piece = samples.subarray(from, from + FRAME_SAMPLES);
        const wait = waitMs(piece.length);
        if (wait > 0) await delay(wait, signal);
        if (signal.aborted) return;
        onSamples(piece);
      }
    }
  };

  return {
    label: 'standard input',
    finite: true,
    capture: async (onSamples, signal) => {
      const stop = (): void => void input.destroy();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      try {
        await hear(onSamples, signal);
      } catch (error) {
        if (!signal.aborted)
          throw new MicrophoneError(`standard input cannot be read: ${messageOf(error)}`, {
            retryable: false,
            cause: error,
          });
      } finally {
        signal.removeEventListener('abort', stop);
        input.destroy();
      }
    },
  };
};
