import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { Speaker, Voice } from '../speaker.ts';
import { createLocalVoice, SYNTHESISERS } from './local-voice.ts';
import { createNativeSpeaker, findNativeOutput } from './native-speaker.ts';
import type { OpenOutput } from './native-speaker.ts';
import { createProgramSpeaker, PLAYERS } from './program-speaker.ts';

/** Where programs are looked for. */
export interface Machine {
  platform: NodeJS.Platform;
  /** What programs inherit (PATH and the like), without our secrets. */
  env: Readonly<Record<string, string>>;
  /** Default: a file that may be run. */
  isProgram?: (file: string) => boolean;
}

/** Installers on Windows that leave PATH alone put their programs here. */
const WINDOWS_FOLDERS = [
  'C:\\Program Files (x86)\\sox-14-4-1',
  'C:\\Program Files (x86)\\sox-14-4-2',
  'C:\\Program Files\\eSpeak NG',
  'C:\\Windows\\System32\\WindowsPowerShell\\v1.0',
];

const mayRun = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The whole path of a program; null where there is none. Scripts (`.cmd`) do not count: a kill ends only their shell. */
export const findProgram = (name: string, { platform, env, isProgram = mayRun }: Machine): string | null => {
  const windows = platform === 'win32';
  const paths = windows ? win32 : posix;
  // Windows calls it Path; a copy of its environment knows it by that name only.
  const path = env['PATH'] ?? env['Path'] ?? '';
  const folders = [...path.split(paths.delimiter).filter(Boolean), ...(windows ? WINDOWS_FOLDERS : [])];
  return folders.map((folder) => paths.join(folder, windows ? `${name}.exe` : name)).find(isProgram) ?? null;
};

type SpeakerName = keyof typeof PLAYERS | 'native';
type VoiceName = keyof typeof SYNTHESISERS;

/** Best first. Programs go before the native device: what crashes in them does not take the microphone along. */
const SPEAKER_ORDER: Readonly<Partial<Record<NodeJS.Platform, readonly SpeakerName[]>>> = {
  win32: ['sox', 'ffplay', 'native'],
  darwin: ['sox', 'native', 'ffplay'],
  linux: ['sox', 'aplay', 'ffplay', 'native'],
};
const VOICE_ORDER: Readonly<Partial<Record<NodeJS.Platform, readonly VoiceName[]>>> = {
  win32: ['sapi', 'espeak-ng'],
  darwin: ['say', 'espeak-ng', 'flite'],
  linux: ['espeak-ng', 'flite'],
};
const COMMANDS: Readonly<Partial<Record<VoiceName, string>>> = { sapi: 'powershell' };

/** What can play sound on this machine, best first; whether a device is connected shows when it plays. */
export const findSpeakers = async (
  machine: Machine,
  findNative: () => Promise<OpenOutput | null> = findNativeOutput,
): Promise<Speaker[]> => {
  const found: Speaker[] = [];
  for (const name of SPEAKER_ORDER[machine.platform] ?? SPEAKER_ORDER.linux ?? []) {
    if (name === 'native') {
      const open = await findNative();
      if (open) found.push(createNativeSpeaker(open));
      continue;
    }
    const command = findProgram(name, machine);
    if (command !== null) found.push(createProgramSpeaker(PLAYERS[name](command, machine.platform), machine.env));
  }
  return found;
};

/** What can speak on this machine, best first. */
export const findVoices = (machine: Machine): Voice[] =>
  (VOICE_ORDER[machine.platform] ?? VOICE_ORDER.linux ?? []).flatMap((name) => {
    const command = findProgram(COMMANDS[name] ?? name, machine);
    return command === null ? [] : [createLocalVoice(SYNTHESISERS[name](command), machine.env)];
  });
