import { expect, it } from '@jest/globals';
import { runBash, runSearch } from '../../../../activities/coding/commands.ts';
import type { Terminal } from '../../../../activities/coding/commands.ts';

/** Whatever is asked, `program` runs. */
const terminalOf = (program: string): Terminal => ({
  sandbox: {
    kind: 'off',
    launch: () => ({ file: '/bin/sh', args: ['-c', program], cwd: '/', env: {}, marker: null }),
    check: () => Promise.resolve(),
  },
  surroundings: {
    sessionId: 'test',
    tree: '/nowhere',
    tmp: '/nowhere',
    gitDir: '/nowhere',
    objects: [],
    alternatesFile: '/nowhere',
    emptyFile: '/nowhere',
    shares: [],
    env: {},
  },
  signal: new AbortController().signal,
  onGroup: () => undefined,
});

it('a search is ended at the time it is given, and says so', async () => {
  const started = performance.now();
  const answer = await runSearch(terminalOf('exec sleep 600'), { text: 'x' }, { timeoutMs: 500 });
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(answer).toEqual({
    text: '[ended after 1 s, the time limit of one command, search below a path]',
    summary: 'search "x" (time limit)',
    exitCode: 124,
  });
});

it('a command is ended at the time it is given, and says so after what it wrote', async () => {
  const about = { network: false, timeoutMs: 500 };
  const { text } = await runBash(terminalOf('echo begun; exec sleep 600'), { command: 'any', restart: null }, about);
  expect(text).toBe('begun\n[ended after 1 s, the time limit of one command, with everything it had started]');
});

it('a search that fails answers with no more than a result may hold', async () => {
  const answer = await runSearch(
    terminalOf('yes failed | head -c 200000; exit 2'),
    { text: 'x' },
    { timeoutMs: 10_000 },
  );
  expect(answer.exitCode).toBe(2);
  expect(answer.text.length).toBeLessThan(30_100);
});
