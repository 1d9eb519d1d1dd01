import { messageOf } from '../../platform/errors.ts';
import { unlessAborted } from '../../platform/lifecycle.ts';
import { WIRE_HZ } from '../frames.ts';
import { inRealTime, PlaybackClock } from '../playback-clock.ts';
import type { Speaker } from '../speaker.ts';

/** From the first sound handed to the system's mixer until it is heard; a guess at WASAPI's and Core Audio's default. */
const OPENING_MS = 60;
/** Sound handed on before it is due. */
const LEAD_MS = 120;
/** After the last sound the device has so long to say that it is done. */
const ENDING_MS = 3_000;

/** What is needed of the device: sound goes into its queue, is played out, or thrown away. */
export interface NativeOutput {
  writeAsync(bytes: Buffer): Promise<void>;
  drainAsync(): Promise<void>;
  stop(): void;
}
export type OpenOutput = () => Promise<NativeOutput>;

/** The package is optional: null where it is not installed or does not fit the machine. */
export const findNativeOutput = async (): Promise<OpenOutput | null> => {
  try {
    const { Speaker: Output } = await import('decibri');
    return () => Output.open({ sampleRate: WIRE_HZ, channels: 1, dtype: 'int16' });
  } catch {
    return null;
  }
};

/**
 * Plays through the system's own mixer, in this process. The device is opened at the first sound of each sentence,
 * which holds up the event loop for some milliseconds (3 to 6, measured with ALSA).
 */
export const createNativeSpeaker = (open: OpenOutput): Speaker => {
  let output: NativeOutput | null = null;

  const forget = (): void => {
    const forgotten = output;
    output = null;
    try {
      forgotten?.stop();
    } catch {
      // It is the device that failed; there is nothing left to stop.
    }
  };

  return {
    label: 'native',
    play: async (samples, signal) => {
      if (signal.aborted) return 0;
      const clock = new PlaybackClock(OPENING_MS);
      const onAbort = (): void => output?.stop();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const device = (output ??= await unlessAborted(open(), signal));
        for await (const piece of inRealTime(samples, clock, OPENING_MS + LEAD_MS, signal))
          await unlessAborted(device.writeAsync(Buffer.from(piece.slice().buffer)), signal);
        if (!signal.aborted) {
          const done = AbortSignal.any([
            signal,
            AbortSignal.timeout(Math.ceil(clock.aheadMs(performance.now())) + ENDING_MS),
          ]);
          await unlessAborted(device.drainAsync(), done);
        }
      } catch (error) {
        if (!signal.aborted) {
          forget();
          throw new Error(
            `the sound device does not play: ${messageOf(error)}; is a loudspeaker or headset connected?`,
            {
              cause: error,
            },
          );
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
      return signal.aborted ? clock.heardMs(performance.now()) : clock.writtenMs;
    },
    close: async () => forget(),
  };
};
