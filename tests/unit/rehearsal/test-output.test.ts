import { describe, expect, it } from '@jest/globals';
import { findTestCommand } from '../../../rehearsal/code/test-command.ts';
import { countsText, readTestOutput } from '../../../rehearsal/code/test-output.ts';

describe('what test runners print', () => {
  it('node:test, spec', () => {
    const output = `▶ an order
  ✖ rounds half a cent up (0.6ms)
✖ an order (1.5ms)
ℹ tests 12
ℹ pass 11
ℹ fail 1
ℹ skipped 0

✖ failing tests:

test at test/pricing.test.ts:32:3
✖ rounds half a cent up (0.66429ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:

  2286 !== 2285

      at TestContext.<anonymous> (file:///workspace/test/pricing.test.ts:34:12)
      at Test.runInAsyncScope (node:async_hooks:227:14) {
    actual: 2286,
    expected: 2285,
    operator: 'strictEqual',
  }`;
    expect(readTestOutput(output, 1, ['test/pricing.test.ts'])).toEqual({
      exit: 1,
      passed: 11,
      failed: 1,
      skipped: 0,
      failures: [
        { name: 'rounds half a cent up', file: 'test/pricing.test.ts', line: 34, expected: '2285', actual: '2286' },
      ],
    });
  });

  it('node:test, TAP: suites that fail only by their tests are left out', () => {
    const output = `    not ok 2 - rounds up
      ---
      location: '/w/test/pricing.test.ts:32:3'
      failureType: 'testCodeFailure'
      expected: 2285
      actual: 2286
      stack: |-
        TestContext.<anonymous> (file:///w/test/pricing.test.ts:34:12)
      ...
not ok 5 - an order
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
# pass 11
# fail 1`;
    expect(readTestOutput(output, 1)).toMatchObject({
      passed: 11,
      failed: 1,
      failures: [{ name: 'rounds up', line: 34, expected: '2285', actual: '2286' }],
    });
  });

  it('a structure that differs: the first value that does', () => {
    const output = `test at test/a.test.ts:3:1
✖ totals (1ms)
  AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:
  + actual - expected

    {
  +   deliveryCents: 49,
  -   deliveryCents: 490,
      subtotalCents: 2100
    }

      at TestContext.<anonymous> (file:///w/test/a.test.ts:5:10) {
    actual: { deliveryCents: 49, subtotalCents: 2100 },
    expected: { deliveryCents: 490, subtotalCents: 2100 },
  }`;
    expect(readTestOutput(output, 1).failures).toEqual([
      { name: 'totals', file: '/w/test/a.test.ts', line: 5, expected: '490', actual: '49' },
    ]);
  });

  it('jest', () => {
    const output = `FAIL test/sum.test.js
  ● sum › adds

    expect(received).toBe(expected) // Object.is equality

    Expected: 3
    Received: -1

      at Object.<anonymous> (test/sum.test.js:4:20)

Tests:       1 failed, 2 skipped, 9 passed, 12 total`;
    expect(readTestOutput(output, 1)).toMatchObject({
      passed: 9,
      failed: 1,
      skipped: 2,
      failures: [{ name: 'sum › adds', file: 'test/sum.test.js', line: 4, expected: '3', actual: '-1' }],
    });
  });

  it('vitest', () => {
    const output = ` FAIL  test/sum.test.ts > sum > adds
AssertionError: expected -1 to be 3 // Object.is equality
 ❯ test/sum.test.ts:4:20
 Tests  1 failed | 9 passed (10)`;
    expect(readTestOutput(output, 1)).toMatchObject({
      passed: 9,
      failed: 1,
      failures: [{ name: 'sum > adds', file: 'test/sum.test.ts', line: 4, expected: '3', actual: '-1' }],
    });
  });

  it('mocha', () => {
    const output = `  9 passing (12ms)
  1 failing

  1) sum adds:

      AssertionError [ERR_ASSERTION]: -1 == 3
      + expected - actual
      at Context.<anonymous> (test/sum.test.js:5:12)`;
    expect(readTestOutput(output, 1)).toMatchObject({
      passed: 9,
      failed: 1,
      failures: [{ name: 'sum adds:', file: 'test/sum.test.js', line: 5 }],
    });
  });

  it('pytest', () => {
    const output = `E       assert 3 == 4
E        +  where 3 = add(1, 2)

tests/test_sum.py:7: AssertionError
=========================== short test summary info ============================
FAILED tests/test_sum.py::test_add - assert 3 == 4
1 failed, 9 passed, 1 skipped in 0.12s`;
    expect(readTestOutput(output, 1)).toMatchObject({
      passed: 9,
      failed: 1,
      skipped: 1,
      failures: [{ name: 'test_add' }],
    });
  });

  it('unittest, go and cargo', () => {
    expect(readTestOutput('Ran 10 tests in 0.1s\n\nFAILED (failures=1, errors=1)', 1)).toMatchObject({
      passed: 8,
      failed: 2,
    });
    const go =
      '=== RUN   TestAdd\n    sum_test.go:8: got 3, want 4\n--- FAIL: TestAdd (0.00s)\n--- PASS: TestSub (0.00s)\nFAIL';
    expect(readTestOutput(go, 1)).toMatchObject({ passed: 1, failed: 1, failures: [{ name: 'TestAdd' }] });
    const cargo =
      "---- adds stdout ----\nthread 'adds' panicked at tests/sum.rs:4:5:\nassertion failed\n  left: 3\n right: 4\ntest result: FAILED. 9 passed; 1 failed; 2 ignored;";
    expect(readTestOutput(cargo, 101)).toMatchObject({
      passed: 9,
      failed: 1,
      skipped: 2,
      failures: [{ name: 'adds', file: 'tests/sum.rs', line: 4, expected: '4', actual: '3' }],
    });
  });

  it('colours are no part of it', () => {
    expect(readTestOutput('\u001b[32mℹ pass 3\u001b[39m\n\u001b[31mℹ fail 0\u001b[39m', 0)).toMatchObject({
      passed: 3,
      failed: 0,
      failures: [],
    });
  });

  it('says the exit code where nothing else is known', () => {
    expect(countsText(readTestOutput('all is well', 0))).toBe('all passed (exit 0)');
    expect(countsText(readTestOutput('no', 3))).toBe('failed (exit 3)');
    expect(countsText(readTestOutput('', null))).toBe('no result');
  });
});

