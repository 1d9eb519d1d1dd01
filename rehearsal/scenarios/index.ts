import type { Scenario } from '../program.ts';
import { checkSite } from './check-site.ts';
import { count } from './count.ts';
import { fixTests } from './fix-tests.ts';
import { refactor } from './refactor.ts';
import { renameSymbol } from './rename-symbol.ts';
import { runTestsAndReport } from './run-tests.ts';
import { say } from './say.ts';
import { summarize } from './summarize.ts';
import { unknown } from './unknown.ts';

/** Every shipped program, in the order they are asked; the last takes any job. */
export const SCENARIOS: readonly Scenario[] = [
  say,
  count,
  summarize,
  checkSite,
  renameSymbol,
  refactor,
  fixTests,
  runTestsAndReport,
  unknown,
];
