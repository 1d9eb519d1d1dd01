import { delay } from '../platform/lifecycle.ts';
import { backoffMs } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import { MicrophoneError } from './microphone.ts';
import type { Microphone } from './microphone.ts';

export interface KeepListeningOptions {
  microphone: Microphone;
  /** `isAfresh`: the first sound of a device that was opened again. */
  hear(samples: Int16Array, isAfresh: boolean): void;
  /** No more sound, why, and that it is tried again. */
  lost(problem: string): void;
  signal: AbortSignal;
  /** Waits before a lost device is opened again. */
  backoff: Backoff;
  /** A device that gives no sound for so long is opened again, milliseconds. */
  stallMs: number;
}

/** A device that gave sound for so long works: its next loss is its first. */
const WORKS_MS = 2_000;
/** Looks whether sound still comes, in the time after which it should have. */
const LOOKS = 4;
/** A microphone that does not let go of its device by then is left behind. */
const LET_GO_MS = 3_000;

/** What the microphone comes to; one that hangs when it is told to stop is not waited for. */
const unlessItHangs = async (capturing: Promise<void>, stop: AbortSignal): Promise<void> => {
  const leftBehind = Promise.withResolvers<void>();
  let late: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    late = setTimeout(leftBehind.resolve, LET_GO_MS);
  };
  stop.addEventListener('abort', onStop, { once: true });
  try {
    await Promise.race([capturing, leftBehind.promise]);
  } finally {
    stop.removeEventListener('abort', onStop);
    clearTimeout(late);
  }
};

/**
 * Opens the microphone, and opens it again whenever its device is lost or falls silent. Resolves when the signal
 * aborts or a finite source is at its end. @throws MicrophoneError that no waiting mends
 */
export const keepListening = async (options: KeepListeningOptions): Promise<void> => {
  const { microphone, signal, backoff, stallMs } = options;
  let failures = 0;

  /** Once, until the device is lost. @throws MicrophoneError */
  const listen = async (isAgain: boolean): Promise<void> => {
    const attempt = new AbortController();
    const stop = AbortSignal.any([signal, attempt.signal]);
    let firstMs: number | undefined;
    let looks = 0;
    // Counted in looks, not by the clock: a laptop that slept did not look.
    const watch = setInterval(() => {
      looks += 1;
      if (looks > LOOKS && !microphone.finite) attempt.abort();
    }, stallMs / LOOKS);
    const onSamples = (samples: Int16Array): void => {
      if (stop.aborted || samples.length === 0) return;
      looks = 0;
      const isFirst = firstMs === undefined;
      firstMs ??= performance.now();
      if (performance.now() - firstMs > WORKS_MS) failures = 0;
      options.hear(samples, isAgain && isFirst);
    };
    try {
      await unlessItHangs(microphone.capture(onSamples, stop), stop);
      if (attempt.signal.aborted) throw new MicrophoneError('the microphone gives no sound', { retryable: true });
      if (!microphone.finite) throw new MicrophoneError('the microphone ended', { retryable: true });
    } finally {
      clearInterval(watch);
      // Whatever still comes from a device that was left behind is not heard.
      attempt.abort();
    }
  };

  for (let isAgain = false; !signal.aborted; isAgain = true) {
    try {
      await listen(isAgain);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof MicrophoneError && error.retryable)) throw error;
      options.lost(error.message);
      await delay(backoffMs(failures, backoff), signal).catch(() => undefined);
      failures += 1;
    }
  }
};
