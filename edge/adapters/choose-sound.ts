import { ConfigError } from '../../platform/errors.ts';
import type { EdgeConfig } from '../config.ts';
import type { Speaker, Voice } from '../speaker.ts';
import { findSpeakers, findVoices } from './sound-programs.ts';
import type { Machine } from './sound-programs.ts';

/** null: answers stand on the terminal alone. @throws ConfigError SPEAKER, when the one that was named is not there */
export const chooseSpeaker = async (kind: EdgeConfig['speaker'], machine: Machine): Promise<Speaker | null> => {
  if (kind === 'off') return null;
  const found = await findSpeakers(machine);
  const wanted = kind === 'auto' ? found[0] : found.find(({ label }) => label.startsWith(kind));
  if (!wanted && kind !== 'auto')
    throw new ConfigError('SPEAKER', `there is no ${kind} here; auto takes what there is`);
  return wanted ?? null;
};

/** null: sounds alone, words on the terminal. @throws ConfigError VOICE, when the one that was named is not there */
export const chooseVoice = (kind: EdgeConfig['voice'], machine: Machine): Voice | null => {
  if (kind === 'off') return null;
  const found = findVoices(machine);
  const wanted = kind === 'auto' ? found[0] : found.find(({ label }) => label.startsWith(kind));
  if (!wanted && kind !== 'auto') throw new ConfigError('VOICE', `there is no ${kind} here; auto takes what there is`);
  return wanted ?? null;
};
