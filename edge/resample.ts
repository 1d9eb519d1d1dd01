/** Samples a second go from 16,000 to 24,000: three out for two in. */
const UP = 3;
const DOWN = 2;
/** Taps for each of the three phases: with 43, images of speech up to 7 kHz lie more than 70 dB down. */
const TAPS_PER_PHASE = 43;
const TAPS = UP * TAPS_PER_PHASE;
/** Half way between 7 kHz, which passes, and 9 kHz, its image, which does not; as a part of 48 kHz. */
const CUT_OFF = 8_000 / 48_000;
/** Kaiser's shape parameter for 72 dB. */
const BETA = 7.1;
/** Input samples worked on at a time; longer pieces take several rounds. */
const BLOCK = 320;
/** Input samples that earlier pieces still have a part in. */
const HISTORY = TAPS_PER_PHASE - 1;

/** Samples at 24 kHz by which sound comes out later than it went in: 32, which is 1.33 ms. */
export const RESAMPLE_DELAY_SAMPLES = (TAPS - 1) / 2 / DOWN;

/** The modified Bessel function of the first kind, order 0. */
const bessel = (x: number): number => {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
};

/** A Kaiser-windowed sinc at 48 kHz, cut into its three phases; each sums to 1, so silence stays silent and level level. */
const phases = ((): Float64Array[] => {
  const middle = (TAPS - 1) / 2;
  const taps = Array.from({ length: TAPS }, (_, at) => {
    const x = at - middle;
    const sinc = x === 0 ? 1 : Math.sin(2 * Math.PI * CUT_OFF * x) / (2 * Math.PI * CUT_OFF * x);
    return sinc * bessel(BETA * Math.sqrt(1 - (x / middle) ** 2));
  });
  return Array.from({ length: UP }, (_, phase) => {
    // Oldest sample first, as the history is laid out.
    const own = taps.filter((_tap, at) => at % UP === phase).reverse();
    const sum = own.reduce((total, tap) => total + tap, 0);
    return Float64Array.from(own, (tap) => tap / sum);
  });
})();

/** Turns 16 kHz into 24 kHz, piece by piece; how sound is cut into pieces changes nothing in what comes out. */
export interface Resampler {
  /** The next samples; answers three for two, in a new array. */
  push(samples: Int16Array): Int16Array;
  /** What is still inside: the last sounds, faded into silence. Starts afresh. */
  flush(): Int16Array;
  /** Forgets what it heard. */
  reset(): void;
}

export const createResampler = (): Resampler => {
  const work = new Float64Array(HISTORY + BLOCK);
  /** Where the next output lies behind the last input, counted in thirds of an input sample. */
  let thirds = 0;

  const run = (samples: Int16Array, from: number, count: number, out: Int16Array, at: number): number => {
    for (let i = 0; i < count; i += 1) work[HISTORY + i] = samples[from + i] as number;
    let written = at;
    for (; thirds < UP * count; thirds += DOWN) {
      const newest = Math.floor(thirds / UP);
      const taps = phases[thirds % UP] as Float64Array;
      let sum = 0;
      for (let tap = 0; tap < TAPS_PER_PHASE; tap += 1) sum += (taps[tap] as number) * (work[newest + tap] as number);
      out[written] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
      written += 1;
    }
    thirds -= UP * count;
    work.copyWithin(0, count, count + HISTORY);
    return written;
  };

  const push = (samples: Int16Array): Int16Array => {
    const out = new Int16Array(Math.max(0, Math.ceil((UP * samples.length - thirds) / DOWN)));
    let written = 0;
    for (let from = 0; from < samples.length; from += BLOCK)
      written = run(samples, from, Math.min(BLOCK, samples.length - from), out, written);
    return out;
  };

  const reset = (): void => {
    work.fill(0);
    thirds = 0;
  };

  return {
    push,
    flush: () => {
      const tail = push(new Int16Array(HISTORY));
      reset();
      return tail;
    },
    reset,
  };
};
