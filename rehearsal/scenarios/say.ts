import type { Scenario } from '../program.ts';

/** "say …": one turn and no tools, the shortest job there is; load tests use it. */
export const say: Scenario = {
  name: 'say',
  fits: ({ opening }) => /^say\b/i.test(opening.instruction),
  *run({ opening }) {
    return opening.instruction.replace(/^say\b[:,]?\s*/i, '');
  },
};
