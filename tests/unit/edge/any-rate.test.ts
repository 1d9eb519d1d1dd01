import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRateConverter } from '../../../edge/any-rate.ts';
import { amplitudeAt, tone } from '../../fakes/wav-file.ts';

const converted = (samples: Float32Array, fromHz: number, toHz: number): number[] => {
  const converter = createRateConverter(fromHz, toHz);
  return [...converter.push(samples), ...converter.flush()];
};
const decibels = (amplitude: number): number => 20 * Math.log10(amplitude / 0.5);

const RATES = [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];

describe('any rate to 16 kHz', () => {
  it.each(RATES)('from %d Hz: keeps length, pitch, level and place', (hz) => {
    const out = converted(tone(440, 1, { hz }), hz, 16_000);
    expect(out).toHaveLength(16_000);
    expect(Math.abs(decibels(amplitudeAt(out, 440)))).toBeLessThan(0.05);
    const want = tone(440, 1);
    for (const at of [2_000, 8_001, 14_003]) expect(out[at]).toBeCloseTo(want[at] ?? 9, 2);
  });

  it.each([24_000, 44_100, 48_000])('from %d Hz: what 16 kHz cannot hold is gone, more than 60 dB', (hz) => {
    const out = converted(tone(10_000, 1, { hz }), hz, 16_000);
    expect(decibels(amplitudeAt(out, 6_000))).toBeLessThan(-60);
    expect(Math.max(...out.slice(200, -200).map(Math.abs))).toBeLessThan(0.001);
  });

  it('from 8 kHz: no image appears above 4 kHz', () => {
    const out = converted(tone(3_000, 1, { hz: 8_000 }), 8_000, 16_000);
    expect(Math.abs(decibels(amplitudeAt(out, 3_000)))).toBeLessThan(0.5);
    expect(decibels(amplitudeAt(out, 5_000))).toBeLessThan(-60);
  });

  it('passes speech up to 7 kHz', () => {
    const out = converted(tone(6_800, 1, { hz: 48_000 }), 48_000, 16_000);
    expect(Math.abs(decibels(amplitudeAt(out, 6_800)))).toBeLessThan(0.5);
  });

  it('changes nothing when the rates are the same', () => {
    expect(converted(Float32Array.from([1, -1, 0.5]), 16_000, 16_000)).toEqual([1, -1, 0.5]);
  });

  it('keeps a level that does not change', () => {
    const out = converted(new Float32Array(4_800).fill(0.25), 48_000, 16_000).slice(200, -200);
    for (const value of out) expect(value).toBeCloseTo(0.25, 4);
  });

  it('comes out the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8_000, 11_025, 44_100, 48_000, 47_999),
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 12 }),
        (hz, lengths) => {
          const sound = tone(700, 3_000 / hz, { hz });
          const converter = createRateConverter(hz, 16_000);
          const out: number[] = [];
          let at = 0;
          for (const length of [...lengths, sound.length]) {
            out.push(...converter.push(sound.subarray(at, at + length)));
            at += length;
          }
          out.push(...converter.flush());
          const whole = converted(sound, hz, 16_000);
          expect(out).toHaveLength(whole.length);
          expect(Math.max(0, ...out.map((value, i) => Math.abs(value - (whole[i] ?? 9))))).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 25 },
    );
  });
});
