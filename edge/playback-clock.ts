import { WIRE_HZ } from './frames.ts';
import { delay, unlessAborted } from '../platform/lifecycle.ts';

/** Samples handed on at once: 20 ms, so that nothing long is on its way when playing stops. */
const PIECE_SAMPLES = WIRE_HZ / 50;

/** Milliseconds that so many samples sound. */
export const soundMs = (samples: number): number => (samples * 1_000) / WIRE_HZ;

/**
 * Where a device stands that plays what it is given, in real time: what it was given, and until when it has enough.
 * Times are those of `performance.now()`.
 */
export class PlaybackClock {
  readonly #latencyMs: number;
  #writtenMs = 0;
  #endsAtMs = -Infinity;

  /** `latencyMs`: from handing sound to an idle device until it is heard. */
  constructor(latencyMs: number) {
    this.#latencyMs = latencyMs;
  }

  wrote(ms: number, nowMs: number): void {
    // A device that ran dry begins anew: its pause is nothing that was heard.
    this.#endsAtMs = Math.max(this.#endsAtMs, nowMs + this.#latencyMs) + ms;
    this.#writtenMs += ms;
  }

  /** Milliseconds of sound that the device was given. */
  get writtenMs(): number {
    return this.#writtenMs;
  }

  /** Milliseconds until the device has played everything. */
  aheadMs(nowMs: number): number {
    return Math.max(0, this.#endsAtMs - nowMs);
  }

  /** Milliseconds of sound that were heard by now; never more than was handed to the device. */
  heardMs(nowMs: number): number {
    return Math.max(0, this.#writtenMs - this.aheadMs(nowMs));
  }
}

/**
 * Sound in pieces of 20 ms, none handed on more than `leadMs` before the device needs it; ends early, without an
 * error, when the signal aborts. @throws what the source throws
 */
export async function* inRealTime(
  samples: AsyncIterable<Int16Array>,
  clock: PlaybackClock,
  leadMs: number,
  signal: AbortSignal,
): AsyncGenerator<Int16Array, void> {
  const source = samples[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (!signal.aborted) {
      const next = await unlessAborted(source.next(), signal);
      if (next.done) {
        ended = true;
        return;
      }
      for (let from = 0; from < next.value.length; from += PIECE_SAMPLES) {
        const wait = clock.aheadMs(performance.now()) - leadMs;
        if (wait > 0) await delay(wait, signal);
        if (signal.aborted) return;
        const piece = next.value.subarray(from, from + PIECE_SAMPLES);
        clock.wrote(soundMs(piece.length), performance.now());
        yield piece;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    // Not awaited: a source that is stuck must not hold up the silence.
    if (!ended) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}
