import type { ServerVad } from './settings.ts';

/** Samples in a frame of 20 ms, 24 kHz. */
export const FRAME_SAMPLES = 480;
const FRAME_MS = 20;
/** Speech is three loud frames in a row: a click is none. */
export const ONSET_FRAMES = 3;
/** Loudness that counts at the threshold's default of 0.5: -40 dB of full scale. The whole scale is 20 dB either way. */
const MIDDLE_LEVEL = 328;

/** Finds turns by loudness alone, as `server_vad` asks. */
export class TurnDetector {
  readonly #level: number;
  readonly #silenceFrames: number;
  #speaking = false;
  #row = 0;

  constructor({ threshold, silence_duration_ms: silenceMs }: Pick<ServerVad, 'threshold' | 'silence_duration_ms'>) {
    this.#level = MIDDLE_LEVEL * 10 ** (2 * (threshold - 0.5));
    this.#silenceFrames = Math.max(1, Math.ceil(silenceMs / FRAME_MS));
  }

  /** What the frame decided: speech began, is over, or nothing. */
  push(frame: Int16Array): 'started' | 'stopped' | null {
    let power = 0;
    for (const sample of frame) power += sample * sample;
    const loud = Math.sqrt(power / frame.length) >= this.#level;
    this.#row = loud === this.#speaking ? 0 : this.#row + 1;
    if (this.#row < (this.#speaking ? this.#silenceFrames : ONSET_FRAMES)) return null;
    this.#speaking = !this.#speaking;
    this.#row = 0;
    return this.#speaking ? 'started' : 'stopped';
  }
}
