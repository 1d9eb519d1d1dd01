import { describe, expect, it } from '@jest/globals';
import { boundFigure, median, percentile, ratioFigure, table } from '../../../bench/figures.ts';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);

  it.each([
    [0, 1],
    [0.5, 51],
    [0.95, 96],
    [0.99, 100],
    [1, 100],
  ])('%d of 1 to 100 is %d: that share lies below it', (share, value) => {
    expect(percentile(hundred, share)).toBe(value);
  });

  it('sorts by size, not by spelling, and leaves the values as they were', () => {
    const values = [100, 9, 20];
    expect(percentile(values, 0)).toBe(9);
    expect(percentile(values, 1)).toBe(100);
    expect(values).toEqual([100, 9, 20]);
  });

  it('is no number where there are no values', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('at one half is the median', () => {
    expect(median([30, 10, 20])).toBe(20);
    expect(median([5])).toBe(5);
  });
});

describe('a figure beside another', () => {
  const figure = (value: number, against: number, goal: Parameters<typeof ratioFigure>[0]['goal']) =>
    ratioFigure({ figure: 'start', value, unit: 's', against: { what: 'its parts', value: against }, goal });

  it('is value through what it is compared with, and says so in its row', () => {
    expect(figure(3, 4, { atMost: 1.15 })).toEqual({
      figure: 'start',
      value: 3,
      unit: 's',
      against: { what: 'its parts', value: 4 },
      ratio: 0.75,
      goal: '<= 1.15x',
      reached: true,
    });
  });

  it('that is to be small reaches its goal up to it, and not beyond', () => {
    expect(figure(2, 2, { atMost: 1 }).reached).toBe(true);
    expect(figure(1, 2, { atMost: 1 }).reached).toBe(true);
    expect(figure(3, 2, { atMost: 1 }).reached).toBe(false);
  });

  it('that is to be large reaches its goal from it on, and not before', () => {
    expect(figure(4, 2, { atLeast: 2 })).toMatchObject({ ratio: 2, goal: '>= 2x', reached: true });
    expect(figure(5, 2, { atLeast: 2 }).reached).toBe(true);
    expect(figure(3, 2, { atLeast: 2 }).reached).toBe(false);
  });

  it('that is to be the same reaches its goal a share to either side, and no further', () => {
    expect(figure(1.04, 1, { within: 0.05 })).toMatchObject({ goal: '1x, within 5 %', reached: true });
    expect([1, 2, 3].map((value) => figure(value, 2, { within: 0.5 }).reached)).toEqual([true, true, true]);
    expect([0.9, 3.1].map((value) => figure(value, 2, { within: 0.5 }).reached)).toEqual([false, false]);
  });

  it('is judged by what was measured, not by what is shown of it', () => {
    expect(figure(1.1504, 1, { atMost: 1.15 })).toMatchObject({ ratio: 1.15, reached: false });
    expect(figure(1.9996, 1, { atLeast: 2 })).toMatchObject({ ratio: 2, reached: false });
  });

  it('never reaches a goal without a value', () => {
    expect(figure(Number.NaN, 1, { atMost: 10 }).reached).toBe(false);
    expect(figure(Number.NaN, 1, { atLeast: 0 }).reached).toBe(false);
    expect(figure(Number.NaN, 1, { within: 1 }).reached).toBe(false);
  });

  it('shows three digits, and whole numbers from a hundred on', () => {
    expect(figure(1.23456, 1, { atMost: 2 }).value).toBe(1.23);
    expect(figure(1234.56, 100.4, { atMost: 20 })).toMatchObject({ value: 1235, against: { value: 100 } });
    expect(figure(0.00012345, 1, { atMost: 2 }).value).toBe(0.000123);
  });
});

describe('a figure with a bound of its own', () => {
  it.each([
    [5.99, true],
    [6, true],
    [6.001, false],
    [Number.NaN, false],
  ])('of 6 s: %d s reaches it: %s', (value, reached) => {
    expect(boundFigure({ figure: 'start', value, unit: 's', atMost: 6 })).toMatchObject({
      figure: 'start',
      unit: 's',
      against: null,
      ratio: null,
      goal: '<= 6 s',
      reached,
    });
  });
});

describe('the table', () => {
  const [good, missed] = [
    ratioFigure({
      figure: 'tasks a second',
      value: 40,
      unit: '/s',
      against: { what: 'bare Temporal', value: 20 },
      goal: { atLeast: 0.5 },
    }),
    boundFigure({ figure: 'memory', value: 512, unit: 'MiB', atMost: 150 }),
  ];

  it('shows a row a figure, with a mark for those that miss, columns one below the other', () => {
    expect(table([good, missed]).split('\n')).toEqual([
      '      figure          value    against               ratio  goal',
      'ok    tasks a second  40 /s    bare Temporal: 20 /s  2x     >= 0.5x',
      'MISS  memory          512 MiB                               <= 150 MiB',
    ]);
  });

  it('of nothing is its heads', () => {
    expect(table([])).toBe('  figure  value  against  ratio  goal');
  });
});
