import { codeOf, messageOf } from '../../platform/errors.ts';
import { CAPTURE_HZ, FRAME_SAMPLES } from '../frames.ts';
import { MicrophoneError } from '../microphone.ts';
import type { Microphone } from '../microphone.ts';
import { createPcmBytes } from '../pcm-bytes.ts';

/** A device that records. */
export interface NativeStream {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  stop(): void;
  destroy(): unknown;
  /** Pieces the device threw away since we did not take them in time. */
  readonly overrunCount: number;
}

/** What is needed of the package. */
export interface NativeInput {
  open(options: {
    sampleRate: number;
    channels: number;
    framesPerBuffer: number;
    device?: string | { id: string };
  }): Promise<NativeStream>;
  devices(): readonly { name: string; id: string; isDefault: boolean; maxInputChannels: number }[];
}

export interface NativeMicrophoneOptions {
  input: NativeInput;
  /** Part of a device's name, or its id; null: the system's default. */
  device: string | null;
  /** So many pieces of 20 ms were thrown away before we saw them, since the last time this was called. */
  onOverrun?: (pieces: number) => void;
}

/** Ids of devices as the package writes them: host, colon, the platform's own. */
const ID = /^(wasapi|coreaudio|alsa):/;
/** A device that has not closed by then is let go. */
const CLOSE_MS = 1_000;

/** Nothing that waiting could change. */
const FINAL: Readonly<Record<string, string>> = {
  PERMISSION_DENIED:
    'the system does not let this program hear the microphone; Windows: Settings, Privacy & security, Microphone, "Let desktop apps access your microphone"',
  MULTIPLE_DEVICES_MATCH: 'several devices have that in their name; --devices lists them',
  NOT_AN_INPUT_DEVICE: 'that device does not record; --devices lists those that do',
};

const failure = (error: unknown): MicrophoneError =>
  error instanceof MicrophoneError
    ? error
    : new MicrophoneError(`the microphone does not record: ${FINAL[codeOf(error)] ?? messageOf(error)}`, {
        retryable: !(codeOf(error) in FINAL) && !(error instanceof RangeError) && !(error instanceof TypeError),
        cause: error,
      });

/** The package is optional, and prebuilt for some machines only. @throws MicrophoneError saying why it is not here */
export const loadNativeInput = async (): Promise<NativeInput> => {
  try {
    const { Microphone: Input } = await import('decibri');
    return Input;
  } catch (error) {
    throw new MicrophoneError(
      `the native microphone cannot be used on ${process.platform} ${process.arch}: ${messageOf(error).split('\n')[0]}; MICROPHONE=sox records without it`,
      { retryable: false, cause: error },
    );
  }
};

/** Records in this process, 20 ms at a time: WASAPI, Core Audio or ALSA. */
export const createNativeMicrophone = ({ input, device, onOverrun }: NativeMicrophoneOptions): Microphone => {
  const hear = (stream: NativeStream, onSamples: (samples: Int16Array) => void, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const bytes = createPcmBytes();
      let overruns = 0;
      let failed: Error | undefined;
      let letGo: NodeJS.Timeout | undefined;
      const stop = (): void => {
        stream.stop();
        letGo ??= setTimeout(() => stream.destroy(), CLOSE_MS);
      };
      stream.on('data', (chunk) => {
        if (signal.aborted) return;
        onSamples(bytes.push(chunk));
        const more = stream.overrunCount - overruns;
        overruns += more;
        if (more > 0) onOverrun?.(more);
      });
      stream.on('error', (error) => {
        failed ??= error;
      });
      stream.on('close', () => {
        clearTimeout(letGo);
        signal.removeEventListener('abort', stop);
        if (signal.aborted) resolve();
        else reject(failure(failed ?? new Error('the device ended')));
      });
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });

  return {
    label: `native, ${device ?? 'default device'}`,
    finite: false,
    capture: async (onSamples, signal) => {
      if (signal.aborted) return;
      const stream = await input
        .open({
          sampleRate: CAPTURE_HZ,
          channels: 1,
          framesPerBuffer: FRAME_SAMPLES,
          ...(device === null ? {} : { device: ID.test(device) ? { id: device } : device }),
        })
        .catch((error: unknown) => {
          throw failure(error);
        });
      await hear(stream, onSamples, signal);
    },
  };
};
