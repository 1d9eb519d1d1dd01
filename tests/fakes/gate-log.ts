import { FRAME_MS, FRAME_SAMPLES } from '../../edge/frames.ts';
import type { Frame } from '../../edge/frames.ts';
import type { EndReason, GateEvents } from '../../edge/speech-gate.ts';

/** Number `n` of a sound without gaps; `value` fills it. */
export const frameAt = (n: number, value = 0): Frame => ({
  samples: new Int16Array(FRAME_SAMPLES).fill(value),
  audioMs: n * FRAME_MS,
  capturedAtMs: n * FRAME_MS,
});

/** One utterance as the gate told it. */
export interface GateUtterance {
  onsetMs: number;
  /** Numbers of its frames. */
  frames: number[];
  preRoll: number;
  end?: { endMs: number; reason: EndReason } | 'discarded';
}

/** Takes down what a gate tells, and complains when it tells it out of turn. */
export const createGateLog = () => {
  const utterances: GateUtterance[] = [];
  const stalls: boolean[] = [];
  const current = (what: string): GateUtterance => {
    const last = utterances.at(-1);
    if (!last || last.end !== undefined) throw new Error(`gate: ${what} without a begin`);
    return last;
  };
  const events: GateEvents = {
    begin: ({ onsetAudioMs, preRoll }) => {
      const last = utterances.at(-1);
      if (last && last.end === undefined) throw new Error('gate: begin within an utterance');
      const frames = preRoll.map(({ audioMs }) => audioMs / FRAME_MS);
      utterances.push({ onsetMs: onsetAudioMs, frames, preRoll: frames.length });
    },
    audio: ({ audioMs }) => void current('audio').frames.push(audioMs / FRAME_MS),
    end: ({ endAudioMs, reason }) => {
      current('end').end = { endMs: endAudioMs, reason };
    },
    discard: () => {
      current('discard').end = 'discarded';
    },
    stalled: (isStalled) => void stalls.push(isStalled),
  };
  return { events, utterances, stalls };
};
