/** From which score on an order is carried out, and from which on a person is asked. */
export interface Thresholds {
  accept: number;
  clarify: number;
}

/** How one line was scored by a model that did not see it. The none-class is the last of `scores`. */
export interface HeldOut {
  /** Index of the class it belongs to. */
  own: number;
  scores: Float64Array;
}

/** What raw scores are corrected by. */
export interface Correction {
  /** Divides the logarithms of the scores: above 1 the model was too sure of itself, below 1 not sure enough. */
  temperature: number;
  /** What the odds of "no order" are multiplied by, so that the bar for an order lies near one half. */
  noneOdds: number;
}

export interface Calibration extends Correction {
  thresholds: Thresholds;
  /** For skills whose mistakes cost more: `writes_remote` and `irreversible`. */
  risky: Thresholds;
  /** Held-out shares at the thresholds: what the figures above come to. */
  missed: number;
  accepted: number;
}

const TEMPERATURES = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2];
/** Held-out lines that are no order and may be carried out, and those a person may be asked about in vain. */
const NONE_ACCEPTED = 0.02;
const NONE_ASKED = 0.06;
/** Where orders and others lie far apart, the upper bar goes up to where it would cost this share of the orders. */
const ORDERS_UNSURE = 0.04;
/** The lower bar costs at most this share of them. */
const ORDERS_MISSED = 0.15;
/** Held-out lines that are no order and that a risky skill may carry out. */
const RISKY_ACCEPTED = 0.002;
/** The bars when too little was held out to say anything. */
const DEFAULTS: Thresholds = { accept: 0.6, clarify: 0.4 };
const ENOUGH = 20;
const LEAST_ODDS = 0.02;

/** The probabilities after correction. */
export const temper = (scores: Float64Array, { temperature, noneOdds }: Correction): Float64Array => {
  const none = scores.length - 1;
  let total = 0;
  const changed = scores.map((value, c) => {
    const power = (temperature === 1 ? value : value ** (1 / temperature)) * (c === none ? noneOdds : 1);
    total += power;
    return power;
  });
  return changed.map((value) => value / (total || 1));
};

/** Minus the logarithm of the right class's probability, summed. */
const surprise = (logs: readonly { own: number; logs: Float64Array }[], temperature: number): number => {
  let sum = 0;
  for (const { own, logs: values } of logs) {
    let total = 0;
    for (const value of values) total += Math.exp(value / temperature);
    sum += Math.log(total) - (values[own] ?? 0) / temperature;
  }
  return sum;
};
/** Lines that the temperature is set by: it moves little with more. */
const MEASURED = 600;

/** The value below which a share of the values lies. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(sorted.length * share)))] ?? 0;

const shareFrom = (values: readonly number[], bar: number): number =>
  values.length === 0 ? 0 : values.filter((value) => value >= bar).length / values.length;

const best = (scores: Float64Array): number => Math.max(0, ...scores.subarray(0, -1));

interface Bars {
  accept: number;
  clarify: number;
  risky: number;
  missed: number;
  accepted: number;
}

const barsOf = (
  samples: readonly HeldOut[],
  correction: Correction,
  isRiskyClass: (label: number) => boolean,
): Bars | null => {
  const orders: number[] = [];
  const others: number[] = [];
  /** What a risky skill would make of each line that is no order; 0 where another skill comes first. */
  const byRisky: number[] = [];
  for (const { own, scores } of samples) {
    const tempered = temper(scores, correction);
    const top = best(tempered);
    if (own !== scores.length - 1) orders.push(top);
    else {
      others.push(top);
      byRisky.push(isRiskyClass(tempered.indexOf(top)) ? top : 0);
    }
  }
  if (orders.length < ENOUGH || others.length < ENOUGH) return null;
  orders.sort((a, b) => a - b);
  others.sort((a, b) => a - b);
  const accept = Math.max(quantile(others, 1 - NONE_ACCEPTED), quantile(orders, ORDERS_UNSURE));
  const clarify = Math.min(accept, quantile(others, 1 - NONE_ASKED), quantile(orders, ORDERS_MISSED));
  const risky = Math.max(
    accept,
    quantile(
      byRisky.sort((a, b) => a - b),
      1 - RISKY_ACCEPTED,
    ),
  );
  return { accept, clarify, risky, missed: 1 - shareFrom(orders, clarify), accepted: shareFrom(others, accept) };
};

/**
 * Sets temperature, the odds of "no order", and the bars, on lines scored by models that did not see them.
 * `isRiskyClass`: of the classes, which are skills whose mistakes cost more; default: all.
 */
export const calibrate = (
  samples: readonly HeldOut[],
  isRiskyClass: (label: number) => boolean = () => true,
): Calibration => {
  let temperature = 1;
  let least = Infinity;
  const every = Math.max(1, Math.floor(samples.length / MEASURED));
  const logs = samples
    .filter((_, i) => i % every === 0)
    .map(({ own, scores }) => ({ own, logs: scores.map((value) => Math.log(Math.max(1e-9, value))) }));
  for (const candidate of TEMPERATURES) {
    const loss = surprise(logs, candidate);
    if (loss < least) [temperature, least] = [candidate, loss];
  }
  const raw = barsOf(samples, { temperature, noneOdds: 1 }, isRiskyClass);
  const noneOdds = raw ? Math.min(1, Math.max(LEAST_ODDS, raw.accept / (1 - raw.accept))) : 1;
  const bars = barsOf(samples, { temperature, noneOdds }, isRiskyClass);
  if (!bars) return { temperature, noneOdds, thresholds: DEFAULTS, risky: DEFAULTS, missed: 0, accepted: 0 };
  const { accept, clarify, risky, missed, accepted } = bars;
  return {
    temperature,
    noneOdds,
    thresholds: { accept, clarify },
    risky: { accept: risky, clarify },
    missed,
    accepted,
  };
};
