import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Skill } from '../../../contracts/skill.ts';
import { overlapOf, overlaps, wordSetOf } from '../../../skills/authoring/overlap.ts';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';

/** Share of their words that two lines may have in common: above it, the second teaches and proves nothing. */
const LIMIT = 0.6;
const SKILLS = join(REPOSITORY_ROOT, 'skills');
const EVALS = join(REPOSITORY_ROOT, 'evals/routing');

interface Line {
  text: string;
  /** File, and where in it. */
  where: string;
  /** A variation on purpose. */
  exempt: boolean;
}

const textLines = (path: string): { text: string; where: string }[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((text, i) => ({ text, where: `${path.slice(REPOSITORY_ROOT.length + 1)}:${i + 1}` }))
    .filter(({ text }) => text.trim() !== '' && !text.startsWith('#'));

const variations = textLines(join(EVALS, 'variations.txt')).map(({ text }) => text);

/** What the router learns from: examples, negative examples, none-lines. */
const trainingLines = (): Line[] => {
  const files = readdirSync(SKILLS).filter((name) => name.endsWith('.json'));
  const said = files.flatMap((file) => {
    const skill = Skill.parse(JSON.parse(readFileSync(join(SKILLS, file), 'utf8')));
    return (['examples', 'negative_examples'] as const).flatMap((list) =>
      skill[list].map((text, i) => ({ text, where: `skills/${file} ${list}[${i}]` })),
    );
  });
  return [...said, ...textLines(join(SKILLS, 'routing/none-lines.txt'))].map((line) => ({
    ...line,
    exempt: variations.includes(line.text),
  }));
};

/** Sentences the router is measured on: `LABEL<TAB>TAGS<TAB>SENTENCE`. Empty where the file is not there. */
const measuredLines = (file: string): Line[] => {
  const path = join(EVALS, file);
  if (!existsSync(path)) return [];
  return textLines(path).map(({ text, where }) => {
    const [, tags, sentence, ...more] = text.split('\t');
    if (!sentence?.trim() || more.length > 0) throw new Error(`${where}: not LABEL<TAB>TAGS<TAB>SENTENCE`);
    return { text: sentence, where, exempt: /\bvariation\b/.test(tags ?? '') };
  });
};

/** Pairs above the limit, variations left out. */
const pairsOf = (lines: readonly Line[]): [Line, Line, number][] =>
  overlaps(
    lines.map(({ text }) => text),
    LIMIT,
  ).flatMap(({ first, second, share }) => {
    const [a, b] = [lines[first], lines[second]];
    return !a || !b || a.exempt || b.exempt ? [] : [[a, b, share]];
  });

const training = trainingLines();
const development = measuredLines('development.tsv');
const heldOut = measuredLines('held-out.tsv');

describe('overlap', () => {
  it('is the share of common words, whatever their case, order, number and punctuation', () => {
    expect([...wordSetOf("Fix it, it's ÉTÉ 42!")]).toEqual(['fix', 'it', 's', 'été', '42']);
    expect(overlapOf(wordSetOf('run the tests'), wordSetOf('The tests? RUN, run!'))).toBe(1);
    expect(overlapOf(wordSetOf('run the tests'), wordSetOf('run all the tests'))).toBe(0.75);
    expect(overlapOf(wordSetOf('hello'), wordSetOf('goodbye'))).toBe(0);
    expect(overlapOf(wordSetOf('...'), wordSetOf('?'))).toBe(0);
  });

  it('finds pairs above the limit, not at it', () => {
    expect(overlaps(['run the tests', '', 'run all the tests', 'deploy', '', 'run the tests'], 0.75)).toEqual([
      { first: 0, second: 5, share: 1 },
    ]);
    expect(overlaps(['a b c', 'a b c d', 'x'], 0.7)).toEqual([{ first: 0, second: 1, share: 0.75 }]);
  });

  it('finds what comparing every pair finds', () => {
    const lines = training.slice(0, 300).map(({ text }) => text);
    const slow = lines.flatMap((a, first) =>
      lines.flatMap((b, second) => {
        const share = first < second ? overlapOf(wordSetOf(a), wordSetOf(b)) : 0;
        return share > 0.3 ? [{ first, second, share }] : [];
      }),
    );
    expect(slow.length).toBeGreaterThan(10);
    expect(overlaps(lines, 0.3)).toEqual(slow);
  });
});

describe('no padding', () => {
  it('no two lines the router learns from say almost the same', () => {
    expect(pairsOf(training).map(([a, b, share]) => [share.toFixed(2), a.where, a.text, b.where, b.text])).toEqual([]);
  });

  it('variations are few, there, and needed', () => {
    expect(variations.length).toBeLessThan(40);
    const strict = pairsOf(training.map((line) => ({ ...line, exempt: false }))).flatMap(([a, b]) => [a.text, b.text]);
    expect(variations.filter((text) => !strict.includes(text))).toEqual([]);
  });

  it('development sentences are new to the router and to each other', () => {
    const own = new Set(development);
    const pairs = pairsOf([...training, ...development]).filter(([, b]) => own.has(b));
    expect(pairs.map(([a, b, share]) => [share.toFixed(2), b.where, a.where])).toEqual([]);
  });

  // Counts only: a held-out sentence that is shown to whoever writes examples is held out no longer.
  it('held-out sentences are new to the router, to the development sentences and to each other', () => {
    const own = new Set(heldOut);
    const known = new Set(development);
    const count = { training: 0, development: 0, 'held-out': 0 };
    for (const [a, b] of pairsOf([...training, ...development, ...heldOut]))
      if (own.has(b)) count[own.has(a) ? 'held-out' : known.has(a) ? 'development' : 'training'] += 1;
    expect(count).toEqual({ training: 0, development: 0, 'held-out': 0 });
  });
});
