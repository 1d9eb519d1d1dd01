import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRespell } from '../../../../skills/routing/respell.ts';

const respell = createRespell(
  ['deploy to production', 'run the evaluation', 'validate the staging site', 'write a benchmark for the parser'],
  ['a parzer on the road', 'so duction is a word here'],
);

describe('respell', () => {
  it.each([
    ['torn apart', 'de ploy to pro duction', 'deploy to production'],
    ['torn apart at its first letter', 'run the e valuation', 'run the evaluation'],
    ['heard wrongly', 'deploi to production', 'deploy to production'],
    ['two heard wrongly', 'benchmarc the parsar', 'benchmark the parser'],
    ['torn apart and heard wrongly', 'de ploi it', 'deploy it'],
    ['little words', 'go two production, inn staging', 'go to production, in staging'],
    ['marks and spaces around it stay', '  “deploi”,  (now)!', '  “deploy”,  (now)!'],
    ['capitals', 'DEPLOI it', 'deploy it'],
  ])('%s', (_what, text, expected) => {
    expect(respell(text)).toBe(expected);
  });

  it.each([
    ['what is spelled as the skills spell it', 'deploy to production and run the evaluation'],
    ['names', 'rename parseLine to readLine'],
    ['names of files and branches', 'see deploi.ts, feature/deploi and deploi_x'],
    ['a word of lines that are no order', 'the parzer'],
    ['short words', 'ren the sute'],
    ['other words', 'paint the garden fence'],
    ['words with a pause between them', 'a de. ploy'],
    ['other scripts and marks', 'запусти тесты 🙂 測試'],
    ['nothing', ''],
  ])('leaves alone: %s', (_what, text) => {
    expect(respell(text)).toBe(text);
  });

  it('prefers the more frequent of two words that sound alike', () => {
    expect(createRespell(['parser', 'parser', 'parsor'], [])('parzer')).toBe('parser');
    expect(createRespell(['parsor', 'parsor', 'parser'], [])('parzer')).toBe('parsor');
  });

  it('any text: never throws, and makes no more of it than a word may gain', () => {
    const words = fc.constantFrom(...'de ploy deploi pro duction e valuation staging two , . the parsar X9'.split(' '));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(words, { maxLength: 30 }).map((list) => list.join(' ')),
        ),
        (text) => {
          const once = respell(text);
          expect(once.length).toBeLessThanOrEqual(2 * text.length + 20);
        },
      ),
    );
  });

  it('is quick for 8,000 characters', () => {
    const started = performance.now();
    for (const unit of ['de ploy ', 'a ', 'deploi', 'e valuation '])
      respell(unit.repeat(Math.floor(8_000 / unit.length)));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
