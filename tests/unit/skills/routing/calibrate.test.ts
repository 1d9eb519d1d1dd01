import { describe, expect, it } from '@jest/globals';
import { calibrate, temper } from '../../../../skills/routing/calibrate.ts';
import type { HeldOut } from '../../../../skills/routing/calibrate.ts';

/** Lines of one skill and none: `scores` are the skill's; 20 of each kind are the least that say anything. */
const held = (own: 0 | 1, ...scores: number[]): HeldOut[] =>
  scores.map((score) => ({ own, scores: Float64Array.of(score, 1 - score) }));
const many = (count: number, value: (share: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => value(i / (count - 1)));
const orders = (value: (share: number) => number, count = 100): HeldOut[] => held(0, ...many(count, value));
const others = (value: (share: number) => number, count = 100): HeldOut[] => held(1, ...many(count, value));

describe('calibrate', () => {
  it('lowers the odds of "no order" when it shouts orders down', () => {
    const samples = [...orders(() => 0.3), ...others((share) => 0.02 * share)];
    const { noneOdds, thresholds } = calibrate(samples);
    expect(noneOdds).toBeLessThan(0.7);
    expect(thresholds.accept).toBeCloseTo(0.5, 1);
  });

  it('never raises them', () => {
    expect(calibrate([...orders(() => 0.95), ...others((share) => 0.9 * share)]).noneOdds).toBeLessThanOrEqual(1);
    expect(calibrate([...orders(() => 0.99), ...others(() => 0.98)]).noneOdds).toBe(1);
  });

  it('puts the bars between the two kinds where they lie apart', () => {
    const samples = [...orders((share) => 0.7 + 0.29 * share), ...others((share) => 0.3 * share)];
    const found = calibrate(samples);
    expect([found.missed, found.accepted]).toEqual([0, 0]);
    for (const { own, scores } of samples) {
      const [order = 0] = temper(scores, found);
      if (own === 0) expect(order).toBeGreaterThan(found.thresholds.clarify);
      else expect(order).toBeLessThan(found.thresholds.accept);
    }
  });

  it('where they overlap, few others are carried out, fewer by skills that cost more', () => {
    const found = calibrate([...orders((share) => 0.2 + 0.79 * share), ...others((share) => 0.6 * share)]);
    expect(found.accepted).toBeGreaterThan(0);
    expect(found.accepted).toBeLessThanOrEqual(0.05);
    expect(found.risky.accept).toBeGreaterThan(found.thresholds.accept);
    expect(found.risky.clarify).toBe(found.thresholds.clarify);
    expect(found.missed).toBeLessThan(0.16);
  });

  it('the bar for asking is never above the bar for doing', () => {
    for (const high of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
      for (const low of [0.1, 0.5, 0.9]) {
        const { thresholds, risky } = calibrate([
          ...orders((share) => high * (0.5 + share / 2)),
          ...others((share) => low * share),
        ]);
        expect(thresholds.clarify).toBeLessThanOrEqual(thresholds.accept);
        expect(thresholds.accept).toBeLessThanOrEqual(risky.accept);
        expect(thresholds.clarify).toBeGreaterThanOrEqual(0);
        expect(risky.accept).toBeLessThanOrEqual(1);
      }
  });

  it('trusts a model less that was sure and wrong, and more that was unsure and right', () => {
    const wrong = [
      ...orders((share) => (share < 0.3 ? 0.02 : 0.98)),
      ...others((share) => (share < 0.3 ? 0.98 : 0.02)),
    ];
    expect(calibrate(wrong).temperature).toBeGreaterThan(1);
    expect(calibrate([...orders(() => 0.7), ...others(() => 0.3)]).temperature).toBeLessThan(1);
  });

  it.each([
    ['nothing', []],
    ['fewer than 20 orders', [...orders(() => 0.9, 19), ...others(() => 0.1)]],
    ['fewer than 20 others', [...orders(() => 0.9), ...others(() => 0.1, 19)]],
  ])('has bars of its own for %s', (_what, samples) => {
    const bars = { accept: 0.6, clarify: 0.4 };
    expect(calibrate(samples)).toMatchObject({ noneOdds: 1, thresholds: bars, risky: bars, missed: 0, accepted: 0 });
  });

  it('from 20 of each kind on it measures', () => {
    const found = calibrate([...orders(() => 0.9, 20), ...others(() => 0.1, 20)]);
    expect(found.thresholds).not.toEqual({ accept: 0.6, clarify: 0.4 });
  });
});

describe('temper', () => {
  const scores = Float64Array.of(0.2, 0.3, 0.5);

  it('changes the odds of the last class alone', () => {
    const changed = temper(scores, { temperature: 1, noneOdds: 0.1 });
    expect(changed.reduce((a, b) => a + b)).toBeCloseTo(1);
    expect((changed[1] ?? 0) / (changed[0] ?? 1)).toBeCloseTo(1.5);
    expect((changed[2] ?? 0) / (changed[1] ?? 1)).toBeCloseTo((0.1 * 0.5) / 0.3);
  });

  it('evens out above 1, sharpens below', () => {
    const spread = (temperature: number): number => {
      const [low = 0, , high = 0] = temper(scores, { temperature, noneOdds: 1 });
      return high / low;
    };
    expect(spread(2)).toBeCloseTo(Math.sqrt(2.5));
    expect(spread(0.5)).toBeCloseTo(6.25);
  });

  it('keeps probabilities, and leaves what it is given as it is', () => {
    expect([...temper(scores, { temperature: 1, noneOdds: 1 })]).toEqual([0.2, 0.3, 0.5]);
    expect([...temper(Float64Array.of(0, 0), { temperature: 2, noneOdds: 0.5 })]).toEqual([0, 0]);
    expect([...scores]).toEqual([0.2, 0.3, 0.5]);
  });
});
