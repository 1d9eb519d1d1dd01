// Counting over several runners: one closing line for a person, or one line in a file for whoever adds up.
import { appendFileSync } from 'node:fs';

/** Names the file that .ci/run adds up; with it set nobody else prints a closing line. */
export const TALLY_VARIABLE = 'DUAL_TALLY_FILE';

export const closingLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Reports the counts and sets the exit code: 1 when anything failed, and when nothing passed. */
export const closeWith = (counts) => {
  const file = process.env[TALLY_VARIABLE];
  if (file) appendFileSync(file, `${counts.passed} ${counts.failed} ${counts.skipped}\n`);
  else console.log(closingLine(counts));
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
};

/**
 * Adds one jest result (its `--json` file, null when jest died before writing it). A file that could not be loaded has no
 * tests to fail, so it counts as one; a to-do counts as skipped. `names` collects what was skipped.
 */
export const addJestResult = (counts, result, names) => {
  if (!result) {
    counts.failed += 1;
    return;
  }
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  counts.skipped += result.numPendingTests + result.numTodoTests;
  for (const suite of result.testResults)
    for (const test of suite.assertionResults)
      if (test.status === 'pending' || test.status === 'todo') names.push(`${suite.name}: ${test.fullName}`);
};
