import { expect, it } from '@jest/globals';
import type { ProcessId } from '../../../../activities/coding/processes.ts';
import { isAlive } from '../../../../activities/coding/processes.ts';
import { runCommand } from '../../../../activities/coding/run-command.ts';

const shell = (command: string, env: Record<string, string> = {}, marker: string | null = null) => ({
  file: '/bin/sh',
  args: ['-c', command],
  cwd: '/',
  env: { PATH: '/usr/bin:/bin', ...env },
  marker,
});
const options = { signal: new AbortController().signal, timeoutMs: 20_000, maxChars: 1_000 };

it('a command whose group cannot be noted down, as on a full disk, is ended, and the error passed on', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  let group: ProcessId | null = null;
  const running = runCommand(shell('sleep 600 & exec sleep 600'), {
    ...options,
    onStart: (started) => {
      group = started;
      throw full;
    },
  });
  await expect(running).rejects.toBe(full);
  if (group === null) throw new Error('the group was never told');
  expect(isAlive(group)).toBe(false);
});

it('a program that cannot be started says so', async () => {
  await expect(runCommand({ ...shell(''), file: '/nowhere/program' }, options)).rejects.toMatchObject({
    type: 'EnvironmentUnavailable',
  });
});
