import type { Skill } from '../../contracts/skill.ts';
import { calibrate, temper } from './calibrate.ts';
import type { Calibration, HeldOut } from './calibrate.ts';
import { Vocabulary, featuresOf, wordsOf } from './features.ts';
import type { Vector } from './features.ts';
import { trainSoftmax } from './softmax.ts';
import type { Sample, SoftmaxModel, Training } from './softmax.ts';
import type { Respell } from './respell.ts';
import { essenceOf } from './speech.ts';
import { isRisky } from './training.ts';

/** How well one text fits each skill. The scores and `none` (it is no order) add up to 1. */
export interface Ranking {
  /** Best first; skills that are excluded by a keyword are missing. */
  ranked: { skill: string; score: number }[];
  none: number;
  /** The text is, word for word, an example of the best one, or a line that is no order. */
  verbatim: boolean;
  /** The bars for scores of this kind: with a sentence vector they are others than without. */
  bars: Pick<Calibration, 'thresholds' | 'risky'>;
}

/** One skill's own examples, each scored by a model that did not see it. */
export interface SkillReport {
  skill: string;
  examples: number;
  /** Examples that such a model gives to this skill. */
  right: number;
  /** Those it gives to another skill or to none (null), with the sentence that caused it. */
  confused: { text: string; with: string | null; score: number }[];
}

export interface Classifier extends Calibration {
  readonly report: readonly SkillReport[];
  /**
   * `respell`: reads back what a recogniser may have written wrongly; a line known word for word stays as it is.
   * `vector`: of `keyOf(text)`; used once `learnVectors` is through.
   */
  rank(text: string, help?: { respell?: Respell; vector?: Float32Array | undefined }): Ranking;
  /** The text is a line that was learnt, word for word. */
  knows(text: string): boolean;
  /** Learns the lines once more by their sentence vectors. @throws what `embed` throws; nothing has changed then. */
  learnVectors(embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>): Promise<void>;
}

/** A line to learn from; label `null` is the none-class. */
interface Line {
  text: string;
  words: readonly string[];
  label: string | null;
}

/** Step and its decay: measured on CLINC150 (10 examples an intent, closed set); flat around these values. */
const TRAINING = { rate: 2, decay: 0.2 };
/** Passes over the lines: for the model that serves, and for those that only set the bars. */
const EPOCHS = { model: 8, heldOut: 6 };
/** The none-lines are many and weigh little each: a third of them in a pass does as well. */
const NONE_EVERY = 3;
/** Parts the lines are divided into: each is scored by a model that did not see it. */
const FOLDS = 2;
/** With more skills than this, passes are counted by the work they are, or learning takes longer than a person waits. */
const MANY_SKILLS = 60;
/** Lines times skills that all passes over them may come to, and the fewest and most passes that makes. */
const MANY_WORK = 3_000_000;
const MANY_EPOCHS = [4, 12] as const;
/** Weights of a model, 4 bytes each. */
const MAX_WEIGHTS = 6_000_000;
/** What a verbatim example counts; never 1, which would say "certain". */
const VERBATIM = 0.99;
/** Odds a keyword of `keywords.any` multiplies a skill by. */
const KEYWORD_ODDS = 2;

/** One form per wording: case, punctuation, spacing, fillers and politeness do not count. */
export const keyOf = (text: string): string => wordsOf(essenceOf(text)).join(' ');

const linesOf = (skills: readonly Skill[], noneLines: readonly string[]): Line[] => {
  const lineOf = (label: string | null) => (text: string) => ({ text, words: wordsOf(essenceOf(text)), label });
  const orders = skills.flatMap(({ name, examples }) => examples.map(lineOf(name)));
  const taken = new Set(orders.map(({ words }) => words.join(' ')));
  // Another skill's example may stand as a negative example here; it is an order all the same.
  const negatives = new Set([...noneLines, ...skills.flatMap((skill) => skill.negative_examples)]);
  return [...orders, ...[...negatives].map(lineOf(null)).filter(({ words }) => !taken.has(words.join(' ')))];
};

