import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';
import { unlessAborted } from '../../platform/lifecycle.ts';
import { createRateConverter } from '../any-rate.ts';
import type { RateConverter } from '../any-rate.ts';
import { WIRE_HZ } from '../frames.ts';
import type { Voice } from '../speaker.ts';
import { toInt16 } from '../wav.ts';
import { samplesOfWave } from './wave-stream.ts';

/** A synthesiser that writes nothing for so long is stuck; PowerShell alone may take seconds to start. */
const QUIET_MS = 15_000;
/** No sentence is longer; a voice that does not end is ended. */
const MAX_SAMPLES = 60 * WIRE_HZ;
const MAX_COMPLAINT_CHARS = 2_000;

/** A program that reads text from its standard input and makes a WAV file of it. */
export interface Synthesiser {
  /** For people and settings: `espeak-ng`, `flite`, `sapi`, `say`. */
  name: string;
  command: string;
  /** `file`: where it writes, for a program that cannot write sound to a pipe. */
  args: (file: string) => readonly string[];
  writesTo: 'pipe' | 'file';
}

/**
 * Windows' own speech, by the PowerShell every Windows has. The script is constant and the text comes on standard
 * input, so that nothing in a text is ever a command. It has no double quote, which Windows' command lines mangle, and
 * is not encoded, which alarms virus scanners.
 */
export const SAPI_SCRIPT = [
  "$ErrorActionPreference = 'Stop'",
  'Add-Type -AssemblyName System.Speech',
  '$reader = New-Object System.IO.StreamReader([Console]::OpenStandardInput(), [System.Text.Encoding]::UTF8)',
  '$text = $reader.ReadToEnd()',
  '$voice = New-Object System.Speech.Synthesis.SpeechSynthesizer',
  "$english = $voice.GetInstalledVoices() | Where-Object { $_.Enabled -and $_.VoiceInfo.Culture.TwoLetterISOLanguageName -eq 'en' } | Select-Object -First 1",
  'if ($english) { $voice.SelectVoice($english.VoiceInfo.Name) }',
  '$sound = New-Object System.IO.MemoryStream',
  '$voice.SetOutputToWaveStream($sound)',
  '$voice.Speak($text)',
  '$voice.SetOutputToNull()',
  '$bytes = $sound.ToArray()',
  '$out = [Console]::OpenStandardOutput()',
  '$out.Write($bytes, 0, $bytes.Length)',
  '$out.Flush()',
].join('; ');

/** How each program is told to speak; `command` is where it was found. */
export const SYNTHESISERS: Readonly<Record<'espeak-ng' | 'flite' | 'sapi' | 'say', (command: string) => Synthesiser>> =
  {
    'espeak-ng': (command) => ({
      name: 'espeak-ng',
      command,
      args: () => ['-v', 'en-us', '-s', '165', '-b', '1', '--stdin', '--stdout'],
      writesTo: 'pipe',
    }),
    // It goes back to the head of its file at the end, and hangs where it cannot.
    flite: (command) => ({
      name: 'flite',
      command,
      args: (file) => ['-voice', 'slt', '-o', file, '-'],
      writesTo: 'file',
    }),
    sapi: (command) => ({
      name: 'sapi',
      command,
      args: () => ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', SAPI_SCRIPT],
      writesTo: 'pipe',
    }),
    say: (command) => ({
      name: 'say',
      command,
      args: (file) => ['-o', file, '--file-format=WAVE', `--data-format=LEI16@${WIRE_HZ}`, '-f', '-'],
      writesTo: 'file',
    }),
  };

/** A voice that is a program failed; the message says which. */
export class VoiceError extends Error {
  override readonly name = 'VoiceError';
}

/** null when it ended well. */
const endOf = (child: ChildProcess, name: string): Promise<VoiceError | null> => {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT_CHARS);
  });
  return new Promise((resolve) => {
    child.on('error', (error) =>
      resolve(
        new VoiceError(
          codeOf(error) === 'ENOENT' ? `${name} is not installed or not on PATH` : `${name} cannot be started`,
          { cause: error },
        ),
      ),
    );
    child.on('close', (code) =>
      resolve(
        code === 0
          ? null
          : new VoiceError(`${name} cannot speak: ${complaint.trim().split('\n')[0] || `it ended with code ${code}`}`),
      ),
    );
  });
};

/** Each next chunk, or an error when none comes for too long. */
async function* unlessStuck(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer, void> {
  const source = chunks[Symbol.asyncIterator]();
  for (;;) {
    const stuck = new AbortController();
    const timer = setTimeout(() => stuck.abort(new VoiceError(`${name} has been silent for ${QUIET_MS} ms`)), QUIET_MS);
    const next = await unlessAborted(source.next(), stuck.signal).finally(() => clearTimeout(timer));
    if (next.done) return;
    yield next.value;
  }
}

/** At the rate of the wire. @throws VoiceError when it does not end */
async function* atWireRate(sound: ReturnType<typeof samplesOfWave>, name: string): AsyncGenerator<Int16Array, void> {
  let rate: RateConverter | null = null;
  let count = 0;
  for await (const { hz, samples } of sound) {
    rate ??= createRateConverter(hz, WIRE_HZ);
    const converted = toInt16(rate.push(samples));
    count += converted.length;
    if (count > MAX_SAMPLES) throw new VoiceError(`${name} does not come to an end`);
    if (converted.length > 0) yield converted;
  }
  const tail = toInt16(rate?.flush() ?? new Float32Array(0));
  if (tail.length > 0) yield tail;
}

/** Speaks by a program of this machine, which inherits `env`; ends with the signal, and the program with it. */
export const createLocalVoice = (
  { name, command, args, writesTo }: Synthesiser,
  env: Readonly<Record<string, string>>,
): Voice => ({
  label: name,
  async *speak(text, signal) {
    if (signal.aborted || text.trim() === '') return;
    const folder = writesTo === 'file' ? await mkdtemp(join(tmpdir(), 'dual-voice-')) : null;
    const file = folder === null ? '' : join(folder, 'said.wav');
    // The text is not among the arguments: those are for everybody on this machine to read.
    const child = spawn(command, args(file), { env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    child.stdin.on('error', () => undefined);
    child.stdout.on('error', () => undefined);
    const ended = endOf(child, name);
    let spoke = false;
    try {
      child.stdin.end(`${text.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`);
      if (folder !== null) {
        child.stdout.resume();
        const waiting = AbortSignal.any([signal, AbortSignal.timeout(QUIET_MS)]);
        const failure = await unlessAborted(ended, waiting);
        if (failure) throw failure;
      }
      const bytes: AsyncIterable<Buffer> = folder === null ? child.stdout : createReadStream(file);
      for await (const samples of atWireRate(samplesOfWave(unlessStuck(bytes, name)), name)) {
        spoke = true;
        yield samples;
        if (signal.aborted) return;
      }
      const failure = await ended;
      if (failure) throw failure;
      if (!spoke) throw new VoiceError(`${name} made no sound`);
    } catch (error) {
      // A program that could not start or failed says more than its broken pipe does.
      if (!signal.aborted) throw (child.exitCode === null ? null : await ended) ?? error;
    } finally {
      signal.removeEventListener('abort', kill);
      kill();
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    }
  },
});
