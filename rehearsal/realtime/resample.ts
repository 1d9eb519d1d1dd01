/** From 24,000 to 16,000 samples a second: up twice, down three times, over 48 kHz. */
const UP = 2;
const DOWN = 3;
/** Taps of the filter at 48 kHz; with 129 what lies above 9 kHz, and would fold back into speech, is 70 dB down. */
const TAPS = 129;
const MIDDLE = (TAPS - 1) / 2;
/** Half way between 7 kHz, which passes, and 9 kHz, as a part of 48 kHz. */
const CUT_OFF = 8_000 / 48_000;
/** Input samples that earlier pieces still have a part in. */
const HISTORY = Math.ceil(TAPS / UP);

/** A Blackman-windowed sinc, cut into the taps that meet a sample at even places and at odd ones; each sums to 1. */
const PHASES = ((): readonly Float64Array[] => {
  const taps = Array.from({ length: TAPS }, (_, at) => {
    const x = at - MIDDLE;
    const sinc = x === 0 ? 1 : Math.sin(2 * Math.PI * CUT_OFF * x) / (2 * Math.PI * CUT_OFF * x);
    const turn = (2 * Math.PI * at) / (TAPS - 1);
    return sinc * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  });
  return Array.from({ length: UP }, (_, phase) => {
    const own = taps.filter((_tap, at) => at % UP === phase);
    const sum = own.reduce((total, tap) => total + tap, 0);
    return Float64Array.from(own, (tap) => tap / sum);
  });
})();

export interface Resampler {
  /** 16 kHz samples for the 24 kHz samples that came so far. */
  push(samples: Int16Array): Int16Array;
  /** What the filter still holds: 1.3 ms. */
  flush(): Int16Array;
}

/** For the sound of one utterance, in pieces of any length. */
export const createResampler = (): Resampler => {
  let kept = new Float64Array(HISTORY);
  /** Where the next output's newest input lies at 48 kHz, counted from the first new sample. */
  let at = 0;
  const push = (samples: Int16Array): Int16Array => {
    const all = new Float64Array(HISTORY + samples.length);
    all.set(kept);
    all.set(samples, HISTORY);
    const count = Math.max(0, Math.ceil((UP * samples.length - at) / DOWN));
    const out = new Int16Array(count);
    for (let made = 0; made < count; made += 1, at += DOWN) {
      const taps = PHASES[at % UP] as Float64Array;
      const newest = HISTORY + (at - (at % UP)) / UP;
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap += 1) sum += (taps[tap] as number) * (all[newest - tap] as number);
      out[made] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : sum + (sum < 0 ? -0.5 : 0.5);
    }
    at -= UP * samples.length;
    kept = all.slice(samples.length);
    return out;
  };
  return { push, flush: () => push(new Int16Array(MIDDLE / UP)) };
};