/** Step, decay and passes for sentence vectors, and what they are multiplied by; flat around these values on CLINC150. */
const VECTOR_TRAINING = { rate: 0.5, decay: 0.1, epochs: 25 };
const VECTOR_SCALE = 2;
const denseOf = (vector: Float32Array): Vector => ({
  at: Uint32Array.from(vector.keys()),
  weight: vector.map((value) => value * VECTOR_SCALE),
});
/** The geometric mean of two models' probabilities: both have to agree. */
const mixed = (a: Float64Array, b: Float64Array): Float64Array => {
  const product = a.map((value, c) => Math.sqrt(value * (b[c] ?? 0)));
  const total = product.reduce((sum, value) => sum + value, 0) || 1;
  return product.map((value) => value / total);
};

const epochsFor = (lines: number, classes: number): { model: number; heldOut: number } => {
  if (classes <= MANY_SKILLS) return EPOCHS;
  const [fewest, most] = MANY_EPOCHS;
  const model = Math.min(most, Math.max(fewest, Math.floor(MANY_WORK / (lines * classes))));
  return { model, heldOut: Math.ceil(model / 2) };
};

/** A model over samples: the probability of each label. */
const fit = (samples: readonly Sample[], training: Training): Promise<SoftmaxModel> => {
  const { classes } = training;
  const nones = samples.filter(({ label }) => label === classes - 1).length;
  // As a whole the none-lines weigh as much as one skill, however many there are.
  const noneWeight = Math.min(1, (samples.length - nones) / Math.max(1, classes - 1) / Math.max(1, nones));
  return trainSoftmax(
    samples.map((sample) => ({ ...sample, weight: sample.label === classes - 1 ? noneWeight : 1 })),
    training,
  );
};

/** Scores every line by a model that did not see it. */
const holdOut = async (samples: readonly Sample[], training: Training): Promise<HeldOut[]> => {
  const found: HeldOut[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = samples.filter((_, i) => i % FOLDS !== fold);
    const model = await fit(seen, training);
    for (const [i, { vector, label }] of samples.entries())
      if (i % FOLDS === fold) found[i] = { own: label, scores: model.probabilities(vector) };
  }
  return found;
};

const reportOf = (skills: readonly Skill[], lines: readonly Line[], heldOut: readonly HeldOut[]): SkillReport[] =>
  skills.map(({ name }, own) => {
    const confused: SkillReport['confused'] = [];
    let examples = 0;
    for (const [i, { text, label }] of lines.entries()) {
      if (label !== name) continue;
      examples += 1;
      const scores = heldOut[i]?.scores ?? new Float64Array();
      const top = scores.indexOf(Math.max(...scores));
      if (top !== own) confused.push({ text, with: skills[top]?.name ?? null, score: scores[top] ?? 0 });
    }
    return { skill: name, examples, right: examples - confused.length, confused };
  });

/** A skill's keywords as they stand in a key: with a space on either side, so that they are whole words. */
const keywordsOf = ({ keywords: { any, none } }: Skill): { any: string[]; none: string[] } => {
  const inKeys = (phrases: readonly string[]): string[] =>
    phrases.map(keyOf).flatMap((phrase) => (phrase === '' ? [] : [` ${phrase} `]));
  return { any: inKeys(any), none: inKeys(none) };
};

/**
 * Learns the skills from their examples, and what to leave alone from the none-lines and negative examples.
 * Works in slices that leave the process responsive.
 */
