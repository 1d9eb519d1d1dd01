import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digitsAt, numbersIn } from '../../../../skills/routing/numbers.ts';
import { tokensOf } from '../../../../skills/routing/spoken-words.ts';

const valuesIn = (text: string): number[] => numbersIn(tokensOf(text)).map(({ value }) => value);

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
/** A number in English words, as people write it. */
const inWords = (value: number, hyphen: string, and: string): string => {
  if (value < 20) return SMALL[value] ?? '';
  if (value < 100) return [TENS[Math.floor(value / 10)], ...(value % 10 ? [SMALL[value % 10]] : [])].join(hyphen);
  const [size, name] = value < 1_000 ? [100, 'hundred'] : [1_000, 'thousand'];
  const rest = value % size;
  const joint = rest === 0 ? '' : rest < 100 ? ` ${and}` : ' ';
  return `${inWords(Math.floor(value / size), hyphen, and)} ${name}${joint}${rest ? inWords(rest, hyphen, and) : ''}`;
};

describe('numbers', () => {
  it.each<[string, number[]]>([
    ['twenty five', [25]],
    ['twenty-five pages', [25]],
    ['a hundred and two', [102]],
    ['three point five', [3.5]],
    ['zero point two five', [0.25]],
    ['point five', [0.5]],
    ['two and a half', [2.5]],
    ['minus three', [-3]],
    ['-3', [-3]],
    ['1,250 rows', [1250]],
    ['3 thousand', [3000]],
    ['twelve hundred', [1200]],
    ['two thousand and five', [2005]],
    ['one million', [1_000_000]],
    ['between twenty and thirty', [20, 30]],
    ['one two three', [1, 2, 3]],
    ['a thirty second timeout', [30]],
    ['the first page', []],
    ['the twenty fifth page', []],
    ['5th', []],
    ['the production one', []],
    ['one of them', []],
    ['version one dot two dot three', []],
    ['1.2.3', []],
    ['a page and a half', []],
    ['hundred', []],
    ['', []],
  ])('%j', (text, values) => expect(valuesIn(text)).toEqual(values));

  it('every number below a million, however its words are joined', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999 }),
        fc.constantFrom(' ', '-'),
        fc.constantFrom('', 'and '),
        (value, hyphen, and) => {
          const words = inWords(value, hyphen, and);
          expect(valuesIn(`at least ${words} pages`)).toEqual([value]);
          expect(valuesIn(`at least ${value} pages`)).toEqual([value]);
        },
      ),
    );
  });

  it('anything at all: finite values in order, no exception', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...SMALL,
        ...TENS,
        'hundred',
        'thousand',
        'and',
        'a',
        'point',
        'minus',
        'half',
        'oh',
        'twenty-',
        '-',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        let end = 0;
        for (const number of numbersIn(tokensOf(words.join(' ')))) {
          expect(Number.isFinite(number.value)).toBe(true);
          expect(number.start).toBeGreaterThanOrEqual(end);
          expect(number.end).toBeGreaterThan(number.start);
          end = number.end;
        }
      }),
    );
  });
});

it.each([
  ['eighty eighty', '8080'],
  ['three thousand', '3000'],
  ['eight thousand eighty', '8080'],
  ['one two seven', '127'],
  ['one twenty seven', '127'],
  ['four four three', '443'],
  ['eight oh eight oh', '8080'],
  ['8080', '8080'],
  ['two point five', '2'],
  ['page', undefined],
])('digits in groups: %s', (text, digits) => expect(digitsAt(tokensOf(text), 0)?.digits).toBe(digits));
