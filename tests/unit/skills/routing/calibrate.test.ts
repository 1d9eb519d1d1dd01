import { describe, expect, it } from '@jest/globals';
import { calibrate, temper } from '../../../../skills/routing/calibrate.ts';
import type { HeldOut } from '../../../../skills/routing/calibrate.ts';
import { controlOf } from '../../../../skills/routing/control.ts';
import { gramsOf, Vocabulary, wordsOf } from '../../../../skills/routing/features.ts';
import { trainSoftmax } from '../../../../skills/routing/softmax.ts';

/** Lines of one skill and none: `order` is the skill's score. */
const held = (own: number, ...scores: number[]): HeldOut[] =>
  scores.map((score) => ({ own, scores: Float64Array.of(score, 1 - score) }));

describe('calibrate', () => {
  it('lowers the odds of "no order" when it shouts orders down', () => {
    const { noneOdds } = calibrate([...held(0, 0.3, 0.25, 0.35, 0.3), ...held(1, 0.01, 0.02, 0.01, 0.01)]);
    expect(noneOdds).toBeLessThan(0.5);
  });

  it('leaves what works alone, and puts the bars between the two kinds', () => {
    const { noneOdds, thresholds } = calibrate([...held(0, 0.9, 0.8, 0.95), ...held(1, 0.1, 0.2, 0.45)]);
    expect(noneOdds).toBe(1);
    expect(thresholds).toEqual({ accept: 0.45, clarify: 0.45 });
  });

  it('no data moves the bars out of their range', () => {
    expect(calibrate([...held(0, 0.01), ...held(1, 0.99)]).thresholds).toEqual({ accept: 0.6, clarify: 0.3 });
    expect(calibrate([]).thresholds).toEqual({ accept: 0.5, clarify: 0.4 });
  });

  it('tempering keeps probabilities', () => {
    const changed = temper(Float64Array.of(0.2, 0.3, 0.5), 0.1);
    expect(changed.reduce((a, b) => a + b)).toBeCloseTo(1);
    expect((changed[1] ?? 0) / (changed[0] ?? 1)).toBeCloseTo(1.5);
  });
});

describe('features', () => {
  it('words: one form for case, width, apostrophes and addresses', () => {
    expect(wordsOf("It's  the ＡＰＩ; see https://a.example/x?y and shop.example.com")).toEqual(
      'its the api see website and website'.split(' '),
    );
    expect(wordsOf('a '.repeat(500)).length).toBe(120);
  });

  it('what nobody taught shrinks a vector instead of vanishing', () => {
    const vocabulary = new Vocabulary([gramsOf('run the tests'), gramsOf('water the plants')]);
    const length = (text: string): number => Math.hypot(...vocabulary.vectorOf(gramsOf(text)).weight);
    expect(length('run the tests')).toBeCloseTo(Math.SQRT2);
    expect(length('run the marathon backwards')).toBeLessThan(1);
    expect(length('xylophone')).toBe(0);
  });

  it('the same lines train the same model', async () => {
    const texts = ['run the tests', 'run all tests', 'water the plants', 'water all plants'];
    const grams = texts.map(gramsOf);
    const vocabulary = new Vocabulary(grams);
    const train = async (): Promise<number[]> => {
      const model = await trainSoftmax(
        grams.map((entry, i) => ({ vector: vocabulary.vectorOf(entry), label: i < 2 ? 0 : 1, weight: 1 })),
        { classes: 2, features: vocabulary.size, epochs: 20, rate: 0.5, decay: 0.1 },
      );
      return [...model.probabilities(vocabulary.vectorOf(gramsOf('please run my tests')))];
    };
    const first = await train();
    expect(first[0]).toBeGreaterThan(0.8);
    expect(await train()).toEqual(first);
  });
});

describe('controlOf', () => {
  it.each([
    ['stop', 'last'],
    ['Cancel that.', 'last'],
    ['Never mind!', 'last'],
    ['cancel everything', 'all'],
  ])('%s', (text, target) => {
    expect(controlOf(text)).toEqual({ action: 'cancel', target });
  });
  it.each(['stop the tests', 'do not stop', 'cancel my subscription', '', 'x'.repeat(10_000)])(
    'is none: %s',
    (text) => {
      expect(controlOf(text)).toBeNull();
    },
  );
});
