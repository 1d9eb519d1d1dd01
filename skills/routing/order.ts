import type { DependencyCondition } from '../../contracts/names.ts';
import type { Link } from './split.ts';

/** What ordering needs to know of a clause. `kept`: it is an order and becomes a job. */
export interface Linked {
  link: Link;
  trailing: Link | null;
  kept: boolean;
}

type Dependency = { clause: number; when: DependencyCondition };

/**
 * Who waits for whom, for the kept clauses in order. "and" puts a clause beside the one before it; "then" puts it after
 * all that stand beside each other before it; "if it fails" after the last one; "either way" after everything so far.
 * A "then" behind an "if it fails" waits for the exception to be over, whether or not it was needed.
 */
export const orderClauses = (clauses: readonly Linked[]): Dependency[][] => {
  const result: Dependency[][] = [];
  let beside: number[] = [];
  let base: Dependency[] = [];
  let conditional = false;
  let carried: Link = 'with';
  const everything = (when: DependencyCondition): Dependency[] => result.map((_, clause) => ({ clause, when }));
  for (const { link: own, trailing, kept } of clauses) {
    const said: Link = trailing ?? own;
    const link: Link = said === 'with' ? carried : said;
    if (!kept) {
      // "then have a break, and deploy": what comes next still comes after.
      if (link !== 'with' && result.length > 0) carried = link;
      continue;
    }
    carried = 'with';
    const at = result.length;
    if (at === 0) {
      beside = [0];
      result.push([]);
      continue;
    }
    switch (link) {
      case 'with':
        beside = [...beside, at];
        break;
      case 'succeeded':
        base = conditional
          ? beside.map((clause) => ({ clause, when: 'finished' }))
          : beside.map((clause) => ({ clause, when: 'succeeded' }));
        beside = [at];
        conditional = false;
        break;
      case 'failed':
        base = [{ clause: beside.at(-1) ?? at - 1, when: 'failed' }];
        beside = [at];
        conditional = true;
        break;
      case 'finished':
        base = everything('finished');
        beside = [at];
        conditional = false;
        break;
    }
    result.push(base);
  }
  return result;
};
