import { createCapture } from './capture.ts';
import type { EarEvents, Ears, Mint } from './ears.ts';
import type { Frame } from './frames.ts';
import type { Microphone } from './microphone.ts';
import type { ServerTurnEvents } from './realtime-server-turns.ts';
import type { Utterance } from './utterance.ts';

/** A recogniser that finds the utterances in all the sound. */
export interface TurnFinder {
  push(frame: Frame): void;
  close(): Promise<void>;
}

export interface ServerEarsOptions {
  microphone: Microphone;
  openFinder: (events: ServerTurnEvents, mint: (onsetAudioMs: number) => Utterance) => TurnFinder;
  mint: Mint;
  events: EarEvents;
  signal: AbortSignal;
}

/** Ears that send everything and are told by the service what was speech: no gate, no detector. */
export const createServerEars = ({ microphone, openFinder, mint, events, signal }: ServerEarsOptions): Ears => {
  let heardToMs = 0;
  const finder = openFinder(
    {
      ...events,
      // An onset is known only when the service tells of it: the clock of the sound says when it was captured.
      began: (utterance) =>
        events.began(utterance, performance.now() - Math.max(0, heardToMs - utterance.onsetAudioMs)),
      ended: (utteranceId) => events.ended(utteranceId, heardToMs),
    },
    (onsetAudioMs) => mint.next(onsetAudioMs),
  );
  const capture = createCapture({
    microphone,
    signal,
    events: {
      frame: (frame) => {
        heardToMs = frame.audioMs;
        finder.push(frame);
      },
      gap: () => undefined,
      lost: (ms) => events.trouble(`nothing was heard for ${(ms / 1_000).toFixed(1)} s`),
      state: (state, problem) => events.microphone(state, problem),
    },
  });
  return {
    capture,
    frames: () => ({ captured: capture.counts.captured, sent: capture.counts.captured, silent: 0, lost: 0 }),
    done: capture.done,
    close: () => finder.close(),
  };
};
