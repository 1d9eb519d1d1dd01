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
  /** First step size; pass n uses `rate / (1 + decay * n)`. */
  rate: number;
  decay: number;
}

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

  const probabilities = ({ at, weight }: Vector): Float64Array => {
    const scores = Float64Array.from(bias);
    for (let i = 0; i < at.length; i++) {
      const row = (at[i] as number) * classes;
      const value = weight[i] as number;
      for (let c = 0; c < classes; c++) scores[c] = (scores[c] as number) + value * (weights[row + c] as number);
    }
    const top = Math.max(...scores);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += scores[c] = Math.exp((scores[c] as number) - top);
    for (let c = 0; c < classes; c++) scores[c] = (scores[c] as number) / sum;
    return scores;
  };

  const learn = ({ vector, label, weight: importance }: Sample, step: number): void => {
    const error = probabilities(vector);
    error[label] = (error[label] as number) - 1;
    const { at, weight } = vector;
    for (let c = 0; c < classes; c++) {
      error[c] = (error[c] as number) * importance * step;
      bias[c] = (bias[c] as number) - (error[c] as number);
    }
    for (let i = 0; i < at.length; i++) {
      const row = (at[i] as number) * classes;
      const value = weight[i] as number;
      for (let c = 0; c < classes; c++) weights[row + c] = (weights[row + c] as number) - (error[c] as number) * value;
    }
  };

  const breathe = createBreather();
  for (let epoch = 0; epoch < training.epochs; epoch++) {
    const step = rate / (1 + decay * epoch);
    for (const i of shuffled(samples.length, epoch + 1)) {
      learn(samples[i] as Sample, step);
      await breathe();
    }
  }
  return { probabilities };
};
