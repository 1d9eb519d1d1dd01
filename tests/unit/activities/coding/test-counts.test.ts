import { describe, expect, it } from '@jest/globals';
import { countTests } from '../../../../activities/coding/test-counts.ts';

describe('counting tests', () => {
  it.each([
    ['node:test, spec', 'ℹ tests 12\nℹ suites 5\nℹ pass 11\nℹ fail 1\nℹ cancelled 0\n', 11, 1],
    ['node:test, TAP', 'TAP version 13\nok 1 - a\n# tests 3\n# pass 2\n# fail 1\n', 2, 1],
    ['node:test in two workspaces', 'ℹ pass 3\nℹ fail 0\n> b\nℹ pass 4\nℹ fail 2\n', 7, 2],
    ['jest', 'Test Suites: 1 failed, 1 total\nTests:       1 failed, 2 skipped, 4 passed, 7 total\nTime: 1 s', 4, 1],
    ['jest, all well', 'Tests:       4 passed, 4 total\n', 4, 0],
    ['vitest', ' Test Files  1 failed (1)\n      Tests  1 failed | 4 passed (5)\n', 4, 1],
    ['coloured', '\u001b[34mℹ pass 2\u001b[39m\n\u001b[34mℹ fail 0\u001b[39m\n', 2, 0],
    ['pytest', '==== short ====\n=========== 1 failed, 4 passed, 1 error in 0.12s ===========\n', 4, 2],
    ['pytest -q', '....\n4 passed in 0.01s\n', 4, 0],
    ['mocha', '  suite\n\n  4 passing (20ms)\n  1 failing\n', 4, 1],
    ['mocha, all well', '  4 passing (20ms)\n', 4, 0],
    [
      'go test -v',
      '=== RUN TestA\n--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL\texample/x\t0.1s\n',
      1,
      1,
    ],
    ['go test', 'ok  \texample/x\t0.1s\n', null, 0],
    ['nothing known', 'all good\n3 things passed\n', null, null],
    ['empty', '', null, null],
  ])('%s', (_name, output, passed, failed) => {
    expect(countTests(output)).toEqual({ passed, failed });
  });
});
