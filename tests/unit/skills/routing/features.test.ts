import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { featuresOf, Vocabulary, wordsOf } from '../../../../skills/routing/features.ts';
import type { Vector } from '../../../../skills/routing/features.ts';
import { trainSoftmax } from '../../../../skills/routing/softmax.ts';

const of = (text: string) => featuresOf(wordsOf(text));
/** The length of a family's part of a vector is at most its weight: words 1, pieces 1. */
const lengthOf = ({ weight }: Vector): number => Math.hypot(...weight);
const WHOLE = Math.hypot(1, 1);

describe('wordsOf', () => {
  it('one form for case, width, apostrophes and addresses', () => {
    expect(wordsOf("It's  the ＡＰＩ; see https://a.example/x?y and shop.example.com")).toEqual(
      'its the api see website and website'.split(' '),
    );
  });

  it('looks at so much and no more', () => {
    expect(wordsOf('a '.repeat(500)).length).toBe(120);
    expect(wordsOf('word '.repeat(500)).length).toBe(120);
    expect(wordsOf(`${'longword'.repeat(75)} never`)).toHaveLength(1);
  });

  it.each(['', ' \n', '?!…', '🙂'])('none in %j', (text) => {
    expect(wordsOf(text)).toEqual([]);
  });

  it('any text: never throws; letters and digits only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        for (const word of wordsOf(text)) expect(word).toMatch(/^[\p{L}\p{N}]+$/u);
      }),
    );
  });
});

describe('featuresOf', () => {
  const common = (a: string, b: string, family: number): number => {
    const other = new Set(of(b)[family]);
    return of(a)[family]?.filter((feature) => other.has(feature)).length ?? 0;
  };

  it('the same words have the same features, each once', () => {
    expect(of('run the run the tests')).toEqual(of('run the run the tests'));
    for (const family of of('run the run the tests')) expect(new Set(family).size).toBe(family.length);
  });

  it('forms of a word and words alike have something in common', () => {
    expect(common('running', 'runs', 0)).toBeGreaterThan(common('running', 'jumps', 0));
    expect(common('validating', 'validate', 1)).toBeGreaterThan(2);
  });

  it('how it is said is a feature: telling, asking, of the past', () => {
    expect(common('we zap', 'they zip', 0)).toBe(1);
    expect(common('why zap', 'who zips', 0)).toBe(1);
    expect(common('zap was', 'zip told', 0)).toBe(1);
    expect(common('zap now', 'zip here', 0)).toBe(0);
  });

  it('of nothing are none', () => {
    expect(featuresOf([])).toEqual([[], []]);
  });
});

describe('Vocabulary', () => {
  it('what nobody taught shrinks a vector instead of vanishing', () => {
    // Each line twice: pieces of a single line do not count.
    const lines = ['run the tests', 'water the plants'];
    const vocabulary = new Vocabulary([...lines, ...lines].map(of));
    const length = (text: string): number => lengthOf(vocabulary.vectorOf(of(text)));
    expect(length('run the tests')).toBeCloseTo(WHOLE);
    expect(length('run the marathon backwards')).toBeLessThan(length('run the tests'));
    expect(length('run the marathon backwards')).toBeGreaterThan(0);
    expect(length('xylophone')).toBe(0);
    expect(length('')).toBe(0);
  });

  it('rare words weigh more', () => {
    const vocabulary = new Vocabulary(['run the tests', 'run the site', 'run the parser'].map(of));
    const weight = (text: string): number =>
      Math.max(...vocabulary.vectorOf([of(text)[0]?.slice(0, 1) ?? [], [], of('run zzz')[2] ?? []]).weight);
    expect(weight('parser')).toBeGreaterThanOrEqual(weight('run'));
    const { weight: parts } = vocabulary.vectorOf([
      [...(of('run')[0] ?? []).slice(0, 1), ...(of('parser')[0] ?? []).slice(0, 1)],
    ]);
    expect(parts[1]).toBeGreaterThan(parts[0] ?? Infinity);
  });

  it('keeps rare pairs and pieces while there is room, and words always', () => {
    const corpus = ['run the tests', 'run the tests', 'run the plants', 'run the plants'].map(of);
    expect(new Vocabulary(corpus.slice(1, 3)).size).toBeLessThan(new Vocabulary(corpus).size);
    const [words = [], pairs = []] = of('run the tests');
    const known = (most: number | undefined, features: number[][]): number =>
      new Vocabulary(corpus, most).vectorOf(features).at.length;
    expect(known(undefined, [[], pairs, []])).toBe(pairs.length);
    const tight = new Vocabulary(corpus).size - 1;
    expect(known(tight, [[], pairs, []])).toBeLessThan(pairs.length);
    expect(known(tight, [[], pairs, []])).toBeGreaterThan(0);
    for (const most of [tight, 1]) expect(known(most, [words, [], []])).toBe(words.length);
  });
});

describe('trainSoftmax', () => {
  const texts = ['run the tests', 'run all tests', 'water the plants', 'water all plants'];
  const features = texts.map(of);
  const vocabulary = new Vocabulary(features);
  const train = (weights = [1, 1, 1, 1], epochs = 20) =>
    trainSoftmax(
      features.map((entry, i) => ({
        vector: vocabulary.vectorOf(entry),
        label: i < 2 ? 0 : 1,
        weight: weights[i] ?? 1,
      })),
      { classes: 2, features: vocabulary.size, epochs, rate: 0.5, decay: 0.1 },
    );

  it('the same lines train the same model', async () => {
    const ask = async (): Promise<number[]> => [
      ...(await train()).probabilities(vocabulary.vectorOf(of('please run my tests'))),
    ];
    const first = await ask();
    expect(first[0]).toBeGreaterThan(0.7);
    expect(first.reduce((a, b) => a + b)).toBeCloseTo(1);
    expect(await ask()).toEqual(first);
  });

  it('untaught, or asked about nothing, it knows nothing', async () => {
    expect([...(await train([1, 1, 1, 1], 0)).probabilities(vocabulary.vectorOf(of('run the tests')))]).toEqual([
      0.5, 0.5,
    ]);
  });

  it('a line of no weight teaches nothing', async () => {
    const [tests = 0] = (await train([0, 0, 1, 1])).probabilities(vocabulary.vectorOf(of('run tests')));
    expect(tests).toBeLessThan(0.5);
  });
});
