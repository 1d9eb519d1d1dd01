import type { DependencyCondition } from '../../contracts/names.ts';
import { runningOrder } from '../routing/order.ts';
import type { RouteResult } from '../routing/router.ts';
import type { Expected, ExpectedClause, LabelledSentence } from './labelled.ts';

/** How one sentence went. */
export interface Outcome {
  sentence: LabelledSentence;
  result: RouteResult;
  /** The decision and, for a dispatch, the skills of its clauses in running order are as expected. */
  exact: boolean;
  /** Exact, and clauses wait for each other as expected. */
  ordered: boolean;
  /** Exact, and the expected parameters have the expected values. */
  filled: boolean;
  /** Jobs that would start and that nobody asked for. */
  spurious: number;
}

/** "getUser", "get_user" and "Get user" are the same words. */
const asWords = (value: unknown): string =>
  String(value)
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Where the clauses come in running order; those in a circle are left out and count as wrong. */
const inRunningOrder = (clauses: RouteResult['clauses']): number[] =>
  runningOrder(clauses.map(({ depends_on }) => depends_on.map(({ clause }) => clause)));

const fits = (expected: readonly ExpectedClause[], result: RouteResult, order: readonly number[]): boolean =>
  expected.length === order.length &&
  expected.every(({ skills }, i) => skills.includes(result.clauses[order[i] ?? 0]?.skill ?? ''));

const waitsAsSaid = (expected: readonly ExpectedClause[], result: RouteResult, order: readonly number[]): boolean =>
  expected.every(({ after }, i) => {
    const waits = result.clauses[order[i] ?? 0]?.depends_on ?? [];
    return after === null
      ? i > 0 || waits.length === 0
      : waits.some(({ clause, when }) => clause === order[i - 1] && when === after);
  });

const filledAsSaid = (expected: readonly ExpectedClause[], result: RouteResult, order: readonly number[]): boolean =>
  expected.every(({ parameters }, i) =>
    Object.entries(parameters).every(
      ([name, value]) => asWords(result.clauses[order[i] ?? 0]?.parameters[name]) === value,
    ),
  );

const spuriousOf = (expected: Expected, result: RouteResult): number => {
  if (result.decision !== 'dispatch') return 0;
  const wanted = expected.kind === 'dispatch' ? expected.clauses.map(({ skills }) => skills) : [];
  const left = [...wanted];
  let spurious = 0;
  for (const { skill } of result.clauses) {
    const at = left.findIndex((skills) => skills.includes(skill ?? ''));
    if (at < 0) spurious += 1;
    else left.splice(at, 1);
  }
  return spurious;
};

/** Compares what became of a sentence with what a person expects. */
export const outcomeOf = (sentence: LabelledSentence, result: RouteResult): Outcome => {
  const { expected } = sentence;
  const spurious = spuriousOf(expected, result);
  const plain = (exact: boolean): Outcome => ({ sentence, result, exact, ordered: exact, filled: exact, spurious });
  switch (expected.kind) {
    case 'none':
      return plain(result.decision === 'decline');
    case 'ask':
      return plain(
        result.decision === 'clarify' &&
          (expected.skill === null || result.clauses.some(({ ask, skill }) => ask && skill === expected.skill)),
      );
    case 'control':
      return plain(
        result.decision === 'control' &&
          result.control?.action === expected.action &&
          result.control.target === expected.target,
      );
    case 'dispatch': {
      const order = inRunningOrder(result.clauses);
      const exact = result.decision === 'dispatch' && fits(expected.clauses, result, order);
      return {
        sentence,
        result,
        exact,
        ordered: exact && waitsAsSaid(expected.clauses, result, order),
        filled: exact && filledAsSaid(expected.clauses, result, order),
        spurious,
      };
    }
  }
};

export interface OwnFigures {
  sentences: number;
  exact: number;
  ordered: number;
  filled: number;
  /** Spurious jobs as a share of all jobs started. */
  spurious: number;
  /** Exact share by tag. */
  byTag: Record<string, { exact: number; sentences: number }>;
}

const share = (outcomes: readonly Outcome[], key: 'exact' | 'ordered' | 'filled'): number =>
  outcomes.filter((outcome) => outcome[key]).length / Math.max(1, outcomes.length);

