import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyOf, trainClassifier } from '../../../../skills/routing/classify.ts';
import type { Classifier } from '../../../../skills/routing/classify.ts';
import { madeSkill } from '../../../fakes/fixed-registry.ts';

const THINGS = 'kitchen window garden door bathroom ceiling cellar roof balcony hallway attic floor'.split(' ');
const NONE = THINGS.map((thing) => `my uncle once fell asleep near a ${thing}`);
const CLEAN = THINGS.map((thing) => `clean the ${thing}`);
const PAINT = THINGS.map((thing) => `paint the ${thing}`);
const clean = (more: Record<string, unknown> = {}) => madeSkill({ name: 'clean', examples: CLEAN, ...more });
const paint = (more: Record<string, unknown> = {}) => madeSkill({ name: 'paint', examples: PAINT, ...more });
const scoreOf = (from: Classifier, skill: string, text: string): number =>
  from.rank(text).ranked.find((entry) => entry.skill === skill)?.score ?? 0;

let classifier: Classifier;
beforeAll(async () => {
  classifier = await trainClassifier([clean(), paint()], NONE);
});

describe('ranking', () => {
  it('gives new sentences to the skill whose words they have, and others to none', () => {
    expect(classifier.rank('clean the old garage').ranked[0]?.skill).toBe('clean');
    expect(classifier.rank('could you paint our fence').ranked[0]?.skill).toBe('paint');
    expect(classifier.rank('my aunt once fell asleep near a lake').none).toBeGreaterThan(0.5);
  });

  it.each(['clean the roof', 'clean something', 'paint', 'my uncle', 'xylophone', '', '🙂 \u0000'])(
    'is best first, and all scores add up to 1: %j',
    (text) => {
      const { ranked, none } = classifier.rank(text);
      expect(ranked.reduce((sum, { score }) => sum + score, none)).toBeCloseTo(1);
      expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).toSorted((a, b) => b - a));
    },
  );

  it('is the same every time, whoever learns it', async () => {
    const again = await trainClassifier([clean(), paint()], NONE);
    expect(JSON.stringify(again)).toBe(JSON.stringify(classifier));
    expect(again.rank('clean or paint the shed')).toEqual(classifier.rank('clean or paint the shed'));
  });
});

describe('word for word', () => {
  it.each(['clean the kitchen', 'Clean THE kitchen!', 'um, could you please clean the kitchen, thanks'])(
    'an example, whatever its case, marks, fillers and politeness: %s',
    (text) => {
      const { ranked, verbatim } = classifier.rank(text);
      expect(verbatim).toBe(true);
      expect(ranked[0]).toEqual({ skill: 'clean', score: expect.closeTo(0.99) as unknown });
    },
  );

  it('a line that is no order', () => {
    expect(classifier.rank('My uncle once fell asleep near a door.')).toMatchObject({
      verbatim: true,
      none: expect.closeTo(0.99) as unknown,
    });
  });

  it('nothing else', () => {
    expect(classifier.rank('clean the kitchen door').verbatim).toBe(false);
  });

  it('an example of two skills is shared', async () => {
    const both = await trainClassifier(
      [clean({ examples: [...CLEAN, 'do the wall'] }), paint({ examples: [...PAINT, 'do the wall'] })],
      NONE,
    );
    expect(both.rank('do the wall')).toMatchObject({
      verbatim: true,
      ranked: [{ score: expect.closeTo(0.495) as unknown }, { score: expect.closeTo(0.495) as unknown }],
    });
  });

  it("another skill's example stays an order where it is a negative example", async () => {
    const skills = [clean({ negative_examples: ['paint the door', 'clean my record'] }), paint()];
    const careful = await trainClassifier(skills, NONE);
    expect(scoreOf(careful, 'paint', 'paint the door')).toBeCloseTo(0.99);
    expect(careful.rank('clean my record').none).toBeGreaterThan(0.9);
  });
});

describe('keywords', () => {
  it('"none" excludes a skill, even from its own examples', async () => {
    const barred = await trainClassifier([clean({ keywords: { none: ['garden', 'Roof, please!'] } }), paint()], NONE);
    expect(barred.rank('clean the garden shed').ranked.map(({ skill }) => skill)).toEqual(['paint']);
    expect(scoreOf(barred, 'clean', 'clean the garden')).toBe(0);
    expect(scoreOf(barred, 'clean', 'clean the roof')).toBe(0);
    expect(scoreOf(barred, 'clean', 'clean the gardens')).toBeGreaterThan(0);
  });

  it('"any" doubles its odds, and no more', async () => {
    const helped = await trainClassifier([clean({ keywords: { any: ['big shed'] } }), paint()], NONE);
    const odds = (from: Classifier, text: string): number => {
      const score = scoreOf(from, 'clean', text);
      return score / (1 - score);
    };
    for (const text of ['paint the big shed', 'clean the big shed'])
      expect(odds(helped, text) / odds(classifier, text)).toBeCloseTo(2);
    expect(odds(helped, 'clean the bigger shed')).toBeCloseTo(odds(classifier, 'clean the bigger shed'));
  });

  it('"any" changes nothing word for word', async () => {
    const own = clean({ examples: [...CLEAN, 'paint the garage'] });
    const helped = await trainClassifier([own, paint({ keywords: { any: ['garage'] } })], NONE);
    expect(scoreOf(helped, 'clean', 'paint the garage')).toBeCloseTo(0.99, 6);
  });
});

describe('the report', () => {
  it('counts the examples of each skill', () => {
    expect(classifier.report.map(({ skill, examples }) => [skill, examples])).toEqual([
      ['clean', 12],
      ['paint', 12],
    ]);
  });

  it('names the examples that another skill or none would get, and which', async () => {
    const { report } = await trainClassifier(
      [clean({ examples: [...CLEAN, 'paint the garage', 'my uncle once fell asleep near a fountain'] }), paint()],
      NONE,
    );
    const [own] = report;
    expect(own?.confused.map(({ text, with: other }) => [text, other])).toEqual([
      ['paint the garage', 'paint'],
      ['my uncle once fell asleep near a fountain', null],
    ]);
    expect(own).toMatchObject({ examples: 14, right: 12 });
    for (const { score } of own?.confused ?? []) expect(score).toBeGreaterThan(0.3);
  });
});

describe('little to learn from', () => {
  it('fewer than 20 lines: bars that are fixed, and examples are known all the same', async () => {
    const few = await trainClassifier(
      [clean({ examples: CLEAN.slice(0, 3) }), paint({ examples: PAINT.slice(0, 3) })],
      NONE.slice(0, 3),
    );
    expect(few).toMatchObject({ thresholds: { accept: 0.6, clarify: 0.4 }, risky: { accept: 0.6, clarify: 0.4 } });
    expect(few.rank('clean the window').ranked[0]).toMatchObject({ skill: 'clean' });
  });

  it.each([
    ['one example', [clean({ examples: ['clean it up'] })], []],
    ['no lines that are no order', [clean()], []],
    ['lines that are no order only', [], NONE],
    ['nothing', [], []],
  ])('%s', async (_what, skills, none) => {
    const { thresholds, ...rest } = await trainClassifier(skills, none);
    const { ranked, none: other } = rest.rank('clean the roof');
    expect(ranked.reduce((sum, { score }) => sum + score, other)).toBeCloseTo(1);
    expect(thresholds.clarify).toBeLessThanOrEqual(thresholds.accept);
  });
});

it('keyOf is one form per wording', () => {
  expect(keyOf("Please, don't  CLEAN the ‘Roof’!")).toBe('dont clean the roof');
  expect(keyOf('um')).toBe('');
});
