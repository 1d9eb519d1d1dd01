import { messageOf } from '../platform/errors.ts';
import { earconSamples } from './earcons.ts';
import type { Earcon } from './earcons.ts';
import { WIRE_HZ } from './frames.ts';
import { soundMs } from './playback-clock.ts';
import type { Voice } from './speaker.ts';

/** Silence between a sound and the sentence it announces. */
const GAP = new Int16Array((WIRE_HZ * 80) / 1_000);

/** The voice failed, not the device: sounds are still played. */
export class VoiceFailure extends Error {
  override readonly name = 'VoiceFailure';
}

/** A sound, and behind it words, either of which may be missing. @throws VoiceFailure */
export async function* soundOf(
  earcon: Earcon | null,
  spoken: { words: string; voice: Voice } | null,
  signal: AbortSignal,
): AsyncGenerator<Int16Array, void> {
  if (earcon) yield earconSamples(earcon);
  if (!spoken) return;
  if (earcon) yield GAP;
  try {
    yield* spoken.voice.speak(spoken.words, signal);
  } catch (error) {
    throw new VoiceFailure(messageOf(error), { cause: error });
  }
}

/** Milliseconds before the words begin. */
export const announcedMs = (earcon: Earcon | null): number =>
  earcon === null ? 0 : soundMs(earconSamples(earcon).length + GAP.length);