/** The shares, between 0 and 1. */
export const figuresOf = (outcomes: readonly Outcome[]): OwnFigures => {
  const byTag: OwnFigures['byTag'] = {};
  for (const { sentence, exact } of outcomes)
    for (const tag of sentence.tags) {
      const row = (byTag[tag] ??= { exact: 0, sentences: 0 });
      row.sentences += 1;
      if (exact) row.exact += 1;
    }
  const started = outcomes.reduce(
    (sum, { result }) => sum + (result.decision === 'dispatch' ? result.clauses.length : 0),
    0,
  );
  return {
    sentences: outcomes.length,
    exact: share(outcomes, 'exact'),
    ordered: share(outcomes, 'ordered'),
    filled: share(outcomes, 'filled'),
    spurious: outcomes.reduce((sum, outcome) => sum + outcome.spurious, 0) / Math.max(1, started),
    byTag,
  };
};

const MARKS: Record<DependencyCondition, string> = { succeeded: '>', failed: '!>', finished: '=>' };

/** What became of a sentence, written as its label would be. */
export const labelOf = (result: RouteResult, withParameters: boolean): string => {
  switch (result.decision) {
    case 'decline':
      return 'none';
    case 'control':
      return ['control', result.control?.action, result.control?.target].filter(Boolean).join(':');
    case 'clarify': {
      const asked = result.clauses.find(({ ask }) => ask);
      return asked?.skill ? `ask:${asked.skill}` : 'ask';
    }
    case 'dispatch': {
      const order = inRunningOrder(result.clauses);
      return order
        .map((at, i) => {
          const { skill, parameters = {}, depends_on = [] } = result.clauses[at] ?? {};
          const waits = depends_on.find(({ clause }) => clause === order[i - 1]);
          const mark = i === 0 ? '' : `${waits ? MARKS[waits.when] : '#'} `;
          const values = Object.entries(parameters).map(([name, value]) => `${name}=${asWords(value)}`);
          return `${mark}${skill ?? 'none'}${withParameters && values.length > 0 ? `{${values.join(';')}}` : ''}`;
        })
        .join(' ');
    }
  }
};

/** How often what was expected became what. */
export interface Confusion {
  expected: string;
  got: string;
  count: number;
}

/** More than one order, where one clause cannot be held against one clause. */
const SEVERAL = 'several';

const classOf = ({ decision, clauses }: RouteResult): string => {
  if (decision === 'decline') return 'none';
  if (decision === 'clarify') return 'ask';
  if (decision === 'control') return 'control';
  return clauses.length === 1 ? (clauses[0]?.skill ?? 'none') : SEVERAL;
};

/** A sentence's clauses beside what a person expects: skills, or `none`, `ask`, `control`, `several`. */
const pairsOf = ({ sentence: { expected }, result }: Outcome): [string, string][] => {
  if (expected.kind !== 'dispatch') return [[expected.kind, classOf(result)]];
  const { clauses } = expected;
  const order = inRunningOrder(result.clauses);
  if (result.decision !== 'dispatch' || order.length !== clauses.length)
    return [[clauses.length === 1 ? (clauses[0]?.skills[0] ?? 'none') : SEVERAL, classOf(result)]];
  return clauses.map(({ skills }, i) => {
    const got = result.clauses[order[i] ?? 0]?.skill ?? 'none';
    return [skills.includes(got) ? got : (skills[0] ?? 'none'), got];
  });
};

/**
 * What was expected against what came out, clause by clause. A sentence of several orders that was asked about, left
 * alone or cut into another number of orders counts once, as `several`.
 */
export const confusionOf = (outcomes: readonly Outcome[]): Confusion[] => {
  const counts = new Map<string, Confusion>();
  for (const [expected, got] of outcomes.flatMap(pairsOf)) {
    const key = `${expected}\t${got}`;
    const cell = counts.get(key) ?? { expected, got, count: 0 };
    cell.count += 1;
    counts.set(key, cell);
  }
  return [...counts.values()].sort((a, b) =>
    a.expected === b.expected ? (a.got < b.got ? -1 : 1) : a.expected < b.expected ? -1 : 1,
  );
};
