import { messageOf } from '../platform/errors.ts';
import type { Backoff } from './backoff.ts';
import { FRAME_MS } from './frames.ts';
import type { Frame } from './frames.ts';
import { keepListening } from './keep-listening.ts';
import { levelDbfs, SILENCE_DBFS } from './level.ts';
import type { Microphone } from './microphone.ts';
import { createReframer } from './reframe.ts';

/** `waiting`: no sound comes yet, or not any more, and it is tried again. `ended`: none will come. */
export type CaptureState = 'waiting' | 'capturing' | 'muted' | 'ended';

/** All are called synchronously, and must return at once. */
export interface CaptureEvents {
  frame(frame: Frame): void;
  /** The next frame begins at `audioMs` and does not follow the last one: the device was lost, or muted. */
  gap(audioMs: number): void;
  /** Sound is back after a break of so many milliseconds, in which nothing was heard. */
  lost(ms: number): void;
  /** `problem`: why, in words for a person; null when all is well. */
  state(state: CaptureState, problem: string | null): void;
}

export interface CaptureSettings {
  /** Waits before a lost device is opened again. */
  backoff: Backoff;
  /** A device that gives no sound for so long is opened again. */
  stallMs: number;
  /** A break in the sound that is longer is a gap: a laptop that slept. */
  breakMs: number;
}

export const CAPTURE_DEFAULTS: CaptureSettings = {
  backoff: { firstMs: 250, mostMs: 10_000 },
  stallMs: 4_000,
  breakMs: 1_000,
};

export interface CaptureCounts {
  /** Frames handed on. */
  captured: number;
  /** Frames heard while muted, and thrown away. */
  muted: number;
  /** Times sound was lost and the device opened again. */
  restarts: number;
  /** Milliseconds of all breaks. */
  lostMs: number;
}

export interface Capture {
  /** When muted, the device stays open and its sound is thrown away. */
  mute(isMuted: boolean): void;
  readonly isMuted: boolean;
  readonly state: CaptureState;
  /** Of the last frame; `SILENCE_DBFS` when muted or waiting. */
  readonly levelDbfs: number;
  readonly counts: Readonly<CaptureCounts>;
  /** Resolves when the signal aborts or a finite source is at its end. Rejects: MicrophoneError that no waiting mends. */
  readonly done: Promise<void>;
}

export interface CaptureOptions {
  microphone: Microphone;
  events: CaptureEvents;
  signal: AbortSignal;
  settings?: Partial<CaptureSettings>;
}

/** Sound in frames of 20 ms with their place in it, from a microphone that may come and go. */
export const createCapture = ({ microphone, events, signal, settings = {} }: CaptureOptions): Capture => {
  const { backoff, stallMs, breakMs } = { ...CAPTURE_DEFAULTS, ...settings };
  const counts: CaptureCounts = { captured: 0, muted: 0, restarts: 0, lostMs: 0 };
  let isMuted = false;
  let told: { state: CaptureState; problem: string | null } = { state: 'waiting', problem: null };
  let level = SILENCE_DBFS;
  /** Frames so far, muted ones too. */
  let position = 0;
  /** When sound came last; undefined before the first. */
  let heardAtMs: number | undefined;

  const tell = (state: CaptureState, problem: string | null): void => {
    if (told.state === state && told.problem === problem) return;
    told = { state, problem };
    events.state(state, problem);
  };

  const reframer = createReframer((samples) => {
    const audioMs = position * FRAME_MS;
    position += 1;
    if (isMuted) {
      counts.muted += 1;
      return;
    }
    counts.captured += 1;
    level = levelDbfs(samples);
    events.frame({ samples, audioMs, capturedAtMs: heardAtMs ?? performance.now() });
  });

  /** What comes next does not follow what came. */
  const breakOff = (): void => {
    reframer.flush();
    level = SILENCE_DBFS;
    events.gap(position * FRAME_MS);
  };

  const hear = (samples: Int16Array, isAfresh: boolean): void => {
    const nowMs = performance.now();
    const silentMs = heardAtMs === undefined || microphone.finite ? 0 : nowMs - heardAtMs;
    heardAtMs = nowMs;
    if (isAfresh || silentMs > breakMs) {
      // When the device was lost, its gap was told at once.
      if (!isAfresh) breakOff();
      counts.lostMs += silentMs;
      if (silentMs > 0) events.lost(silentMs);
    }
    tell(isMuted ? 'muted' : 'capturing', null);
    reframer.push(samples);
  };

  const lost = (problem: string): void => {
    counts.restarts += 1;
    breakOff();
    tell('waiting', problem);
  };

  const done = keepListening({ microphone, hear, lost, signal, backoff, stallMs }).then(
    () => {
      reframer.flush();
      tell('ended', null);
    },
    (error: unknown) => {
      reframer.flush();
      tell('ended', messageOf(error));
      throw error;
    },
  );

  // Whoever waits for it is told all the same.
  done.catch(() => undefined);

  return {
    mute: (on) => {
      if (on === isMuted) return;
      // Before the switch: what was heard so far still counts as heard, or as muted.
      breakOff();
      isMuted = on;
      if (told.state === 'capturing' || told.state === 'muted') tell(on ? 'muted' : 'capturing', null);
    },
    get isMuted() {
      return isMuted;
    },
    get state() {
      return told.state;
    },
    get levelDbfs() {
      return level;
    },
    get counts() {
      return { ...counts };
    },
    done,
  };
};
