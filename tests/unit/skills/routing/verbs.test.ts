import { expect, it } from '@jest/globals';
import { verbsOf } from '../../../../skills/routing/verbs.ts';
import { madeSkill } from '../../../fakes/fixed-registry.ts';

it('words that begin orders: the common ones, and those that begin two examples, politeness left out', () => {
  const skills = [
    madeSkill({
      name: 'a',
      examples: ['polish the spoons', 'wind the clock', 'the clock', 'the spoons', 'do it', 'do that'],
    }),
    madeSkill({ name: 'b', examples: ['could you please polish the forks', 'stop winding the clock'] }),
  ];
  const verbs = verbsOf(skills);
  const known = (words: string): boolean[] => words.split(' ').map((word) => verbs.has(word));
  expect(known('run deploy polish')).toEqual([true, true, true]);
  // One example says little; "the" begins no order; words of two letters are no verbs.
  expect(known('wind the do could stop constructor')).toEqual([false, false, false, false, false, false]);
  expect(verbsOf([]).has('polish')).toBe(false);
});
