/** Bytes of 16-bit samples, low byte first, to one channel of samples; pieces may end anywhere. */
export interface PcmBytes {
  /** The samples that are complete now, the mean of all channels, in an array of their own. */
  push(bytes: Uint8Array): Int16Array;
  /** Bytes that wait for the rest of their sample in every channel. */
  readonly pending: number;
}

/** `channels`: interleaved in the bytes; default 1. */
export const createPcmBytes = (channels = 1): PcmBytes => {
  const block = 2 * channels;
  let rest = new Uint8Array(0);
  return {
    push: (bytes) => {
      const joined = new Uint8Array(rest.length + bytes.length);
      joined.set(rest);
      joined.set(bytes, rest.length);
      const samples = new Int16Array(Math.floor(joined.length / block));
      const view = new DataView(joined.buffer);
      for (let i = 0; i < samples.length; i += 1) {
        let sum = 0;
        for (let channel = 0; channel < channels; channel += 1) sum += view.getInt16(i * block + 2 * channel, true);
        samples[i] = Math.round(sum / channels);
      }
      rest = joined.slice(samples.length * block);
      return samples;
    },
    get pending() {
      return rest.length;
    },
  };
};
