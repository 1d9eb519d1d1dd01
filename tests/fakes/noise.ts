/** A repeatable source of numbers from -1 to 1. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state / 2 ** 32) * 2 - 1;
  };
};

const rmsOf = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

const white = (random: () => number, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random() + random() + random());

/** Paul Kellet's filter: within 0.05 dB of -3 dB an octave down to a few hertz. */
const pink = (random: () => number, count: number): Float32Array => {
  const b = [0, 0, 0, 0, 0, 0, 0];
  const poles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
  const gains = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898];
  return white(random, count).map((now) => {
    poles.forEach((pole, i) => (b[i] = pole * (b[i] as number) + now * (gains[i] as number)));
    const out = b.reduce((sum, value) => sum + value, 0) + now * 0.5362;
    b[6] = now * 0.115926;
    return out;
  });
};

/** The mains, with what a bad cable adds. */
const hum = (count: number, hz: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => {
    const turn = (2 * Math.PI * 50 * i) / hz;
    return Math.sin(turn) + 0.1 * Math.sin(2 * turn) + 0.2 * Math.sin(3 * turn);
  });

export type NoiseKind = 'silence' | 'white' | 'pink' | 'hum';

/** Noise, -1 to 1, at a level in decibels below full scale (RMS); the same for the same seed. */
export const noise = (
  kind: NoiseKind,
  count: number,
  about: { dbfs: number; hz: number; seed?: number },
): Float32Array => {
  if (kind === 'silence') return new Float32Array(count);
  const random = randomFrom(about.seed ?? 1);
  const made = kind === 'white' ? white(random, count) : kind === 'pink' ? pink(random, count) : hum(count, about.hz);
  const gain = 10 ** (about.dbfs / 20) / rmsOf(made);
  return made.map((value) => Math.max(-1, Math.min(1, value * gain)));
};

export const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + (b[i] ?? 0));
