import { bashCall, canRun } from '../code/hands.ts';
import { act } from '../program.ts';
import type { Scenario } from '../program.ts';
import { needsHands } from './words.ts';

const COUNT = /\bcount to (\d{1,5})\b/i;

/** "count to N using bash": N turns of one trivial command each; tests of long jobs use it. */
export const count: Scenario = {
  name: 'count',
  fits: ({ opening }) => COUNT.test(opening.instruction),
  *run(job) {
    const last = Number(COUNT.exec(job.opening.instruction)?.[1]);
    if (!canRun(job)) return needsHands(job, 'bash');
    let wrong = 0;
    for (let i = 1; i <= last; i += 1) {
      const [outcome] = yield* act(job, '', bashCall(`echo ${i}`));
      if (!outcome?.text.split('\n').some((line) => line.trim() === String(i))) wrong += 1;
    }
    return `Counted to ${last} in ${last} turns${wrong > 0 ? `; ${wrong} answers were not the number asked for` : ''}.`;
  },
};
