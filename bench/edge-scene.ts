import { writeFileSync } from 'node:fs';
import { CAPTURE_HZ } from '../edge/frames.ts';
import { labelledSpeech } from '../tests/fakes/labelled-speech.ts';
import type { LabelledSpeech } from '../tests/fakes/labelled-speech.ts';
import { noise, sum } from '../tests/fakes/noise.ts';
import { wavFile } from '../tests/fakes/wav-file.ts';

/** What a good microphone has in a quiet room. */
const ROOM_DBFS = -80;
export const FLITE_VOICES = ['slt', 'rms', 'awb', 'kal16'] as const;

/** A sentence, and where in the sound its speech begins and ends by its energy. */
export interface SceneSentence {
  text: string;
  onsetMs: number;
  endMs: number;
}

/** Sentences one after the other in a quiet room; 16 kHz. */
export interface Scene {
  samples: Float32Array;
  lengthMs: number;
  sentences: SceneSentence[];
}

const samplesIn = (ms: number): number => Math.round((ms * CAPTURE_HZ) / 1_000);
const msOf = (samples: number): number => (samples * 1_000) / CAPTURE_HZ;

/** Each phrase by the next voice in turn; the phrase is the name. @throws Error where nobody can speak */
export const spokenInTurn = async (
  phrases: readonly string[],
  voices: readonly string[] = FLITE_VOICES,
): Promise<LabelledSpeech[]> => {
  const spoken: LabelledSpeech[] = [];
  for (const [turn, voice] of voices.entries()) {
    const own = phrases.filter((_, i) => i % voices.length === turn);
    const { utterances, missing } = await labelledSpeech({ voices: [voice], phrases: own, people: false });
    if (missing.length > 0) throw new Error(`NOT MEASURED, since it is not installed: ${missing.join('; ')}`);
    for (const [i, speech] of utterances.entries())
      spoken[i * voices.length + turn] = { ...speech, name: own[i] ?? '' };
  }
  return spoken;
};

/** Puts speech between pauses; `pauseMs`: for each, how long it is quiet after it. */
export const sceneOf = (speech: readonly { speech: LabelledSpeech; pauseMs: number }[], leadMs: number): Scene => {
  const length = speech.reduce(
    (total, one) => total + one.speech.samples.length + samplesIn(one.pauseMs),
    samplesIn(leadMs),
  );
  const samples = new Float32Array(length);
  const sentences: SceneSentence[] = [];
  let at = samplesIn(leadMs);
  for (const one of speech) {
    samples.set(one.speech.samples, at);
    const { name: text, onsetMs, endMs } = one.speech;
    sentences.push({ text, onsetMs: msOf(at) + onsetMs, endMs: msOf(at) + endMs });
    at += one.speech.samples.length + samplesIn(one.pauseMs);
  }
  const room = noise('white', length, { dbfs: ROOM_DBFS, hz: CAPTURE_HZ });
  return { samples: sum(samples, room), lengthMs: msOf(length), sentences };
};

export const writeScene = (path: string, { samples }: Scene): void => writeFileSync(path, wavFile(samples));
