import type { Scenario } from '../program.ts';
import { HOW_TO_SET_KEYS } from './words.ts';

/** What rehearsal can do, as a person would ask for it. */
export const ABILITIES = [
  'refactor the API (functions written twice, names that say nothing)',
  'run the tests and fix the failing one',
  'rename X to Y everywhere',
  'run the tests and report',
  'check the staging website',
  'summarize the recent tasks',
];

/** Anything else gets an honest answer. */
export const unknown: Scenario = {
  name: 'unknown',
  fits: () => true,
  *run({ opening }) {
    return [
      `No model is configured, and a rehearsal cannot do this: “${opening.instruction.slice(0, 300)}”. I did nothing.`,
      'It can:',
      ...ABILITIES.map((ability) => `- ${ability}`),
      HOW_TO_SET_KEYS,
    ].join('\n');
  },
};
