/** Samples a second of everything the edge captures, and of what it judges. */
export const CAPTURE_HZ = 16_000;
/** Samples a second on the Realtime wire, and of what is played. */
export const WIRE_HZ = 24_000;
/** Milliseconds in a frame: the unit of capture, of the gate and of `append`. */
export const FRAME_MS = 20;
/** Samples in a frame at `CAPTURE_HZ`. */
export const FRAME_SAMPLES = (CAPTURE_HZ * FRAME_MS) / 1_000;

/** 20 ms of sound, 16 kHz, mono. */
export interface Frame {
  /** 320 samples; never changed after it was handed on. */
  readonly samples: Int16Array;
  /** Position of its first sample since capture began, in milliseconds of audio. */
  readonly audioMs: number;
  /** `performance.now()` when its last sample arrived. */
  readonly capturedAtMs: number;
}
