import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Link } from '../../../../skills/routing/connectives.ts';
import { inRunningOrder, orderClauses } from '../../../../skills/routing/order.ts';
import type { Linked } from '../../../../skills/routing/order.ts';

/** Clauses as `link` words; `(link)` is no order, `link/trailing` has a condition at its end, `if-link` is a condition. */
const linked = (links: readonly string[]): Linked[] =>
  links.map((word) => {
    const [link, trailing] = word.replace(/[()]|if-/g, '').split('/') as [Link, Link?];
    const condition = link === 'failed' || trailing === 'failed' || word.includes('if-');
    return { link, trailing: trailing ?? null, condition, kept: !word.startsWith('(') };
  });
const order = (...links: string[]): string[] =>
  orderClauses(linked(links)).map((dependencies) =>
    dependencies.map(({ clause, when }) => `${clause} ${when}`).join(', '),
  );

describe('orderClauses', () => {
  it.each<[string, string[], string[]]>([
    ['A and B: beside each other', ['with', 'with'], ['', '']],
    ['A then B', ['with', 'succeeded'], ['', '0 succeeded']],
    ['A and B, then C: after both', ['with', 'with', 'succeeded'], ['', '', '0 succeeded, 1 succeeded']],
    ['A, then B and C: both after A', ['with', 'succeeded', 'with'], ['', '0 succeeded', '0 succeeded']],
    ['A, then B, then C: a chain', ['with', 'succeeded', 'succeeded'], ['', '0 succeeded', '1 succeeded']],
    ['A, if it fails B', ['with', 'failed'], ['', '0 failed']],
    ['A, B if it fails', ['with', 'with/failed'], ['', '0 failed']],
    ['A, if it fails B, either way C', ['with', 'failed', 'finished'], ['', '0 failed', '0 finished, 1 finished']],
    ['A, either way B, then C', ['with', 'finished', 'succeeded'], ['', '0 finished', '1 succeeded']],
    [
      'A, if it fails B, then C: C comes whether or not B was needed',
      ['with', 'failed', 'succeeded'],
      ['', '0 failed', '1 finished'],
    ],
    [
      'A, if it passes B, if it fails C: both speak of A',
      ['with', 'if-succeeded', 'failed'],
      ['', '0 succeeded', '0 failed'],
    ],
    [
      'A, if it fails B, if it passes C: both speak of A',
      ['with', 'failed', 'if-succeeded'],
      ['', '0 failed', '0 succeeded'],
    ],
    ['A then B, if it fails C: B failed', ['with', 'succeeded', 'failed'], ['', '0 succeeded', '1 failed']],
    ['A, but only after B: A waits', ['with', 'first'], ['1 succeeded', '']],
    ['before A, B, then C', ['with', 'first', 'succeeded'], ['1 succeeded', '', '0 succeeded']],
    [
      'A, then B, but only after C: C takes the place of B behind A',
      ['with', 'succeeded', 'first'],
      ['', '2 succeeded', '0 succeeded'],
    ],
    ['a sentence that begins with "then"', ['succeeded', 'with'], ['', '']],
    ['A, then small talk, and B: B still comes after', ['with', '(succeeded)', 'with'], ['', '0 succeeded']],
    ['small talk, then A', ['(with)', 'succeeded'], ['']],
    ['small talk only', ['(with)', '(succeeded)'], []],
    ['nothing', [], []],
  ])('%s', (_, clauses, dependencies) => {
    expect(order(...clauses)).toEqual(dependencies);
  });
});

describe('inRunningOrder', () => {
  const run = (...links: string[]): [string, string][] =>
    inRunningOrder(orderClauses(linked(links)).map((depends_on, i) => ({ name: 'ABCDEF'.charAt(i), depends_on }))).map(
      ({ name, depends_on }) => [name, depends_on.map(({ clause, when }) => `${clause} ${when}`).join(', ')],
    );

  it('puts what waits behind what it waits for, and leaves the rest as it was said', () => {
    expect(run('with', 'first', 'with')).toEqual([
      ['B', ''],
      ['A', '0 succeeded'],
      ['C', ''],
    ]);
    expect(run('with', 'succeeded', 'first')).toEqual([
      ['A', ''],
      ['C', '0 succeeded'],
      ['B', '1 succeeded'],
    ]);
    expect(run('with', 'with', 'succeeded').map(([name]) => name)).toEqual(['A', 'B', 'C']);
  });

  it('loses nobody, even in a ring that cannot be', () => {
    const ring = [1, 0].map((clause) => ({ depends_on: [{ clause, when: 'succeeded' as const }] }));
    expect(inRunningOrder(ring)).toHaveLength(2);
    expect(inRunningOrder([])).toEqual([]);
  });

  it('any links: everybody is there once and waits for earlier ones only', () => {
    const links = fc.array(
      fc.constantFrom(
        ...['with', 'succeeded', 'failed', 'finished', 'first', 'with/failed', '(with)', '(succeeded)', '(first)'],
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(links, (said) => {
        const kept = linked(said);
        const found = inRunningOrder(orderClauses(kept).map((depends_on, name) => ({ name, depends_on })));
        expect(found.map(({ name }) => name).toSorted()).toEqual(kept.filter((clause) => clause.kept).map((_, i) => i));
        for (const [i, { depends_on }] of found.entries())
          for (const { clause } of depends_on) {
            expect(clause).toBeGreaterThanOrEqual(0);
            expect(clause).toBeLessThan(i);
          }
      }),
      { numRuns: 500 },
    );
  });
});
