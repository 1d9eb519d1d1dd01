/** Tests that passed and failed, as a runner's own summary says; null: it does not say. */
export interface TestCounts {
  passed: number | null;
  failed: number | null;
}

// eslint has no say in this: ESC is how terminals mark colours.
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');

const sum = (text: string, pattern: RegExp): number | null => {
  const found = [...text.matchAll(pattern)];
  return found.length === 0 ? null : found.reduce((total, match) => total + Number(match[1]), 0);
};

/** Lines that match, as one text; '' when none do. */
const linesLike = (text: string, pattern: RegExp): string => (text.match(pattern) ?? []).join('\n');

/**
 * Counts of the runners people use: node:test (spec and TAP), jest, vitest, pytest, mocha, go test. Several summaries
 * (workspaces) add up.
 */
export const countTests = (output: string): TestCounts => {
  const text = output.replace(COLOURS, '').replaceAll('\r\n', '\n');

  const node = { passed: sum(text, /^(?:ℹ|#) pass (\d+)$/gm), failed: sum(text, /^(?:ℹ|#) fail (\d+)$/gm) };
  if (node.passed !== null || node.failed !== null) return node;

  // "Tests:       1 failed, 4 passed, 5 total" (jest), "      Tests  1 failed | 4 passed (5)" (vitest)
  const jest = linesLike(text, /^ *Tests:? +.*(?:\d+ total|\(\d+\))\s*$/gm);
  if (jest) return { passed: sum(jest, /(\d+) passed/g) ?? 0, failed: sum(jest, /(\d+) failed/g) ?? 0 };

  // "===== 1 failed, 4 passed, 1 error in 0.12s =====", or the same without the signs (-q)
  const pytest = linesLike(
    text,
    /^(?:=+ )?\d+ (?:passed|failed|error|skipped|xfailed|deselected)[^\n]* in [\d.]+ ?s[^\n]*$/gm,
  );
  if (pytest)
    return {
      passed: sum(pytest, /(\d+) passed/g) ?? 0,
      failed: (sum(pytest, /(\d+) failed/g) ?? 0) + (sum(pytest, /(\d+) errors?/g) ?? 0),
    };

  const mocha = { passed: sum(text, /^ +(\d+) passing\b/gm), failed: sum(text, /^ +(\d+) failing\b/gm) };
  if (mocha.passed !== null) return { passed: mocha.passed, failed: mocha.failed ?? 0 };

  // go test names failing tests always, passing ones only with -v
  if (/^(?:ok|FAIL|---|\?) +\t?\S+/m.test(text) && /^(?:ok {2}\t|FAIL\t|FAIL$|--- (?:PASS|FAIL): )/m.test(text)) {
    const passed = (text.match(/^ *--- PASS: /gm) ?? []).length;
    const failed = (text.match(/^ *--- FAIL: /gm) ?? []).length;
    return { passed: passed > 0 ? passed : null, failed };
  }
  return { passed: null, failed: null };
};
