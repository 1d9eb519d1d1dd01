import { FRAME_MS, FRAME_SAMPLES } from '../../edge/frames.ts';
import { levelDbfs } from '../../edge/level.ts';
import type { DetectorEvents, SpeechDetector } from '../../edge/speech-detector.ts';

/** Louder than this is speech. */
const SPEECH_DBFS = -40;

/** A detector that takes loud for speech, one frame at a time, a turn of the event loop later; it fails when told to. */
export interface LoudnessDetector extends SpeechDetector {
  fail(message: string): void;
  /** It takes frames and judges none. */
  stall(isStalled: boolean): void;
  readonly isClosed: boolean;
  /** Positions it was reset to. */
  readonly resets: readonly number[];
}

export const createLoudnessDetector = (events: DetectorEvents): LoudnessDetector => {
  const resets: number[] = [];
  let queue: Int16Array[] = [];
  let atMs = 0;
  let isStalled = false;
  let isClosed = false;
  const judge = (): void => {
    while (!isStalled && !isClosed && queue.length > 0) {
      const samples = queue.shift() as Int16Array;
      atMs += FRAME_MS;
      events.verdict({ endMs: atMs, windowMs: FRAME_MS, probability: levelDbfs(samples) > SPEECH_DBFS ? 1 : 0 });
    }
  };
  return {
    label: 'loudness',
    push: (samples) => {
      if (isClosed) throw new Error('LoudnessDetector: pushed after close');
      if (samples.length !== FRAME_SAMPLES) throw new Error(`LoudnessDetector: a frame of ${samples.length} samples`);
      queue.push(samples);
      setImmediate(judge);
    },
    reset: (audioMs) => {
      resets.push(audioMs);
      queue = [];
      atMs = audioMs;
    },
    get pending() {
      return queue.length;
    },
    close: async () => {
      isClosed = true;
    },
    fail: (message) => events.failed(new Error(message)),
    stall: (on) => {
      isStalled = on;
      setImmediate(judge);
    },
    get isClosed() {
      return isClosed;
    },
    resets,
  };
};
