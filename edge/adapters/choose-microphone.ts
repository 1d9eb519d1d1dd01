import { messageOf } from '../../platform/errors.ts';
import type { EdgeConfig } from '../config.ts';
import { MicrophoneError } from '../microphone.ts';
import type { Microphone } from '../microphone.ts';
import { createFileMicrophone } from './file-microphone.ts';
import { createNativeMicrophone, loadNativeInput } from './native-microphone.ts';
import { createRecorderMicrophone } from './recorder-microphone.ts';
import type { RecorderProgram } from './recorder-microphone.ts';
import { findProgram } from './sound-programs.ts';
import type { Machine } from './sound-programs.ts';
import { createStdinMicrophone } from './stdin-microphone.ts';

export interface MicrophoneChoice {
  kind: EdgeConfig['microphone'];
  /** A file, `-` for standard input; null: a device. */
  input: string | null;
  /** null: the system's default. */
  device: string | null;
  machine: Machine;
  stdin: NodeJS.ReadStream;
  /** So many pieces of 20 ms were thrown away before we saw them. */
  onOverrun: (pieces: number) => void;
}

const PROGRAMS: readonly RecorderProgram[] = ['sox', 'rec', 'arecord'];

/**
 * What was asked for; for `auto` the native library where it finds an input, else the first program there is.
 * @throws MicrophoneError saying what a person can do
 */
export const chooseMicrophone = async (choice: MicrophoneChoice): Promise<Microphone> => {
  const { kind, input, device, machine, onOverrun } = choice;
  if (input === '-') return createStdinMicrophone({ input: choice.stdin });
  if (input !== null) return createFileMicrophone({ path: input });
  const record = (program: RecorderProgram, command: string | null): Microphone =>
    createRecorderMicrophone({
      program,
      device,
      platform: machine.platform,
      env: machine.env,
      ...(command !== null && { command }),
    });
  if (kind === 'native') return createNativeMicrophone({ input: await loadNativeInput(), device, onOverrun });
  if (kind !== 'auto') return record(kind, findProgram(kind, machine));
  let why: string;
  try {
    const native = await loadNativeInput();
    if (native.devices().some(({ maxInputChannels }) => maxInputChannels > 0))
      return createNativeMicrophone({ input: native, device, onOverrun });
    why = 'the system knows no microphone';
  } catch (error) {
    why = messageOf(error);
  }
  for (const program of PROGRAMS) {
    const command = findProgram(program, machine);
    if (command !== null) return record(program, command);
  }
  throw new MicrophoneError(
    `${why}, and none of ${PROGRAMS.join(', ')} is installed. Plug one in, or hear a file: npm run edge -- --input FILE.wav`,
    { retryable: false },
  );
};
