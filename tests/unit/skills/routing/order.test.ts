import { describe, expect, it } from '@jest/globals';
import { orderClauses } from '../../../../skills/routing/order.ts';
import type { Link } from '../../../../skills/routing/split.ts';

/** Clauses as `link` words; `(link)` is no order, `link/trailing` has a condition at its end. */
const order = (...links: string[]): string[] =>
  orderClauses(
    links.map((word) => {
      const [link, trailing] = word.replace(/[()]/g, '').split('/') as [Link, Link?];
      return { link, trailing: trailing ?? null, kept: !word.startsWith('(') };
    }),
  ).map((dependencies) => dependencies.map(({ clause, when }) => `${clause} ${when}`).join(', '));

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
    [
      'A, if it fails B, then C: C comes whether or not B was needed',
      ['with', 'failed', 'succeeded'],
      ['', '0 failed', '1 finished'],
    ],
    ['a sentence that begins with "then"', ['succeeded', 'with'], ['', '']],
    ['A, then small talk, and B: B still comes after', ['with', '(succeeded)', 'with'], ['', '0 succeeded']],
    ['small talk, then A', ['(with)', 'succeeded'], ['']],
  ])('%s', (_, clauses, dependencies) => {
    expect(order(...clauses)).toEqual(dependencies);
  });
});
