import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { oneLine } from '../../platform/text.ts';
import { CAPTURE_HZ } from '../frames.ts';
import { MicrophoneError } from '../microphone.ts';
import type { Microphone } from '../microphone.ts';
import { createPcmBytes } from '../pcm-bytes.ts';

export type RecorderProgram = 'sox' | 'rec' | 'arecord';

export interface RecorderMicrophoneOptions {
  program: RecorderProgram;
  /** Another place for it than the search path. */
  command?: string;
  /** null: the system's default. For sox on Windows a number or the first letters of its name. */
  device: string | null;
  platform: NodeJS.Platform;
  /** What the program inherits (PATH and the like), without our secrets. */
  env: Readonly<Record<string, string>>;
}

/** What node-record-lpcm16 gives; it has no types of its own. */
interface Recording {
  readonly process: ChildProcess;
  stream(): Readable;
}
interface RecorderPackage {
  record(options: Record<string, unknown>): Recording;
}

/** What sox gathers before it works on it: with its own 8,192, sound would come twice a second. */
const SOX_BUFFER = '--buffer 512';
/**
 * C's output buffer for a pipe is 4,096 bytes whatever sox is told: 128 ms of one channel, but 32 ms of the same sound
 * in four. arecord writes each period as it comes; rec would ask the device for four channels.
 */
const CHANNELS: Readonly<Record<RecorderProgram, number>> = { sox: 4, rec: 1, arecord: 1 };
/** What is kept of what the program complains about. */
const MAX_COMPLAINT = 2_000;
/** A program that does not end when asked to is killed after this. */
const STOP_MS = 1_000;

const INSTALL: Readonly<Record<RecorderProgram, Partial<Record<NodeJS.Platform, string>>>> = {
  sox: {
    win32:
      'sox-14.4.1-win32.exe from sourceforge.net/projects/sox/files/sox/14.4.1 (14.4.2 cannot record on Windows), and its folder on PATH',
    darwin: 'brew install sox',
    linux: 'sudo apt-get install sox libsox-fmt-alsa libsox-fmt-pulse',
  },
  rec: { darwin: 'brew install sox', linux: 'sudo apt-get install sox libsox-fmt-alsa libsox-fmt-pulse' },
  arecord: { linux: 'sudo apt-get install alsa-utils' },
};

/** The environment of the program: where sox records from and how much it gathers. Ours stays as it is. */
export const recorderEnvironment = ({
  program,
  device,
  platform,
  env,
}: Omit<RecorderMicrophoneOptions, 'command'>): Record<string, string> => {
  if (program === 'arecord') return { ...env };
  return {
    ...env,
    SOX_OPTS: [env['SOX_OPTS'], SOX_BUFFER].filter(Boolean).join(' '),
    // Without it sox looks for a driver that its Windows build does not have.
    ...(platform === 'win32' ? { AUDIODRIVER: env['AUDIODRIVER'] || 'waveaudio' } : {}),
    ...(device === null ? {} : { AUDIODEV: device }),
  };
};

const howToInstall = (program: RecorderProgram, platform: NodeJS.Platform): string =>
  INSTALL[program][platform] ?? `${program} is not to be had here; choose another MICROPHONE`;

/** Why the program could not be started at all. */
const startFailure = (error: unknown, { program, platform }: RecorderMicrophoneOptions): MicrophoneError => {
  const why = codeOf(error) === 'ENOENT' ? `${program} is not installed` : `${program}: ${messageOf(error)}`;
  return new MicrophoneError(`${why}; to record: ${howToInstall(program, platform)}`, {
    retryable: false,
    cause: error,
  });
};

/**
 * Records with sox, rec or arecord through `node-record-lpcm16`. The program ends when capture does; when we die, its
 * next write finds no reader and ends it.
 */
export const createRecorderMicrophone = (options: RecorderMicrophoneOptions): Microphone => {
  const { program, device } = options;
  const start = (): Recording => {
    const recorders = createRequire(import.meta.url)('node-record-lpcm16') as RecorderPackage;
    return recorders.record({
      recorder: join(import.meta.dirname, 'recorder-command.cjs'),
      program,
      command: options.command ?? program,
      env: recorderEnvironment(options),
      sampleRate: CAPTURE_HZ,
      channels: CHANNELS[program],
      audioType: 'raw',
      device,
    });
  };

  const hear = (onSamples: (samples: Int16Array) => void, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const recording = start();
      const { process: child } = recording;
      const bytes = createPcmBytes(CHANNELS[program]);
      let complaint = '';
      let failedToStart: unknown;
      let kill: NodeJS.Timeout | undefined;
      const stop = (): void => {
        child.kill();
        kill ??= setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      };
      const stream = recording.stream();
      stream.on('data', (chunk: Buffer) => {
        if (!signal.aborted) onSamples(bytes.push(chunk));
      });
      // The package emits a string here whenever the program ends with anything but 0, also when it was asked to.
      stream.on('error', () => undefined);
      child.stderr?.on('data', (chunk: Buffer) => {
        complaint = (complaint + chunk.toString()).slice(-MAX_COMPLAINT);
      });
      child.on('error', (error) => {
        failedToStart ??= error;
      });
      child.once('close', (code, killedBy) => {
        clearTimeout(kill);
        signal.removeEventListener('abort', stop);
        process.removeListener('exit', stop);
        if (signal.aborted) resolve();
        else if (failedToStart !== undefined) reject(startFailure(failedToStart, options));
        else {
          const said = oneLine(complaint, 300) || (killedBy ? `ended by ${killedBy}` : `ended with code ${code}`);
          reject(new MicrophoneError(`${program} stopped recording: ${said}`, { retryable: true }));
        }
      });
      process.once('exit', stop);
      signal.addEventListener('abort', stop, { once: true });
    });

  return {
    label: `${program}, ${device ?? 'default device'}`,
    finite: false,
    capture: async (onSamples, signal) => {
      if (!signal.aborted) await hear(onSamples, signal);
    },
  };
};
