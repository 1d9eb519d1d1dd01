import { createBreather } from './breathe.ts';
import type { Vector } from './features.ts';

/** A vector and the class it belongs to. `weight`: how much it counts; 1 is usual. */
export interface Sample {
  vector: Vector;
  label: number;
  weight: number;
}

export interface SoftmaxModel {
  /** The probability of each class. */
  probabilities(vector: Vector): Float64Array;
}

export interface Training {
  classes: number;
  features: number;
  /** Passes over the samples. */
  epochs: number;
  /** Of this label's samples every `every`-th takes part in a pass, in turn and with `every` times its weight. */
  thinned?: { label: number; every: number };
  /** First step size; pass n uses `rate / (1 + decay * n)`. */
  rate: number;
  decay: number;
}

/** A sample given this probability already teaches nothing more; classes this far from being concerned are not touched. */
const WELL_KNOWN = 0.99;
const TOO_SMALL = 0.0005;

/** A shuffled order of 0..n-1 that is the same every time: training must not depend on chance. */
const shuffled = (n: number, seed: number): number[] => {
  let state = seed >>> 0 || 1;
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
};

/** Multinomial logistic regression, trained by stochastic gradient descent in slices of a few milliseconds. */
export const trainSoftmax = async (samples: readonly Sample[], training: Training): Promise<SoftmaxModel> => {
  const { classes, features, rate, decay } = training;
  const weights = new Float32Array(features * classes);
  const bias = new Float64Array(classes);

  const fill = (scores: Float64Array, { at, weight }: Vector): void => {
    scores.set(bias);
    for (let i = 0; i < at.length; i++) {
      const row = (at[i] as number) * classes;
      const value = weight[i] as number;
      for (let c = 0; c < classes; c++) scores[c] = (scores[c] as number) + value * (weights[row + c] as number);
    }
    let top = -Infinity;
    for (let c = 0; c < classes; c++) if ((scores[c] as number) > top) top = scores[c] as number;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += scores[c] = Math.exp((scores[c] as number) - top);
    for (let c = 0; c < classes; c++) scores[c] = (scores[c] as number) / sum;
  };

  const error = new Float64Array(classes);
  const touched = new Int32Array(classes);
  const learn = ({ vector, label, weight: importance }: Sample, step: number): void => {
    fill(error, vector);
    if ((error[label] as number) > WELL_KNOWN) return;
    error[label] = (error[label] as number) - 1;
    let count = 0;
    for (let c = 0; c < classes; c++) {
      if (Math.abs(error[c] as number) < TOO_SMALL) continue;
      error[c] = (error[c] as number) * importance * step;
      bias[c] = (bias[c] as number) - (error[c] as number);
      touched[count++] = c;
    }
    const { at, weight } = vector;
    for (let i = 0; i < at.length; i++) {
      const row = (at[i] as number) * classes;
      const value = weight[i] as number;
      for (let k = 0; k < count; k++) {
        const c = touched[k] as number;
        weights[row + c] = (weights[row + c] as number) - (error[c] as number) * value;
      }
    }
  };

  const breathe = createBreather();
  for (let epoch = 0; epoch < training.epochs; epoch++) {
    const step = rate / (1 + decay * epoch);
    const { label: thin, every } = training.thinned ?? { label: -1, every: 1 };
    for (const i of shuffled(samples.length, epoch + 1)) {
      const sample = samples[i] as Sample;
      if (sample.label !== thin) learn(sample, step);
      else if (i % every === epoch % every) learn({ ...sample, weight: sample.weight * every }, step);
      if (breathe.due()) await breathe();
    }
  }
  return {
    probabilities: (vector) => {
      const scores = new Float64Array(classes);
      fill(scores, vector);
      return scores;
    },
  };
};
