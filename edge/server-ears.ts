import { delay } from '../platform/lifecycle.ts';
import { createCapture } from './capture.ts';
import type { EarEvents, Ears, Mint } from './ears.ts';
import { FRAME_MS, FRAME_SAMPLES } from './frames.ts';
import type { Frame } from './frames.ts';
import type { Microphone } from './microphone.ts';
import type { ServerTurnEvents } from './realtime-server-turns.ts';
import { SERVER_SILENCE_MS } from './realtime-settings.ts';
import type { Utterance } from './utterance.ts';

/** More silence than the service asks for, so that it is noticed. */
const SLACK_MS = 300;
const LAST_TURN_MS = 1_500;

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
      // Told when the silence behind it was long enough.
      ended: (utteranceId) => events.ended(utteranceId, Math.max(0, heardToMs - SERVER_SILENCE_MS)),
    },
    (onsetAudioMs) => mint.next(onsetAudioMs),
  );
  /** Where the sound breaks off, silence ends the turn that is open: the service hears no end otherwise. */
  const pushSilence = (): void => {
    for (let ms = 0; ms < SERVER_SILENCE_MS + SLACK_MS; ms += FRAME_MS) {
      heardToMs += FRAME_MS;
      finder.push({ samples: new Int16Array(FRAME_SAMPLES), audioMs: heardToMs, capturedAtMs: performance.now() });
    }
  };
  const capture = createCapture({
    microphone,
    signal,
    events: {
      frame: (frame) => {
        heardToMs = frame.audioMs;
        finder.push(frame);
      },
      gap: pushSilence,
      lost: (ms) => events.trouble(`nothing was heard for ${(ms / 1_000).toFixed(1)} s`),
      state: (state, problem) => events.microphone(state, problem),
    },
  });
  return {
    capture,
    frames: () => ({ captured: capture.counts.captured, sent: capture.counts.captured, silent: 0, lost: 0 }),
    done: capture.done.then(async () => {
      pushSilence();
      // The service tells of a turn a moment after it heard it.
      await delay(LAST_TURN_MS, signal).catch(() => undefined);
    }),
    close: () => finder.close(),
  };
};
