/** Nothing is quieter than this: below the last bit of 16. */
export const SILENCE_DBFS = -100;

/** Mean square of the samples, 0 to 1. */
export const meanSquare = (samples: Int16Array): number => {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] as number) ** 2;
  return samples.length === 0 ? 0 : sum / samples.length / 32_768 ** 2;
};

/** Level in decibels below full scale, by RMS: 0 is the loudest square wave, `SILENCE_DBFS` is silence. */
export const levelDbfs = (samples: Int16Array): number =>
  Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare(samples) || 1e-12));
