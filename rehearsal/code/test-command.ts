/** Files that say how a repository is tested, in the order they are believed. */
export const CLUE_FILES = [
  '.dual/workspace.json',
  'package.json',
  'Makefile',
  'makefile',
  'pyproject.toml',
  'pytest.ini',
  'tox.ini',
  'setup.cfg',
  'go.mod',
  'Cargo.toml',
];

const record = (json: string | undefined): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(json ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {}; // no such file, or not JSON: no clue
  }
};

/** What `npm init` writes into `scripts.test`: no test command at all. */
const NO_TESTS = /no test specified/;

/**
 * The command that runs a repository's tests, and why this one. `clues`: contents of `CLUE_FILES` by path; `files`:
 * every path. null: nothing says.
 */
export const findTestCommand = (
  clues: ReadonlyMap<string, string>,
  files: readonly string[],
): { command: string; because: string } | null => {
  const { verify } = record(clues.get('.dual/workspace.json'));
  if (typeof verify === 'string') return { command: verify, because: '.dual/workspace.json says so' };
  const { scripts } = record(clues.get('package.json'));
  const test: unknown = typeof scripts === 'object' && scripts !== null && 'test' in scripts ? scripts.test : undefined;
  if (typeof test === 'string' && !NO_TESTS.test(test))
    return { command: 'npm test', because: 'package.json has a test script' };
  const makefile = clues.get('Makefile') ?? clues.get('makefile') ?? '';
  if (/^(?:test|tests)\s*:/m.test(makefile))
    return {
      command: `make ${/^tests\s*:/m.test(makefile) ? 'tests' : 'test'}`,
      because: 'the Makefile has a test target',
    };
  const python = files.some((path) => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(path));
  if (
    python ||
    ['pytest.ini', 'tox.ini'].some((path) => clues.has(path)) ||
    /\[tool\.pytest|\[tool:pytest\]/.test((clues.get('pyproject.toml') ?? '') + (clues.get('setup.cfg') ?? ''))
  )
    return { command: 'python3 -m pytest -q', because: 'there are Python tests' };
  if (clues.has('go.mod')) return { command: 'go test -v ./...', because: 'there is a go.mod' };
  if (clues.has('Cargo.toml')) return { command: 'cargo test', because: 'there is a Cargo.toml' };
  if (files.some((path) => /\.(?:test|spec)\.[cm]?[jt]s$/.test(path)))
    return { command: 'node --test', because: 'there are test files and no script that runs them' };
  return null;
};
