import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { collect, openRoom, toolchainOf } from './room.ts';
import type { Room } from './room.ts';

let room: Room | undefined;
afterEach(async () => room?.close());

/** Waits for a condition, at most ten seconds. */
const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited ten seconds for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
/** Every npm that starts now hangs until `hold` is gone; with `hang` gone later ones do not. */
const hangNpm = async (at: Room): Promise<void> => {
  await at.put('hold', '');
  await at.put('hang', '');
};
/** The set-up at work, whose parent is the shell that waits for it. */
const ownerOf = async (at: Room): Promise<number> =>
  (JSON.parse(await readFile(join(at.repo, '.toolchain', 'lock'), 'utf8')) as { pid: number }).pid;

describe('a set-up that is cut off', () => {
  it('is repaired by the next one, which first ends the npm that a kill -9 left running', async () => {
    room = await openRoom();
    await hangNpm(room);
    const first = room.start(['true']);
    const ended = collect(first);
    await until('npm', () => existsSync(room?.path('hanging') ?? ''));
    const npm = Number(await readFile(room.path('hanging'), 'utf8'));
    process.kill(await ownerOf(room), 'SIGKILL');
    expect((await ended).code).toBe(1);
    expect(isAlive(npm)).toBe(true);
    await room.remove('hang');
    const second = await room.run(['sh', '-c', 'exit 0']);
    expect(second.code).toBe(0);
    await until('npm to end', () => !isAlive(npm));
    await room.remove('hold');
    expect(existsSync(join(room.repo, 'node_modules', 'late'))).toBe(false);
    expect(await toolchainOf(room)).toEqual(['bin', 'found.json', 'pocketsphinx', 'stamp.json']);
  });

  it('takes its npm with it on Ctrl-C and leaves no lock', async () => {
    room = await openRoom();
    await hangNpm(room);
    const child = room.start(['true']);
    const ended = collect(child);
    await until('npm', () => existsSync(room?.path('hanging') ?? ''));
    const npm = Number(await readFile(room.path('hanging'), 'utf8'));
    process.kill(await ownerOf(room), 'SIGINT');
    expect((await ended).code).not.toBe(0);
    await until('npm to end', () => !isAlive(npm));
    expect(existsSync(join(room.repo, '.toolchain', 'lock'))).toBe(false);
  });
});

describe('two at once', () => {
  it('work one after the other, and the second has nothing left to do', async () => {
    room = await openRoom();
    await hangNpm(room);
    const first = collect(room.start(['true']));
    await until('npm', () => existsSync(room?.path('hanging') ?? ''));
    const waiting = room.start(['sh', '-c', 'exit 0']);
    let said = '';
    waiting.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const second = collect(waiting);
    await until('the second to wait', () => said.includes('another set-up is at work (process '));
    // The first fails when its npm does; the second then does the work.
    await room.remove('hang');
    await room.remove('hold');
    expect((await first).code).toBe(1);
    expect((await second).code).toBe(0);
  });

  it('do each thing once', async () => {
    const shared = (room = await openRoom());
    const ended = await Promise.all([1, 2, 3, 4].map(() => shared.run(['sh', '-c', 'exit 0'])));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect((await shared.calls()).filter((call) => call.startsWith('npm ci'))).toHaveLength(1);
    expect((await shared.calls()).filter((call) => call.includes('pip download'))).toHaveLength(1);
  });

  it('pass over a lock whose process is gone, also when its number is in use again', async () => {
    room = await openRoom();
    await room.run(['true']);
    for (const lock of [
      { pid: 2 ** 22 + 1, start: null },
      { pid: process.pid, start: '1' },
    ]) {
      await room.remove('repo/.toolchain/stamp.json');
      const { hostname } = await import('node:os');
      await room.put('repo/.toolchain/lock', JSON.stringify({ ...lock, host: hostname(), tool: null }));
      expect((await room.run(['sh', '-c', 'exit 0'])).code).toBe(0);
    }
  });
});
