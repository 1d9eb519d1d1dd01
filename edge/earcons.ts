import { WIRE_HZ } from './frames.ts';

export const EARCONS = ['accepted', 'needs_you', 'failed'] as const;
/** A sound that says without words how things stand. */
export type Earcon = (typeof EARCONS)[number];

interface Note {
  hz: number;
  startMs: number;
  lengthMs: number;
}

/** Up: taken. The same note twice, higher: you are asked. Down: it went wrong. */
const NOTES: Readonly<Record<Earcon, readonly Note[]>> = {
  accepted: [
    { hz: 587.33, startMs: 0, lengthMs: 90 },
    { hz: 880, startMs: 70, lengthMs: 130 },
  ],
  needs_you: [
    { hz: 783.99, startMs: 0, lengthMs: 100 },
    { hz: 783.99, startMs: 130, lengthMs: 120 },
  ],
  failed: [
    { hz: 440, startMs: 0, lengthMs: 110 },
    { hz: 311.13, startMs: 95, lengthMs: 150 },
  ],
};

/** Part of full scale that the loudest sample reaches: about 16 dB below the loudest, so that nobody starts. */
const PEAK = 0.16;
/** Nothing clicks that takes so long to come. */
const ATTACK_MS = 12;
/** How the octave above sounds along, which makes the tone a bell's rather than a whistle's. */
const OCTAVE = 0.25;

const envelope = (ms: number, lengthMs: number): number => {
  const fade = 0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, ms / lengthMs));
  return ms < ATTACK_MS ? fade * (0.5 - 0.5 * Math.cos((Math.PI * ms) / ATTACK_MS)) : fade;
};

const synthesise = (notes: readonly Note[]): Int16Array => {
  const lengthMs = Math.max(...notes.map((note) => note.startMs + note.lengthMs));
  const sound = new Float64Array(Math.round((lengthMs * WIRE_HZ) / 1_000));
  for (const { hz, startMs, lengthMs: length } of notes) {
    const from = Math.round((startMs * WIRE_HZ) / 1_000);
    for (let at = 0; at < (length * WIRE_HZ) / 1_000 && from + at < sound.length; at += 1) {
      const turn = (2 * Math.PI * hz * at) / WIRE_HZ;
      const wave = Math.sin(turn) + OCTAVE * Math.sin(2 * turn);
      sound[from + at] = (sound[from + at] ?? 0) + wave * envelope((at * 1_000) / WIRE_HZ, length);
    }
  }
  const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Int16Array.from(sound, (value) => Math.round((value / loudest) * PEAK * 32_767));
};

/** Made at the start: nothing is computed while sound is captured. */
const SOUNDS: Readonly<Record<Earcon, Int16Array>> = {
  accepted: synthesise(NOTES.accepted),
  needs_you: synthesise(NOTES.needs_you),
  failed: synthesise(NOTES.failed),
};

/** 24 kHz mono, at most 250 ms; not to be changed. */
export const earconSamples = (earcon: Earcon): Int16Array => SOUNDS[earcon];
