import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { descendantsOf, fileHolder, portHolder, sendSignal } from '../../../dev/processes.ts';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('processes, where /proc is', () => {
  it('finds who has a file open, and nobody for a closed or missing one', () => {
    const dir = mkdtempSync(join(tmpdir(), 'dual-processes-'));
    const path = join(dir, 'file');
    const fd = openSync(path, 'w');
    try {
      expect(fileHolder(path)?.pid).toBe(process.pid);
    } finally {
      closeSync(fd);
    }
    expect(fileHolder(path)).toBeNull();
    rmSync(dir, { recursive: true });
    expect(fileHolder(path)).toBeNull();
    expect(portHolder(1)).toBeNull();
  });

  it('finds children of children in other sessions', async () => {
    const inner = `const c = require("child_process").spawn("sleep", ["60"], { detached: true }); console.log(c.pid)`;
    const child = spawn(process.execPath, ['-e', inner], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const grandchild = Number(said.toString());
    expect(descendantsOf(process.pid)).toEqual(expect.arrayContaining([child.pid, grandchild]));
    sendSignal(grandchild, 'SIGKILL');
    await once(child, 'exit');
    expect(() => sendSignal(grandchild, 'SIGTERM')).not.toThrow();
  });
});
