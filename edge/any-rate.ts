/** Zero crossings of the sinc on each side: a slope of about a tenth of the band. */
const CROSSINGS = 24;
/** Part of the lower rate's band that passes untouched; the rest is the filter's slope. */
const PASSED = 0.92;
/** Kaiser's shape parameter for 80 dB. */
const BETA = 8;
/** Points of the filter's table in one input sample; between them it is a straight line (error below -100 dB). */
const POINTS = 512;

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

/** Half of a Kaiser-windowed sinc, from its middle outwards, `reach` input samples long. */
const filterTable = (cutOff: number, reach: number): Float64Array =>
  Float64Array.from({ length: reach * POINTS + 2 }, (_, at) => {
    const distance = at / POINTS;
    if (distance >= reach) return 0;
    const x = 2 * Math.PI * cutOff * distance;
    const sinc = distance === 0 ? 1 : Math.sin(x) / x;
    return (2 * cutOff * sinc * bessel(BETA * Math.sqrt(1 - (distance / reach) ** 2))) / bessel(BETA);
  });

/** Changes the rate of sound, piece by piece; how it is cut into pieces changes nothing in what comes out. */
export interface RateConverter {
  push(samples: Float32Array): Float32Array;
  /** What is still inside; nothing may be pushed after it. */
  flush(): Float32Array;
}

/** From any rate to any other, both in whole samples a second; without delay: sample 0 out is the time of sample 0 in. */
export const createRateConverter = (fromHz: number, toHz: number): RateConverter => {
  if (fromHz === toHz) return { push: (samples) => samples.slice(), flush: () => new Float32Array(0) };
  const cutOff = 0.5 * PASSED * Math.min(1, toHz / fromHz);
  const reach = Math.ceil(CROSSINGS / (2 * cutOff));
  const table = filterTable(cutOff, reach);
  /** Input that later output needs; `first` is the number of its first sample, counted from the start of the sound. */
  let held = new Float32Array(reach);
  let first = -reach;
  let taken = 0;
  let given = 0;

  /** What one side adds: `at` is its sample nearest to the wanted time, `away` from it, and `step` leads outwards. */
  const sideOf = (at: number, away: number, step: 1 | -1): number => {
    const point = away * POINTS;
    const whole = Math.floor(point);
    const part = point - whole;
    let sum = 0;
    for (let k = 0, from = whole; k < reach; k += 1, from += POINTS) {
      const low = table[from] ?? 0;
      sum += (held[at + step * k] ?? 0) * (low + ((table[from + 1] ?? 0) - low) * part);
    }
    return sum;
  };

  const sampleAt = (time: number): number => {
    const before = Math.floor(time);
    return sideOf(before - first, time - before, -1) + sideOf(before + 1 - first, before + 1 - time, 1);
  };

  /** Output up to the sample before `end`. */
  const give = (end: number): Float32Array => {
    const out = new Float32Array(Math.max(0, end - given));
    for (let i = 0; i < out.length; i += 1) out[i] = sampleAt(((given + i) * fromHz) / toHz);
    given += out.length;
    return out;
  };

  return {
    push: (samples) => {
      const oldest = Math.max(first, Math.floor((given * fromHz) / toHz) - reach);
      const kept = held.subarray(oldest - first);
      const next = new Float32Array(kept.length + samples.length);
      next.set(kept);
      next.set(samples, kept.length);
      held = next;
      first = oldest;
      taken += samples.length;
      return give(Math.ceil(((taken - reach) * toHz) / fromHz));
    },
    flush: () => give(Math.ceil((taken * toHz) / fromHz)),
  };
};
