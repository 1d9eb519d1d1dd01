import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import { createRateConverter } from '../any-rate.ts';
import { CAPTURE_HZ, FRAME_MS } from '../frames.ts';
import { MicrophoneError } from '../microphone.ts';
import type { Microphone } from '../microphone.ts';
import { createReframer } from '../reframe.ts';
import { createWavSamples, readWavFormat, toInt16 } from '../wav.ts';
import type { WavFormat } from '../wav.ts';

/** Read and converted at once: some 100 ms of the widest sound that is usual, so that nothing waits long for it. */
const BLOCK_BYTES = 32 * 1024;
/** Between two looks whether there is room. */
const NO_ROOM_MS = 2;

/** `real-time`: 20 ms of sound every 20 ms. Otherwise as fast as whoever hears it says that there is room. */
export type Pace = 'real-time' | { hasRoom(): boolean };

export interface FileMicrophoneOptions {
  /** A WAV file of any rate, or `.raw` / `.pcm`: 16 kHz, 16 bit, mono. */
  path: string;
  /** Default: `real-time`. */
  pace?: Pace;
}

const RAW: Omit<WavFormat, 'dataBytes'> = { hz: CAPTURE_HZ, channels: 1, encoding: 'signed 16', dataOffset: 0 };

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  EISDIR: 'it is a folder',
};

const failure = (path: string, error: unknown): MicrophoneError =>
  new MicrophoneError(`cannot play ${basename(path)}: ${WHY[codeOf(error)] ?? messageOf(error)}`, {
    retryable: false,
    cause: error,
  });

/** The sound of the file in frames of 20 ms; the last one may be shorter in sound, silence fills it. */
async function* framesOf(file: FileHandle, path: string): AsyncGenerator<Int16Array, void> {
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  };
  const { size } = await file.stat();
  const isRaw = ['.raw', '.pcm'].includes(extname(path).toLowerCase());
  const format: WavFormat = isRaw ? { ...RAW, dataBytes: size } : await readWavFormat(read, size);
  const samplesOf = createWavSamples(format);
  const converter = createRateConverter(format.hz, CAPTURE_HZ);
  let ready: Int16Array[] = [];
  const reframer = createReframer((frame) => ready.push(frame));
  const taken = (): Int16Array[] => {
    const frames = ready;
    ready = [];
    return frames;
  };
  const end = format.dataOffset + format.dataBytes;
  for (let at = format.dataOffset; at < end;) {
    const bytes = await read(at, Math.min(BLOCK_BYTES, end - at));
    if (bytes.length === 0) break;
    at += bytes.length;
    reframer.push(toInt16(converter.push(samplesOf(bytes))));
    yield* taken();
  }
  reframer.push(toInt16(converter.flush()));
  reframer.flush();
  yield* taken();
}

/** A file as the microphone: it ends when the file does. */
export const createFileMicrophone = ({ path, pace = 'real-time' }: FileMicrophoneOptions): Microphone => {
  const isDue = async (frames: number, startMs: number, signal: AbortSignal): Promise<void> => {
    if (pace === 'real-time') {
      // From the start, not from the last frame: lateness of one frame does not add to that of the next.
      const waitMs = startMs + frames * FRAME_MS - performance.now();
      if (waitMs > 0) await delay(waitMs, signal);
      return;
    }
    await nextTurn();
    while (!pace.hasRoom()) await delay(NO_ROOM_MS, signal);
  };

  const play = async (file: FileHandle, onSamples: (samples: Int16Array) => void, signal: AbortSignal) => {
    let startMs: number | undefined;
    let frames = 0;
    for await (const frame of framesOf(file, path)) {
      startMs ??= performance.now();
      frames += 1;
      await isDue(frames, startMs, signal);
      if (signal.aborted) return;
      onSamples(frame);
    }
    if (frames === 0) throw new Error('it holds no sound');
  };

  return {
    label: basename(path),
    finite: true,
    capture: async (onSamples, signal) => {
      const file = await open(path).catch((error: unknown) => {
        throw failure(path, error);
      });
      try {
        await play(file, onSamples, signal);
      } catch (error) {
        if (!signal.aborted) throw failure(path, error);
      } finally {
        await file.close();
      }
    },
  };
};
