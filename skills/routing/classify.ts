import type { Skill } from '../../contracts/skill.ts';
import { calibrate, temper } from './calibrate.ts';
import type { HeldOut, Thresholds } from './calibrate.ts';
import { Vocabulary, gramsOf, wordsOf } from './features.ts';
import { trainSoftmax } from './softmax.ts';
import type { SoftmaxModel } from './softmax.ts';

/** How well one text fits each skill. The scores and `none` (it is no order) add up to 1. */
export interface Ranking {
  /** Best first; skills that are excluded by a keyword are missing. */
  ranked: { skill: string; score: number }[];
  none: number;
  /** The text is, word for word, an example of the best one, or a line that is no order. */
  verbatim: boolean;
}

export interface Classifier {
  readonly thresholds: Thresholds;
  rank(text: string): Ranking;
}

/** A line to learn from; label `null` is the none-class. */
interface Line {
  text: string;
  label: string | null;
}

/** Passes, step and its decay: measured on CLINC150 (6 skills x 20 examples, open world); flat around these values. */
const TRAINING = { epochs: 25, rate: 0.5, decay: 0.1 };
/** Parts the lines are divided into: each is scored by a model that did not see it. */
const FOLDS = 4;
/** What a verbatim example counts; never 1, which would say "certain". */
const VERBATIM = 0.99;
/** Odds a keyword of `keywords.any` multiplies a skill by. */
const KEYWORD_ODDS = 2;

/** One form per wording: case, punctuation and spacing do not count. */
export const keyOf = (text: string): string => wordsOf(text).join(' ');

const linesOf = (skills: readonly Skill[], noneLines: readonly string[]): Line[] => {
  const orders = skills.flatMap((skill) => skill.examples.map((text) => ({ text, label: skill.name })));
  const taken = new Set(orders.map(({ text }) => keyOf(text)));
  // Another skill's example may stand as a negative example here; it is an order all the same.
  const negatives = [...noneLines, ...skills.flatMap((skill) => skill.negative_examples)].filter(
    (text) => !taken.has(keyOf(text)),
  );
  return [...orders, ...[...new Set(negatives)].map((text) => ({ text, label: null }))];
};

/** A model over lines: the probability of each label, in the order of `labels`. */
const fit = async (
  lines: readonly Line[],
  labels: readonly (string | null)[],
): Promise<(text: string) => Float64Array> => {
  const grams = lines.map(({ text }) => gramsOf(text));
  const vocabulary = new Vocabulary(grams);
  const nones = lines.filter(({ label }) => label === null).length;
  // As a whole the none-lines weigh as much as one skill, however many there are.
  const noneWeight = Math.min(1, (lines.length - nones) / Math.max(1, labels.length - 1) / Math.max(1, nones));
  const samples = lines.map(({ label }, i) => ({
    vector: vocabulary.vectorOf(grams[i] ?? gramsOf('')),
    label: labels.indexOf(label),
    weight: label === null ? noneWeight : 1,
  }));
  const model: SoftmaxModel = await trainSoftmax(samples, {
    ...TRAINING,
    classes: labels.length,
    features: vocabulary.size,
  });
  return (text) => model.probabilities(vocabulary.vectorOf(gramsOf(text)));
};

/** Scores every line by a model that did not see it. */
const holdOut = async (lines: readonly Line[], labels: readonly (string | null)[]): Promise<HeldOut[]> => {
  const found: HeldOut[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = lines.filter((_, i) => i % FOLDS !== fold);
    const score = await fit(seen, labels);
    for (const [i, { text, label }] of lines.entries())
      if (i % FOLDS === fold) found.push({ own: labels.indexOf(label), scores: score(text) });
  }
  return found;
};

/** Whole-word presence of a keyword or key phrase. */
const mentions = (key: string, phrase: string): boolean => ` ${key} `.includes(` ${keyOf(phrase)} `);

/**
 * Learns the skills from their examples, and what to leave alone from the none-lines and negative examples.
 * Takes tens of milliseconds per hundred lines, in slices that leave the process responsive.
 */
export const trainClassifier = async (skills: readonly Skill[], noneLines: readonly string[]): Promise<Classifier> => {
  const labels: (string | null)[] = [...skills.map((skill) => skill.name), null];
  const lines = linesOf(skills, noneLines);
  const score = await fit(lines, labels);
  const { noneOdds, thresholds } = calibrate(await holdOut(lines, labels));
  const verbatim = new Map<string, Set<string | null>>();
  for (const { text, label } of lines) {
    const key = keyOf(text);
    verbatim.set(key, (verbatim.get(key) ?? new Set()).add(label));
  }

  return {
    thresholds,
    rank: (text) => {
      const key = keyOf(text);
      const scores = temper(score(text), noneOdds);
      const known = verbatim.get(key);
      if (known) {
        const others = scores.reduce((sum, value, c) => sum + (known.has(labels[c] ?? null) ? 0 : value), 0) || 1;
        for (let c = 0; c < scores.length; c++)
          scores[c] = known.has(labels[c] ?? null)
            ? VERBATIM / known.size
            : ((1 - VERBATIM) * (scores[c] ?? 0)) / others;
      }
      for (const [c, skill] of skills.entries()) {
        if (skill.keywords.none.some((phrase) => mentions(key, phrase))) scores[c] = 0;
        else if (!known && skill.keywords.any.some((phrase) => mentions(key, phrase)))
          scores[c] = (scores[c] ?? 0) * KEYWORD_ODDS;
      }
      const total = scores.reduce((sum, value) => sum + value, 0) || 1;
      const ranked = skills
        .map((skill, c) => ({ skill: skill.name, score: (scores[c] ?? 0) / total }))
        .filter((entry) => entry.score > 0)
        .sort((a, b) => b.score - a.score || (a.skill < b.skill ? -1 : 1));
      return { ranked, none: (scores[skills.length] ?? 0) / total, verbatim: known !== undefined };
    },
  };
};
