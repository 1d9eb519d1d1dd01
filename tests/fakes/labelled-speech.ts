import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { createFileMicrophone } from '../../edge/adapters/file-microphone.ts';
import { CAPTURE_HZ } from '../../edge/frames.ts';

/** One utterance, 16 kHz, -1 to 1, brought to `SPEECH_DBFS`; where speech is in it, by its energy. */
export interface LabelledSpeech {
  readonly name: string;
  readonly samples: Float32Array;
  readonly onsetMs: number;
  readonly endMs: number;
}

/** Level of the parts with speech: what telephony tests speak at (ITU-T P.56, P.830). */
export const SPEECH_DBFS = -26;
/** Longer recordings are cut here. */
const MAX_MS = 8_000;
const HOP_MS = 10;
const HOP = (CAPTURE_HZ * HOP_MS) / 1_000;
/** Speech lies less than this below the loud parts ... */
const BELOW_LOUD_DB = 25;
/** ... and more than this above the recording's own noise, where it has one. */
const ABOVE_FLOOR_DB = 12;
/** So many hops in a row: what is shorter is a breath or a click. */
const RUN = 5;

const VOICES = ['slt', 'rms', 'awb', 'kal'] as const;
const PHRASES = [
  'refactor the API and validate the staging website',
  'run the tests',
  'fix the failing tests in the parser',
  'stop',
  'cancel that',
  'check that the login page loads',
  'summarize what happened today',
  'deploy the branch to staging',
  'open a pull request for the new endpoint',
  'rename the function get user to fetch user',
  'how is my task doing',
  'approve it',
  'yes, go ahead',
  'validate the staging website, then run the tests',
  'what did the coding agent change',
];

/** Of Debian's asterisk-core-sounds-en-g722: one woman, 16 kHz. */
const PROMPTS_DIR = '/usr/share/asterisk/sounds/en_US_f_Allison';
const PROMPTS =
  `agent-pass activated vm-goodbye please-try-again hello-world im-sorry sorry conf-getpin demo-thanks dir-welcome
   enter-num-blacklist from-unknown-caller goodbye invalid is-in-use number one-moment-please pbx-invalid transfer
   telephone-number tt-weasels vm-intro vm-login vm-Work vm-Family hours second confbridge-pin
   cannot-complete-as-dialed`.split(/\s+/);

/** Of Debian's pocketsphinx-testdata: several people, in rooms. */
const RECORDINGS_DIR = '/usr/share/pocketsphinx/test/data';
const RECORDINGS = [
  ...['001', '002', '003', '004', '005'].map((name) => `cards/${name}.wav`),
  ...['0870', '0880', '0890', '0920', '0930'].map(
    (name) => `librivox/sense_and_sensibility_01_austen_64kb-${name}.wav`,
  ),
  ...['goforward.raw', 'numbers.raw', 'something.raw'],
];

const powerDb = (samples: Float32Array): number =>
  10 * Math.log10(samples.reduce((total, value) => total + value * value, 0) / samples.length + 1e-12);

/** Where speech begins and ends, by the energy of 10 ms. @throws Error when there is none */
const label = (name: string, all: Float32Array): LabelledSpeech => {
  const samples = all.subarray(0, (MAX_MS * CAPTURE_HZ) / 1_000);
  const levels: number[] = [];
  for (let at = 0; at + HOP <= samples.length; at += HOP) levels.push(powerDb(samples.subarray(at, at + HOP)));
  const ordered = [...levels].sort((a, b) => a - b);
  const loud = ordered[Math.floor(ordered.length * 0.9)] ?? 0;
  const floor = ordered[Math.floor(ordered.length * 0.05)] ?? 0;
  const threshold = Math.max(loud - BELOW_LOUD_DB, Math.min(floor + ABOVE_FLOOR_DB, loud - 12));
  const isSpeech = levels.map((level) => level > threshold);
  const first = isSpeech.findIndex((_, i) => isSpeech.slice(i, i + RUN).filter(Boolean).length === RUN);
  if (first < 0) throw new Error(`${name} holds no speech`);
  const active = levels.filter((_, i) => isSpeech[i]).map((level) => 10 ** (level / 10));
  const activeDb = 10 * Math.log10(active.reduce((total, power) => total + power, 0) / active.length);
  const gain = 10 ** ((SPEECH_DBFS - activeDb) / 20);
  return {
    name,
    samples: samples.map((value) => value * gain),
    onsetMs: first * HOP_MS,
    endMs: (isSpeech.lastIndexOf(true) + 1) * HOP_MS,
  };
};

const soundIn = async (path: string): Promise<Float32Array> => {
  const pieces: Int16Array[] = [];
  const microphone = createFileMicrophone({ path, pace: { hasRoom: () => true } });
  await microphone.capture((samples) => pieces.push(samples), new AbortController().signal);
  return Float32Array.from(
    pieces.flatMap((piece) => [...piece]),
    (value) => value / 32_768,
  );
};

const runs = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

export interface SpeechSet {
  utterances: LabelledSpeech[];
  /** What could not be had here, for a loud line. */
  missing: string[];
}

/** Spoken by flite, from a folder for prompts, and people's recordings; what is not installed is named as missing. */
export const labelledSpeech = async (
  say: { voices?: readonly string[]; phrases?: readonly string[]; people?: boolean } = {},
): Promise<SpeechSet> => {
  const { voices = VOICES, phrases = PHRASES, people = true } = say;
  const folder = mkdtempSync(join(tmpdir(), 'dual-speech-'));
  const utterances: LabelledSpeech[] = [];
  const missing: string[] = [];
  const add = async (name: string, path: string): Promise<void> => {
    utterances.push(label(name, await soundIn(path)));
  };
  try {
    if (runs('flite', ['-lv'])) {
      for (const voice of voices)
        for (const [i, phrase] of phrases.entries()) {
          const path = join(folder, `${voice}-${i}.wav`);
          execFileSync('flite', ['-voice', voice, '-t', phrase, '-o', path]);
          await add(`${voice}: ${phrase}`, path);
        }
    } else missing.push('flite (Debian: flite)');
    if (people && existsSync(PROMPTS_DIR) && runs('ffmpeg', ['-version'])) {
      for (const prompt of PROMPTS) {
        const path = join(folder, `${basename(prompt)}.wav`);
        const decode = ['-v', 'error', '-f', 'g722', '-i', join(PROMPTS_DIR, `${prompt}.g722`), '-y', path];
        execFileSync('ffmpeg', decode, { stdio: 'ignore' });
        await add(prompt, path);
      }
    } else if (people) missing.push('prompts (Debian: asterisk-core-sounds-en-g722, ffmpeg)');
    if (people && existsSync(RECORDINGS_DIR))
      for (const recording of RECORDINGS)
        await add(basename(recording, extname(recording)), join(RECORDINGS_DIR, recording));
    else if (people) missing.push('recordings (Debian: pocketsphinx-testdata)');
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { utterances, missing };
};
