import { canRun, lookAround, runTests } from '../code/hands.ts';
import { countsText } from '../code/test-output.ts';
import type { Scenario } from '../program.ts';
import { failureLines, needsHands, noCommandText } from './words.ts';

/** Lines of a runner's own words that are shown when its format is not known. */
const TAIL_LINES = 15;

/** "Run the tests and report": finds the command, runs it once, changes nothing. */
export const runTestsAndReport: Scenario = {
  name: 'run-tests',
  fits: ({ opening: { instruction } }) =>
    /\b(?:run|execute|start|repeat)\b.*\b(?:tests?|suite)\b|\bnpm test\b|\btest report\b/i.test(instruction) ||
    /\btests?\b.*\b(?:pass\w*|fail\w*|green|red)\b|\b(?:pass\w*|fail\w*)\b.*\btests?\b/i.test(instruction),
  *run(job) {
    if (!canRun(job)) return needsHands(job, 'bash');
    const workspace = yield* lookAround(job);
    if (!workspace.test) return noCommandText(workspace);
    const { command, because } = workspace.test;
    const report = yield* runTests(job, command, `I run ${command}, since ${because}.`);
    const lines = [
      `${command} (${because}): ${countsText(report)}, exit code ${report.exit ?? 'unknown'}. I changed nothing.`,
    ];
    if (report.failures.length > 0) lines.push('Failing:', ...failureLines(report));
    else if (report.exit !== 0)
      lines.push(
        'Its last words:',
        ...report.output
          .trim()
          .split('\n')
          .slice(-TAIL_LINES)
          .map((line) => `> ${line}`),
      );
    return lines.join('\n');
  },
};
