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

export interface Calibration {
  /** What the odds of "no order" are multiplied by. */
  noneOdds: number;
  thresholds: Thresholds;
}

/** Multiples tried for the odds of "no order": few skills beside many none-lines are shouted down without it. */
const NONE_ODDS = [1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.09, 0.06, 0.04, 0.03, 0.02];
/** Carrying out what was no order is this many times as bad as missing an order. */
const WRONG_COST = 2;
/** Share of held-out lines that are no order and may pass the upper bar; share of orders that may miss the lower one. */
const NONE_ACCEPTED = 0.05;
const ORDERS_MISSED = 0.1;
/** What no data may move the bars out of. */
const ACCEPT_RANGE = [0.4, 0.6] as const;
const CLARIFY_RANGE = [0.3, 0.5] as const;
/** The bars when nothing was held out. */
const DEFAULTS: Thresholds = { accept: 0.5, clarify: 0.4 };

/** The probabilities with the odds of "no order" multiplied. */
export const temper = (scores: Float64Array, noneOdds: number): Float64Array => {
  const none = scores.length - 1;
  const changed = scores.map((value, c) => (c === none ? value * noneOdds : value));
  const total = changed.reduce((sum, value) => sum + value, 0) || 1;
  return changed.map((value) => value / total);
};

const quantile = (values: readonly number[], share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

const within = (value: number, [low, high]: readonly [number, number]): number => Math.min(high, Math.max(low, value));

const share = (values: readonly number[], test: (value: number) => boolean): number =>
  values.length === 0 ? 0 : values.filter(test).length / values.length;

/** The right skill's score of each order, and the best skill's score of each line that is none. */
const scoresUnder = (samples: readonly HeldOut[], noneOdds: number): { orders: number[]; others: number[] } => {
  const orders: number[] = [];
  const others: number[] = [];
  for (const { own, scores } of samples) {
    const changed = temper(scores, noneOdds);
    if (own === scores.length - 1) others.push(Math.max(0, ...changed.subarray(0, -1)));
    else orders.push(changed[own] ?? 0);
  }
  return { orders, others };
};

/** Balances missed orders against wrongly accepted lines, then sets the two bars, all on held-out lines. */
export const calibrate = (samples: readonly HeldOut[]): Calibration => {
  let best = { noneOdds: 1, loss: Infinity };
  for (const noneOdds of NONE_ODDS) {
    const { orders, others } = scoresUnder(samples, noneOdds);
    const loss = share(orders, (value) => value < 0.5) + WRONG_COST * share(others, (value) => value >= 0.5);
    if (loss < best.loss) best = { noneOdds, loss };
  }
  const { orders, others } = scoresUnder(samples, best.noneOdds);
  const accept = within(quantile(others, 1 - NONE_ACCEPTED) ?? DEFAULTS.accept, ACCEPT_RANGE);
  const clarify = within(quantile(orders, ORDERS_MISSED) ?? DEFAULTS.clarify, CLARIFY_RANGE);
  return { noneOdds: best.noneOdds, thresholds: { accept, clarify: Math.min(clarify, accept) } };
};
