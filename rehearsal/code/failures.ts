import { isTestFile } from './imports.ts';

/** A failing test as its runner tells of it. Unknown parts are null. */
export interface Failure {
  name: string;
  file: string | null;
  /** Of the assertion, from 1. */
  line: number | null;
  expected: string | null;
  actual: string | null;
}

/** How the runners name a failing test; the first that is there counts. */
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

/** A value as a runner prints it: a text keeps its quotes, a comma after it goes. */
const value = (text: string | undefined): string | null => (text === undefined ? null : text.trim().replace(/,$/, ''));

const PAIRS: RegExp[] = [
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

const isScalar = (text: string | null): boolean =>
  text !== null && /^(?:-?\d[\d_]*(?:\.\d+)?n?|true|false|null|undefined|None|True|False|(['"`]).*\1)$/.test(text);

/** The first value that differs inside two printed structures: `+` is what came, `-` what should have. */
const differing = (text: string): Pick<Failure, 'expected' | 'actual'> | null => {
  const rows = [...text.matchAll(/^[ \tE]*([+-])\s+(?:(['"]?[\w$]+['"]?): )?(.+?),?$/gm)];
  for (const [at, [, sign, key, actual]] of rows.entries()) {
    if (sign !== '+' || !isScalar(value(actual))) continue;
    const other =
      rows.slice(at + 1).find((row) => row[1] === '-' && row[2] === key && isScalar(value(row[3]))) ??
      rows.slice(0, at).findLast((row) => row[1] === '-' && row[2] === key && isScalar(value(row[3])));
    if (other) return { expected: value(other[3]), actual: value(actual) };
  }
  return null;
};

const pairOf = (text: string): Pick<Failure, 'expected' | 'actual'> => {
  const groups = PAIRS.map((pattern) => pattern.exec(text)?.groups).find((found) => found !== undefined);
  const pair = { expected: value(groups?.expected), actual: value(groups?.actual) };
  return isScalar(pair.expected) && isScalar(pair.actual) ? pair : (differing(text) ?? pair);
};

const PLACE = /([\w@.+/-]{1,300}\.(?:[cm]?[jt]sx?|py|go|rs)):(\d+)/g;

/** Where the assertion stands: the first stack frame in a test file, rather than the place where the test begins. */
const placeOf = (text: string, files: readonly string[]): Pick<Failure, 'file' | 'line'> => {
  let begins: Pick<Failure, 'file' | 'line'> | null = null;
  for (const line of text.split('\n'))
    for (const [, path = '', row] of line.matchAll(PLACE)) {
      const known = files.find((file) => path === file || path.endsWith(`/${file}`));
      const file = known ?? path.replace(/^\/+/, '/').replace(/^\.\//, '');
      if (!isTestFile(file) || file.includes('node_modules/')) continue;
      const place = { file, line: Number(row) };
      if (!/^\s*(?:test at|location:)/.test(line)) return place;
      begins ??= place;
    }
  return begins ?? { file: null, line: null };
};

/** The failing tests in a runner's output, each once; suites that fail only since a test in them does are left out. */
export const readFailures = (text: string, files: readonly string[]): Failure[] => {
  for (const pattern of NAMES) {
    const found = [...text.matchAll(pattern)];
    if (found.length === 0) continue;
    const seen = new Set<string>();
    return found.flatMap((match, index) => {
      const name = (match[1] ?? '').trim();
      const story = text.slice(match.index, found[index + 1]?.index ?? text.length);
      const isSuite = /subtests? failed|failureType: 'subtestsFailed'/.test(story.split('\n').slice(0, 8).join('\n'));
      if (isSuite || seen.has(name)) return [];
      seen.add(name);
      return [{ name, ...placeOf(story, files), ...pairOf(story) }];
    });
  }
  return [];
};
