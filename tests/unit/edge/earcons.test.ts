import { describe, expect, it } from '@jest/globals';
import { EARCONS, earconSamples } from '../../../edge/earcons.ts';

describe.each(EARCONS)('the sound of %s', (earcon) => {
  const samples = earconSamples(earcon);
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  it('is short, quiet, and comes and goes without a click', () => {
    expect(samples.length).toBeLessThanOrEqual((24_000 * 250) / 1_000);
    expect(samples.length).toBeGreaterThan((24_000 * 100) / 1_000);
    expect(loudest).toBeLessThan(32_767 * 0.2);
    expect(loudest).toBeGreaterThan(32_767 * 0.1);
    expect(Math.max(...[...samples.subarray(0, 24), ...samples.subarray(-24)].map(Math.abs))).toBeLessThan(loudest / 8);
    const steps = samples.subarray(1).map((value, at) => Math.abs(value - (samples[at] ?? 0)));
    expect(Math.max(...steps)).toBeLessThan(loudest);
  });

  it('is made once, and is like no other', () => {
    expect(earconSamples(earcon)).toBe(samples);
    for (const other of EARCONS) if (other !== earcon) expect(earconSamples(other)).not.toEqual(samples);
  });
});
