import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import type { Synthesise } from '../realtime/reply.ts';

/** A voice that has not spoken by then is stuck. */
const PATIENCE_MS = 15_000;
const WIRE_HZ = 24_000;
/** A hundred milliseconds. */
const PIECE_SAMPLES = WIRE_HZ / 10;
/** Longest speech that is taken, seconds. */
const MAX_S = 60;

/** The programs that are looked for, best first: text on standard input, a WAV file out. */
const PROGRAMS: readonly { name: string; args: (file: string) => string[] }[] = [
  { name: 'espeak-ng', args: (file) => ['-v', 'en-us', '-b', '1', '--stdin', '-w', file] },
  { name: 'flite', args: (file) => ['-voice', 'slt', '-o', file, '-'] },
];

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** One channel of 16 bits, at 24 kHz by straight lines between samples. @throws Error for what is no such WAV file */
const samplesOf = (wave: Buffer): Int16Array => {
  const fmt = wave.indexOf('fmt ');
  const data = wave.indexOf('data');
  if (fmt < 0 || data < 0 || wave.readUInt16LE(fmt + 10) !== 1 || wave.readUInt16LE(fmt + 22) !== 16)
    throw new Error('the voice wrote no WAV file of one channel and 16 bits');
  const hz = wave.readUInt32LE(fmt + 12);
  const count = Math.min(Math.floor((wave.length - data - 8) / 2), MAX_S * hz);
  const at = (index: number): number => wave.readInt16LE(data + 8 + 2 * Math.min(index, count - 1));
  const out = new Int16Array(count === 0 ? 0 : Math.floor((count * WIRE_HZ) / hz));
  for (let made = 0; made < out.length; made += 1) {
    const position = (made * hz) / WIRE_HZ;
    const before = Math.floor(position);
    out[made] = Math.round(at(before) + (at(before + 1) - at(before)) * (position - before));
  }
  return out;
};

const run = (
  command: string,
  args: readonly string[],
  path: string,
  text: string,
  signal: AbortSignal,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: path },
      stdio: ['pipe', 'ignore', 'ignore'],
      windowsHide: true,
      signal,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`the voice ended with code ${code}`))));
    child.stdin.on('error', () => undefined);
    // Never among the arguments: those are for everybody on this machine to read.
    child.stdin.end(`${text}\n`);
  });

/** A voice of this machine that is found on `path`, as in `PATH`; null: there is none. */
export const findProgramVoice = async (path: string): Promise<Synthesise | null> => {
  for (const { name, args } of PROGRAMS) {
    const folders = path.split(delimiter).filter(Boolean);
    for (const command of folders.flatMap((folder) => [join(folder, name), join(folder, `${name}.exe`)])) {
      if (!(await isProgram(command))) continue;
      return async function* speak(text, signal) {
        const own = await mkdtemp(join(tmpdir(), 'dual-rehearsal-voice-'));
        try {
          const file = join(own, 'said.wav');
          await run(command, args(file), path, text, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
          const samples = samplesOf(await readFile(file));
          for (let at = 0; at < samples.length; at += PIECE_SAMPLES) yield samples.subarray(at, at + PIECE_SAMPLES);
        } catch (error) {
          if (!signal.aborted) throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
        } finally {
          await rm(own, { recursive: true, force: true });
        }
      };
    }
  }
  return null;
};
