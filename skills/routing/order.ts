import type { DependencyCondition } from '../../contracts/names.ts';
import type { Link } from './connectives.ts';

/** What ordering needs to know of a clause. `kept`: it is an order and becomes a job. */
export interface Linked {
  link: Link;
  trailing: Link | null;
  /** The link is a condition ("if it passes"), not merely an order of time ("then"). */
  condition: boolean;
  kept: boolean;
}

type Dependency = { clause: number; when: DependencyCondition };

/**
 * Who waits for whom, for the kept clauses in order. "and" puts a clause beside the one before it; "then" puts it after
 * all that stand beside each other before it; "if it fails" after the last one; "either way" after everything so far;
 * "but only after …" before the last one, which then waits for it. A "then" behind an "if it fails" waits for the
 * exception to be over, whether or not it was needed. Two conditions in a row speak of the same thing:
 * "if it passes, deploy, if it fails, fix it".
 */
export const orderClauses = (clauses: readonly Linked[]): Dependency[][] => {
  const result: Dependency[][] = [];
  let beside: number[] = [];
  let base: Dependency[] = [];
  let conditional = false;
  let carried: Link = 'with';
  const everything = (when: DependencyCondition): Dependency[] => result.map((_, clause) => ({ clause, when }));
  /** What a condition just spoke of. */
  let spokenOf: number[] | null = null;
  /** The link of the condition just before, which "otherwise" turns round. */
  let turned: Link | null = null;
  for (const { link: own, trailing, condition, kept } of clauses) {
    const said: Link = trailing ?? own;
    const otherwise: boolean = said === 'failed' && !condition && turned !== null;
    const link: Link = otherwise && turned === 'failed' ? 'succeeded' : said === 'with' ? carried : said;
    if (!kept) {
      // "if they fail stop, otherwise deploy"
      if (condition && result.length > 0) {
        spokenOf ??= beside;
        turned = link;
        continue;
      }
      // "then have a break, and deploy": what comes next still comes after.
      if (link !== 'with' && result.length > 0) carried = link;
      continue;
    }
    carried = 'with';
    const at = result.length;
    const same: number[] = (condition || otherwise ? spokenOf : null) ?? beside;
    if (at === 0) {
      beside = [0];
      result.push([]);
      continue;
    }
    switch (link) {
      case 'with':
        beside = [...beside, at];
        break;
      case 'first': {
        const last = beside.at(-1) ?? at - 1;
        result.push(result[last] ?? []);
        result[last] = [{ clause: at, when: 'succeeded' }];
        continue;
      }
      case 'succeeded':
        base =
          conditional && same === beside && !otherwise
            ? beside.map((clause) => ({ clause, when: 'finished' }))
            : same.map((clause) => ({ clause, when: 'succeeded' }));
        beside = [at];
        conditional = false;
        break;
      case 'failed':
        base = [{ clause: same.at(-1) ?? at - 1, when: 'failed' }];
        beside = [at];
        conditional = true;
        break;
      case 'finished':
        base = everything('finished');
        beside = [at];
        conditional = false;
        break;
    }
    spokenOf = condition ? same : null;
    turned = condition ? link : null;
    result.push(base);
  }
  return result;
};

/**
 * Indices in an order in which they can run: what waits comes after what it waits for, otherwise as given. What waits
 * in a circle is left out.
 */
export const runningOrder = (waitsFor: readonly (readonly number[])[]): number[] => {
  const order: number[] = [];
  for (;;) {
    const next = waitsFor.findIndex((first, i) => !order.includes(i) && first.every((index) => order.includes(index)));
    if (next < 0) return order;
    order.push(next);
  }
};

/** The clauses, what waits behind what it waits for, with the indices in `depends_on` changed to match. */
export const inRunningOrder = <T extends { depends_on: Dependency[] }>(clauses: readonly T[]): T[] => {
  const placed = runningOrder(clauses.map(({ depends_on }) => depends_on.map(({ clause }) => clause)));
  const order = [...placed, ...[...clauses.keys()].filter((i) => !placed.includes(i))];
  return order.map((from) => {
    const clause = clauses[from] as T;
    return {
      ...clause,
      depends_on: clause.depends_on.map(({ clause: on, when }) => ({ clause: order.indexOf(on), when })),
    };
  });
};
