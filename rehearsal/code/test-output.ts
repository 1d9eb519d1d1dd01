/** A failing test as its runner tells of it. Unknown parts are null. */
export interface Failure {
  name: string;
  file: string | null;
  /** Of the assertion, from 1. */
  line: number | null;
  expected: string | null;
  actual: string | null;
}

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

/** How the runners name a failing test. Suites that only contain one are dropped below. */
const NAMES = [
  /^test at \S+\n✖ (.+?)(?: \([\d.]+m?s\))?$/gm,
  /^\s*not ok \d+ - (.+)$/gm,
  /^\s*● (.+ › .+|[^›\n]+)$/gm,
  /^FAILED \S*?::(\S+)/gm,
  /^\s*FAIL\s+\S+ > (.+)$/gm,
  /^\s*\d+\) (.+)$/gm,
  /^\s*--- FAIL: (\S+)/gm,
  /^FAIL: (\w+) \(/gm,
  /^test (\S+) \.\.\. FAILED$/gm,
  /^---- (\S+) stdout ----$/gm,
];

const TEST_FILE =
  /(?:file:\/\/)?((?:[\w@.+-]*\/)*[\w@.+-]*(?:test|spec)[\w@.+-]*\.(?:[cm]?[jt]sx?|py|go|rs)|(?:[\w@.+-]*\/)*(?:tests?|__tests__|spec)\/(?:[\w@.+-]+\/)*[\w@.+-]+\.(?:[cm]?[jt]sx?|py|go|rs)):(\d+)(?::\d+)?/gi;

/** A value as a runner prints it, down to what a reader would type: `'a'` stays quoted, spaces go. */
const value = (text: string | undefined): string | null => (text === undefined ? null : text.trim().replace(/,$/, ''));

const PAIRS: RegExp[] = [
  // node:test prints both orders
  /^\s*actual: (?<actual>.+)\n\s*expected: (?<expected>.+)$/m,
  /^\s*expected: (?<expected>.+)\n\s*actual: (?<actual>.+)$/m,
  /^\s*Expected:? (?:value: )?(?<expected>.+)\n\s*Received:? (?:value: )?(?<actual>.+)$/m,
  /^\s*(?<actual>.+?) !==? (?<expected>.+?)$/m,
  /^E?\s*(?:AssertionError: )?assert (?<actual>.+?) == (?<expected>.+?)$/m,
  /AssertionError: (?<actual>.+?) != (?<expected>.+?)$/m,
  /\bexpected (?<actual>\S+) to (?:strictly |deeply )?(?:equal|be) (?<expected>\S+)/m,
  /\b(?:want|expected):? (?<expected>[^\s,;]+)[,;]? (?:got|actual|but got):? (?<actual>[^\s,;]+)/im,
  /\bgot:? (?<actual>[^\s,;]+)[,;]? (?:want|expected):? (?<expected>[^\s,;]+)/im,
  /^\s*left: (?<actual>.+?),?\n\s*right: (?<expected>.+?)$/m,
];

const pairOf = (text: string): Pick<Failure, 'expected' | 'actual'> => {
  for (const pattern of PAIRS) {
    const groups = pattern.exec(text)?.groups;
    if (groups) return { expected: value(groups.expected), actual: value(groups.actual) };
  }
  return { expected: null, actual: null };
};

/** Where the assertion stands: the first stack frame in a test file, rather than the place the test begins. */
const placeOf = (text: string): Pick<Failure, 'file' | 'line'> => {
  const places = [...text.matchAll(TEST_FILE)].filter((match) => !match[1]?.includes('node_modules/'));
  const frame = places.find(
    (match) =>
      /\bat .{0,200}$/.test(
        text
          .slice(Math.max(0, match.index - 200), match.index)
          .split('\n')
          .at(-1) ?? '',
      ) && !/^\s*test at /.test(lineAround(text, match.index)),
  );
  const chosen = frame ?? places[0];
  return { file: chosen?.[1] ?? null, line: number(chosen?.[2]) };
};

const lineAround = (text: string, at: number): string =>
  text.slice(text.lastIndexOf('\n', at) + 1, (text.indexOf('\n', at) + 1 || text.length + 1) - 1);

const failuresOf = (text: string): Failure[] => {
  for (const pattern of NAMES) {
    const found = [...text.matchAll(pattern)];
    if (found.length === 0) continue;
    const failures = found.map((match, index) => {
      const story = text.slice(match.index, found[index + 1]?.index ?? text.length);
      return {
        suite: /subtests? failed|failureType: 'subtestsFailed'/.test(story.split('\n').slice(0, 8).join('\n')),
        name: (match[1] ?? '').trim(),
        story,
      };
    });
    const seen = new Set<string>();
    return failures
      .filter(({ suite, name }) => !suite && !seen.has(name) && seen.add(name))
      .map(({ name, story }) => ({ name, ...placeOf(story), ...pairOf(story) }));
  }
  return [];
};

/** Reads what a test runner printed: node:test, jest, vitest, mocha, pytest, unittest, go, cargo. Never throws. */
export const readTestOutput = (output: string, exit: number | null): TestReport => {
  const text = output.replace(ANSI, '').replace(/\r\n/g, '\n');
  const counts = SUMMARIES.map((read) => read(text)).find((found) => found !== null) ?? {
    passed: null,
    failed: null,
    skipped: null,
  };
  return { exit, ...counts, failures: exit === 0 ? [] : failuresOf(text) };
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
