import { messageOf } from '../../platform/errors.ts';
import { CAPTURE_HZ, FRAME_MS } from '../frames.ts';
import type { DetectorEvents, SpeechDetector } from '../speech-detector.ts';

/** The package is optional. @throws Error when it is not installed */
const load = async () => {
  const { default: build, VADEvent, VADMode } = await import('@ozymandiasthegreat/vad');
  const Vad = await build();
  return { make: () => new Vad(VADMode.VERY_AGGRESSIVE, CAPTURE_HZ), voice: VADEvent.VOICE };
};

/**
 * WebRTC's detector (libfvad): quick, and nearly free, but it takes typing and music for speech. Each frame is judged
 * as it comes, after a turn of the event loop. @throws Error when the optional package is not installed
 */
export const createWebrtcDetector = async (events: DetectorEvents): Promise<SpeechDetector> => {
  const { make, voice } = await load();
  let vad = make();
  let atMs = 0;
  let queue: Int16Array[] = [];
  let turn: NodeJS.Immediate | undefined;
  let isOver = false;

  const judge = (): void => {
    turn = undefined;
    try {
      for (let samples = queue.shift(); samples; samples = queue.shift()) {
        // Its wrapper copies the whole buffer behind the samples.
        const isVoice = vad.processFrame(samples.slice()) === voice;
        atMs += FRAME_MS;
        events.verdict({ endMs: atMs, windowMs: FRAME_MS, probability: isVoice ? 1 : 0 });
      }
    } catch (error) {
      close();
      events.failed(new Error(`the speech detector failed: ${messageOf(error)}`, { cause: error }));
    }
  };

  const close = (): void => {
    if (isOver) return;
    isOver = true;
    clearImmediate(turn);
    queue = [];
    vad.destroy();
  };

  return {
    label: 'WebRTC',
    push: (samples) => {
      if (isOver) return;
      queue.push(samples);
      turn ??= setImmediate(judge);
    },
    reset: (audioMs) => {
      if (isOver) return;
      queue = [];
      vad.destroy();
      vad = make();
      atMs = audioMs;
    },
    get pending() {
      return queue.length;
    },
    close: async () => close(),
  };
};
