import { readFailures } from './failures.ts';
import type { Failure } from './failures.ts';

/** One run of a test command. Counts are null when the output does not say. */
export interface TestReport {
  exit: number | null;
  passed: number | null;
  failed: number | null;
  skipped: number | null;
  failures: Failure[];
}

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

const number = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
const sumOf = (text: string, pattern: RegExp): number | null => {
  const found = [...text.matchAll(pattern)];
  return found.length === 0 ? null : found.reduce((sum, match) => sum + Number(match[1]), 0);
};

type Counts = Pick<TestReport, 'passed' | 'failed' | 'skipped'>;

/** What each runner's summary looks like; the first that is there counts. */
const SUMMARIES: ((text: string) => Counts | null)[] = [
  // node:test, spec (ℹ) and TAP (#)
  (text) => {
    const passed = sumOf(text, /^[ℹ#] pass (\d+)$/gm);
    return passed === null
      ? null
      : { passed, failed: sumOf(text, /^[ℹ#] fail (\d+)$/gm), skipped: sumOf(text, /^[ℹ#] skipped (\d+)$/gm) };
  },
  // jest `Tests: 1 failed, 9 passed, 10 total`; vitest `Tests  1 failed | 9 passed (10)`
  (text) => {
    const line = /^\s*Tests:?\s+(.*\d+ (?:passed|failed).*)$/m.exec(text)?.[1];
    if (line === undefined) return null;
    const count = (word: string): number | null => number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1]);
    return { passed: count('passed') ?? 0, failed: count('failed') ?? 0, skipped: count('skipped') };
  },
  // pytest `1 failed, 9 passed in 0.12s`
  (text) => {
    const line =
      /^=*\s*((?:\d+ (?:passed|failed|error|errors|skipped|xfailed|xpassed|warnings?|deselected)(?:, )?)+) in [\d.:]+/m.exec(
        text,
      )?.[1];
    if (line === undefined) return null;
    const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
    return { passed: count('passed'), failed: count('failed') + count('error'), skipped: count('skipped') };
  },
  // mocha
  (text) => {
    const passed = sumOf(text, /^\s*(\d+) passing\b/gm);
    return passed === null
      ? null
      : { passed, failed: sumOf(text, /^\s*(\d+) failing\b/gm) ?? 0, skipped: sumOf(text, /^\s*(\d+) pending\b/gm) };
  },
  // cargo
  (text) => {
    const passed = sumOf(text, /^test result: .*?(\d+) passed/gm);
    return passed === null
      ? null
      : {
          passed,
          failed: sumOf(text, /^test result: .*?(\d+) failed/gm),
          skipped: sumOf(text, /^test result: .*?(\d+) ignored/gm),
        };
  },
  // unittest
  (text) => {
    const all = number(/^Ran (\d+) tests?\b/m.exec(text)?.[1]);
    if (all === null) return null;
    const bad = Number(/\bfailures=(\d+)/.exec(text)?.[1] ?? 0) + Number(/\berrors=(\d+)/.exec(text)?.[1] ?? 0);
    return { passed: all - bad, failed: bad, skipped: number(/\bskipped=(\d+)/.exec(text)?.[1]) };
  },
  // go test -v
  (text) => {
    const passed = [...text.matchAll(/^\s*--- PASS: /gm)].length;
    const failed = [...text.matchAll(/^\s*--- FAIL: /gm)].length;
    return passed + failed === 0 ? null : { passed: passed || null, failed, skipped: null };
  },
];

/**
 * Reads what a test runner printed: node:test, jest, vitest, mocha, pytest, unittest, go, cargo. Never throws.
 * `files`: paths of the repository, by which absolute ones are known again.
 */
export const readTestOutput = (output: string, exit: number | null, files: readonly string[] = []): TestReport => {
  const text = output.replace(ANSI, '').replace(/\r\n/g, '\n');
  const counts = SUMMARIES.map((read) => read(text)).find((found) => found !== null) ?? {
    passed: null,
    failed: null,
    skipped: null,
  };
  return { exit, ...counts, failures: exit === 0 ? [] : readFailures(text, files) };
};

/** `11 passed, 1 failed`, or what the exit code says. */
export const countsText = (report: TestReport): string => {
  const parts = [
    ...(report.passed === null ? [] : [`${report.passed} passed`]),
    ...(report.failed === null ? [] : [`${report.failed} failed`]),
    ...(report.skipped ? [`${report.skipped} skipped`] : []),
  ];
  if (parts.length > 0) return parts.join(', ');
  return report.exit === null
    ? 'no result'
    : report.exit === 0
      ? 'all passed (exit 0)'
      : `failed (exit ${report.exit})`;
};
