import * as files from 'node:fs/promises';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSpoolDisk } from '../../../edge/spool-disk.ts';
import type { FileCalls } from '../../../edge/spool-disk.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spool-disk-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const failing = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));

/** A call that fails the first `times`, as a scanner that holds the file does. */
const busyFor = <A extends unknown[], R>(times: number, code: string, call: (...args: A) => Promise<R>) => {
  let left = times;
  return (...args: A): Promise<R> => (left-- > 0 ? failing(code) : call(...args));
};

describe('the disk of the spool', () => {
  it('writes, moves, lists, reads, measures and removes', async () => {
    const disk = createSpoolDisk();
    const folder = join(dir, 'a', 'b');
    await disk.makeFolder(folder);
    await disk.makeFolder(folder);
    await disk.write(join(folder, 'x.tmp'), 'schön');
    await disk.write(join(folder, 'x.tmp'), 'schön!');
    await disk.move(join(folder, 'x.tmp'), join(folder, 'x'));
    await disk.flushFolder(folder);
    expect(await disk.list(folder)).toEqual(['x']);
    expect(await disk.read(join(folder, 'x'))).toBe('schön!');
    expect(await disk.sizeOf(join(folder, 'x'))).toBe(7);
    expect(await disk.removeFolder(folder)).toBe(false);
    await disk.remove(join(folder, 'x'));
    await disk.remove(join(folder, 'x'));
    expect(await disk.removeFolder(folder)).toBe(true);
    expect(await disk.removeFolder(folder)).toBe(true);
    expect(await disk.list(folder)).toEqual([]);
  });

  it('leaves nothing of a write that failed half way', async () => {
    const open: FileCalls['open'] = async (...args) => {
      const handle = await files.open(...args);
      handle.sync = () => failing('ENOSPC');
      return handle;
    };
    const disk = createSpoolDisk({ files: { ...files, open } });
    await expect(disk.write(join(dir, 'x'), 'text')).rejects.toThrow('ENOSPC');
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each(['EBUSY', 'EPERM', 'EACCES'])(
    'on Windows waits for who holds a file open (%s), elsewhere not',
    async (code) => {
      const path = join(dir, 'x');
      writeFileSync(path, 'text');
      const busy = (times: number): FileCalls => ({
        ...files,
        rm: busyFor(times, code, files.rm),
        rename: busyFor(times, code, files.rename),
      });
      await expect(createSpoolDisk({ files: busy(1), platform: 'linux' }).remove(path)).rejects.toThrow(code);
      await createSpoolDisk({ files: busy(3), platform: 'win32' }).move(path, `${path}y`);
      await createSpoolDisk({ files: busy(3), platform: 'win32' }).remove(`${path}y`);
      expect(readdirSync(dir)).toEqual([]);
      await expect(createSpoolDisk({ files: busy(99), platform: 'win32' }).remove(path)).rejects.toThrow(code);
    },
  );

  it('on Windows does not wait for what waiting cannot mend', async () => {
    let calls = 0;
    const rename: FileCalls['rename'] = () => {
      calls += 1;
      return failing('ENOSPC');
    };
    const disk = createSpoolDisk({ files: { ...files, rename }, platform: 'win32' });
    await expect(disk.move('a', 'b')).rejects.toThrow('ENOSPC');
    expect(calls).toBe(1);
  });

  it.each([
    ['win32', 'EPERM', true],
    ['win32', 'EISDIR', true],
    ['win32', 'EIO', false],
    ['linux', 'EPERM', false],
    ['linux', 'EINVAL', true],
    ['linux', 'ENOSPC', false],
  ] as const)('a folder that cannot be flushed: %s, %s, tolerated: %s', async (platform, code, tolerated) => {
    const disk = createSpoolDisk({ files: { ...files, open: () => failing(code) }, platform });
    const flushed = disk.flushFolder(dir);
    if (tolerated) await flushed;
    else await expect(flushed).rejects.toThrow(code);
  });
});