export const trainClassifier = async (skills: readonly Skill[], noneLines: readonly string[]): Promise<Classifier> => {
  const labels: (string | null)[] = [...skills.map((skill) => skill.name), null];
  const numberOf = new Map(labels.map((label, i) => [label, i]));
  const lines = linesOf(skills, noneLines);
  const features = lines.map(({ words }) => featuresOf(words));
  const vocabulary = new Vocabulary(features, MAX_WEIGHTS / labels.length);
  const classOf = lines.map(({ label }) => numberOf.get(label) ?? labels.length - 1);
  const samplesOf = (vectorOf: (line: number) => Vector): Sample[] =>
    classOf.map((label, i) => ({ vector: vectorOf(i), label, weight: 1 }));
  const samples = samplesOf((i) => vocabulary.vectorOf(features[i] ?? []));
  const thinned = { label: labels.length - 1, every: NONE_EVERY };
  const shape = { ...TRAINING, classes: labels.length, features: vocabulary.size, thinned };
  const epochs = epochsFor(lines.length, labels.length);
  const model = await fit(samples, { ...shape, epochs: epochs.model });
  const heldOut = await holdOut(samples, { ...shape, epochs: epochs.heldOut });
  const isRiskyClass = (label: number): boolean => {
    const skill = skills[label];
    return skill !== undefined && isRisky(skill);
  };
  const calibration = calibrate(heldOut, isRiskyClass);
  const verbatim = new Map<string, Set<string | null>>();
  for (const { words, label } of lines) {
    const key = words.join(' ');
    verbatim.set(key, (verbatim.get(key) ?? new Set()).add(label));
  }
  const keywords = skills.map(keywordsOf);

  let second: { model: SoftmaxModel; calibration: Calibration } | undefined;

  return {
    ...calibration,
    report: reportOf(
      skills,
      lines,
      heldOut.map(({ own, scores }) => ({ own, scores: temper(scores, calibration) })),
    ),
    knows: (text) => verbatim.has(keyOf(text)),
    learnVectors: async (embed) => {
      const vectors = await embed(lines.map(({ words }) => words.join(' ')));
      const dense = samplesOf((i) => denseOf(vectors[i] ?? new Float32Array()));
      const training = { ...VECTOR_TRAINING, classes: labels.length, features: vectors[0]?.length ?? 0 };
      const unseen = await holdOut(dense, training);
      const both = unseen.map(({ own, scores }, i) => ({ own, scores: mixed(heldOut[i]?.scores ?? scores, scores) }));
      second = { model: await fit(dense, training), calibration: calibrate(both, isRiskyClass) };
    },
    rank: (text, { respell, vector } = {}) => {
      let words = wordsOf(essenceOf(text));
      let key = words.join(' ');
      const known = verbatim.get(key);
      const respelled = known || !respell ? text : respell(text);
      if (respelled !== text) {
        words = wordsOf(essenceOf(respelled));
        key = words.join(' ');
      }
      const plain = model.probabilities(vocabulary.vectorOf(featuresOf(words)));
      const whole = second && vector && mixed(plain, second.model.probabilities(denseOf(vector)));
      const bars = second && whole ? second.calibration : calibration;
      const scores = temper(whole ?? plain, bars);
      if (known) {
        const others = scores.reduce((sum, value, c) => sum + (known.has(labels[c] ?? null) ? 0 : value), 0) || 1;
        for (let c = 0; c < scores.length; c++)
          scores[c] = known.has(labels[c] ?? null)
            ? VERBATIM / known.size
            : ((1 - VERBATIM) * (scores[c] ?? 0)) / others;
      }
      const spaced = ` ${key} `;
      for (const [c, { any, none }] of keywords.entries()) {
        if (none.some((phrase) => spaced.includes(phrase))) scores[c] = 0;
        else if (!known && any.some((phrase) => spaced.includes(phrase))) scores[c] = (scores[c] ?? 0) * KEYWORD_ODDS;
      }
      const total = scores.reduce((sum, value) => sum + value, 0) || 1;
      const ranked = skills
        .map((skill, c) => ({ skill: skill.name, score: (scores[c] ?? 0) / total }))
        .filter((entry) => entry.score > 0)
        .sort((a, b) => b.score - a.score || (a.skill < b.skill ? -1 : 1));
      return { ranked, none: (scores[skills.length] ?? 0) / total, verbatim: known !== undefined, bars };
    },
  };
};