describe('the command that runs the tests', () => {
  it.each<[string, Record<string, string>, string[], string | null]>([
    [
      'the recipe before all',
      { '.dual/workspace.json': '{"verify":"make check"}', 'package.json': '{"scripts":{"test":"jest"}}' },
      [],
      'make check',
    ],
    ['a test script', { 'package.json': '{"scripts":{"test":"jest"}}', Makefile: 'test:\n\tjest' }, [], 'npm test'],
    [
      'not the script npm init writes',
      { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
      [],
      null,
    ],
    ['a Makefile', { Makefile: 'all: x\n\ntest: x\n\tgo test' }, [], 'make test'],
    ['pytest by its files', {}, ['src/a.py', 'tests/test_a.py'], 'python3 -m pytest -q'],
    ['pytest by its settings', { 'pyproject.toml': '[tool.pytest.ini_options]' }, [], 'python3 -m pytest -q'],
    ['go', { 'go.mod': 'module x' }, [], 'go test -v ./...'],
    ['cargo', { 'Cargo.toml': '[package]' }, [], 'cargo test'],
    ['test files alone', {}, ['a.js', 'a.test.js'], 'node --test'],
    ['a package.json that is not JSON', { 'package.json': '{' }, [], null],
    ['nothing', {}, ['README.md'], null],
  ])('%s', (_name, clues, files, command) => {
    expect(findTestCommand(new Map(Object.entries(clues)), files)?.command ?? null).toBe(command);
  });
});
