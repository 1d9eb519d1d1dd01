import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createResampler, RESAMPLE_DELAY_SAMPLES } from '../../../edge/resample.ts';

const tone = (hz: number, samples: number, amplitude = 20_000): Int16Array =>
  Int16Array.from({ length: samples }, (_, at) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / 16_000)));

/** How loud one frequency is in 24 kHz sound, as an amplitude. */
const amplitudeAt = (samples: Int16Array, hz: number): number => {
  let cosines = 0;
  let sines = 0;
  let weight = 0;
  samples.forEach((sample, at) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / (samples.length - 1));
    cosines += window * sample * Math.cos((2 * Math.PI * hz * at) / 24_000);
    sines += window * sample * Math.sin((2 * Math.PI * hz * at) / 24_000);
    weight += window;
  });
  return (2 * Math.hypot(cosines, sines)) / weight;
};

const decibels = (amplitude: number, of: number): number => 20 * Math.log10(amplitude / of);

/** A second of one frequency, without the filter's start. */
const steady = (hz: number): Int16Array => createResampler().push(tone(hz, 16_000)).subarray(200);

const concat = (pieces: readonly Int16Array[]): number[] => pieces.flatMap((piece) => [...piece]);

describe('16 kHz to 24 kHz', () => {
  it.each([50, 300, 1_000, 3_000, 5_000, 6_500, 7_000])('passes %d Hz within half a decibel', (hz) => {
    expect(Math.abs(decibels(amplitudeAt(steady(hz), hz), 20_000))).toBeLessThan(0.5);
  });

  it.each([4_500, 5_000, 6_000, 6_500, 7_000])('keeps the image of %d Hz more than 60 dB down', (hz) => {
    // Zeros between the samples mirror a tone at 16 kHz less its own frequency.
    expect(decibels(amplitudeAt(steady(hz), 16_000 - hz), 20_000)).toBeLessThan(-60);
  });

  it('keeps images that fold back from above 12 kHz more than 60 dB down', () => {
    for (const hz of [300, 1_000, 3_000]) {
      expect(decibels(amplitudeAt(steady(hz), 24_000 - (16_000 - hz)), 20_000)).toBeLessThan(-60);
    }
  });

  it('answers three samples for two', () => {
    expect(createResampler().push(new Int16Array(320))).toHaveLength(480);
    const resampler = createResampler();
    expect([1, 1, 1, 1].map((length) => resampler.push(new Int16Array(length)).length)).toEqual([2, 1, 2, 1]);
  });

  it('is late by the samples it says, and a level stays that level', () => {
    const step = Int16Array.from({ length: 400 }, (_, at) => (at < 100 ? 0 : 10_000));
    const out = createResampler().push(step);
    const half = out.findIndex((sample) => sample >= 5_000);
    expect(Math.abs(half - (150 + RESAMPLE_DELAY_SAMPLES))).toBeLessThanOrEqual(1);
    expect(new Set(out.subarray(-40))).toEqual(new Set([10_000]));
  });

  it('clips instead of wrapping around', () => {
    const square = Int16Array.from({ length: 320 }, (_, at) => (at % 40 < 20 ? 32_767 : -32_768));
    const out = createResampler().push(square);
    // A step overshoots by a tenth: wrapped around it would change its sign.
    for (let at = RESAMPLE_DELAY_SAMPLES + 5; at < RESAMPLE_DELAY_SAMPLES + 25; at += 1)
      expect(out[at]).toBeGreaterThan(0);
    expect(Math.max(...out)).toBe(32_767);
    expect(Math.min(...out)).toBe(-32_768);
  });

  it('gives the same whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 700 }), { maxLength: 8 }),
        (pieces) => {
          const parts = createResampler();
          const whole = createResampler();
          const inPieces = concat(pieces.map((piece) => parts.push(Int16Array.from(piece))));
          expect(inPieces).toEqual([...whole.push(Int16Array.from(pieces.flat()))]);
          expect([...parts.flush()]).toEqual([...whole.flush()]);
        },
      ),
    );
  });

  it('hands out at the end what is still inside, and starts afresh', () => {
    const resampler = createResampler();
    const first = concat([resampler.push(tone(1_000, 320)), resampler.flush()]);
    const again = concat([resampler.push(tone(1_000, 320)), resampler.flush()]);
    expect(again).toEqual(first);
    // Everything came out: the last of it is silence.
    expect(Math.abs(first.at(-1) ?? 1)).toBeLessThan(50);
    resampler.push(tone(1_000, 320));
    resampler.reset();
    expect(concat([resampler.push(tone(1_000, 320)), resampler.flush()])).toEqual(first);
  });

  it('leaves what it was given as it was', () => {
    const given = tone(440, 320);
    const copy = given.slice();
    createResampler().push(given);
    expect(given).toEqual(copy);
  });
});
