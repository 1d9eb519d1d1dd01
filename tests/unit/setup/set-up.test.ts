import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openRoom, toolchainOf } from './room.ts';
import type { Room } from './room.ts';

const rooms: Room[] = [];
const open = async (about?: { engines?: string }): Promise<Room> => {
  const room = await openRoom(about);
  rooms.push(room);
  return room;
};
afterEach(async () => {
  for (const room of rooms.splice(0)) await room.close();
});
const foundIn = async (room: Room): Promise<Record<string, string | null>> =>
  JSON.parse(await readFile(join(room.repo, '.toolchain', 'found.json'), 'utf8')) as Record<string, string | null>;
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

describe('set-up on a fresh machine', () => {
  it('does everything, says where each thing is, then becomes the command with its input and exit code', async () => {
    const room = await open();
    const script = 'echo "$TEMPORAL_CLI_PATH|$CHROMIUM_PATH|$BWRAP_PATH|$(cat)|$1"; exit 7';
    const first = await room.run(['sh', '-c', script, 'sh', 'an argument'], {}, 'typed by a person');
    const copy = join(room.repo, '.toolchain', 'bin', 'temporal');
    expect(first.stdout).toBe(
      `${copy}|${room.path('bin', 'chromium')}|${room.path('bin', 'bwrap')}|typed by a person|an argument\n`,
    );
    expect(first.code).toBe(7);
    expect(await foundIn(room)).toEqual({
      node: process.execPath,
      temporal: copy,
      chromium: room.path('bin', 'chromium'),
      bwrap: room.path('bin', 'bwrap'),
      recogniser: join(room.repo, '.toolchain/pocketsphinx/pocketsphinx/model/en-us/en-us/mdef'),
    });
    for (const step of ['node', 'packages', 'temporal', 'chromium', 'bubblewrap', 'recogniser'])
      expect(first.stderr).toMatch(new RegExp(`set-up  ${step} .*(found|installed) .*/`));
    expect(await toolchainOf(room)).toEqual(['bin', 'found.json', 'pocketsphinx', 'stamp.json']);
    for (const call of await room.calls()) expect(call).toContain('[stdin:]');
    expect((await room.calls()).filter((call) => call.startsWith('npm'))).toEqual([
      expect.stringMatching(/^npm ci .*--ignore-scripts --no-audit --no-fund/),
    ]);
  });

  it('has nothing to do the second time, and is silent unless asked', async () => {
    const room = await open();
    await room.run(['true']);
    const calls = await room.calls();
    const second = await room.run(['sh', '-c', 'command -v temporal']);
    expect(second).toEqual({ code: 0, stdout: `${join(room.repo, '.toolchain', 'bin', 'temporal')}\n`, stderr: '' });
    const told = await room.run(['--tell', 'sh', '-c', 'exit 0']);
    expect(told.stderr).toContain(room.path('bin', 'bwrap'));
    expect(await room.calls()).toEqual(calls);
  });

  it('needs a Node that meets engines: else the pinned one is fetched and comes first on PATH', async () => {
    const room = await open({ engines: '>=99.1' });
    const pinned = join(room.repo, '.toolchain', 'node_modules', 'node', 'bin', 'node');
    const first = await room.run(['sh', '-c', 'command -v node']);
    expect(first.stderr).toContain(`found ${process.versions.node} at ${process.execPath}, too old`);
    expect(first.stdout).toBe(`${pinned}\n`);
    expect((await foundIn(room))['node']).toBe(pinned);
    expect(JSON.parse(await readFile(join(room.repo, '.toolchain', 'package.json'), 'utf8'))).toEqual({
      private: true,
      dependencies: { node: '24.21.0' },
      allowScripts: { node: true },
    });
    const second = await room.run(['sh', '-c', 'command -v node']);
    expect(second).toEqual({ code: 0, stdout: `${pinned}\n`, stderr: '' });
  });

  it('says what to type when there is no Node at all', async () => {
    const room = await open();
    await room.remove('bin/node');
    const ended = await room.run(['true']);
    expect(ended.code).toBe(1);
    expect(lastLine(ended.stderr)).toBe('set-up cannot go on. Type: sudo apt-get install -y nodejs npm');
  });
});

describe('set-up again', () => {
  it('mends what has gone: a tool, a package, the CLI', async () => {
    const room = await open();
    await room.run(['true']);
    await room.remove('repo/node_modules/playwright');
    await room.put('repo/.toolchain/bin/temporal', 'cut sho');
    const ended = await room.run(['sh', '-c', 'exit 0']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('damaged or another version');
    expect((await room.calls()).filter((call) => call.startsWith('npm ci'))).toHaveLength(2);
    expect((await room.run(['sh', '-c', 'exit 0'])).stderr).toBe('');
  });

  it('takes packages that somebody installed by hand as they are', async () => {
    const room = await open();
    await room.run(['true']);
    await room.remove('repo/.toolchain');
    expect((await room.run(['sh', '-c', 'exit 0'])).code).toBe(0);
    expect((await room.calls()).filter((call) => call.startsWith('npm ci'))).toHaveLength(1);
  });

  it('installs again when package-lock.json changes, and when a package does not load', async () => {
    const room = await open();
    await room.run(['true']);
    const lock = join(room.repo, 'package-lock.json');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace('1.0.0', '1.0.1'));
    await room.run(['true']);
    expect((await room.calls()).filter((call) => call.startsWith('npm ci'))).toHaveLength(2);
    await writeFile(join(room.repo, 'node_modules', '@swc', 'core', 'index.js'), 'throw new Error("no binary")');
    await room.remove('repo/.toolchain/stamp.json');
    const ended = await room.run(['sh', '-c', 'exit 0']);
    expect(ended.stderr).toContain('@swc/core: no binary');
    expect(ended.code).toBe(0);
  });

  it('obeys a variable that names another tool, from the process or from .env.wsl, and forgets it when it goes', async () => {
    const room = await open();
    await room.run(['true']);
    await room.put('my-chrome', '#!/bin/sh\necho "<p>works</p>"\n');
    const script = ['sh', '-c', 'echo "$CHROMIUM_PATH"'];
    expect((await room.run(script, { CHROMIUM_PATH: room.path('my-chrome') })).stdout).toBe(
      `${room.path('my-chrome')}\n`,
    );
    expect((await room.run(script)).stdout).toBe(`${room.path('bin', 'chromium')}\n`);
    await writeFile(join(room.repo, '.env.wsl'), `# mine\nCHROMIUM_PATH="${room.path('my-chrome')}"\n`);
    expect((await room.run(script)).stdout).toBe(`${room.path('my-chrome')}\n`);
    await writeFile(join(room.repo, '.env.wsl'), 'CHROMIUM_PATH=\nLOG_LEVEL=info\n');
    expect((await room.run(script)).stdout).toBe(`${room.path('bin', 'chromium')}\n`);
    await writeFile(join(room.repo, '.env.wsl'), 'CHROMIUM_PATH=/nowhere/chrome\n');
    const bad = await room.run(script);
    expect([bad.code, lastLine(bad.stderr)]).toEqual([
      1,
      'set-up cannot go on. Type: unset CHROMIUM_PATH   (or correct it)',
    ]);
  });
});

describe('a step that cannot be done', () => {
  it('says everything that is missing at once, and one line each to type', async () => {
    const room = await open();
    for (const name of ['bin/chromium', 'bin/bwrap', 'bin/python3']) await room.remove(name);
    const ended = await room.run(['sh', '-c', 'echo must not run']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toBe('');
    expect(ended.stderr.trimEnd().split('\n').slice(-3)).toEqual([
      expect.stringMatching(/^set-up cannot go on. Type: install Temporal CLI 1.9.1 .*TEMPORAL_CLI_PATH=/),
      'set-up cannot go on. Type: sudo apt-get install -y chromium',
      'set-up cannot go on. Type: sudo apt-get install -y bubblewrap',
    ]);
    expect(await room.calls()).toContain('playwright install chromium');
    expect(existsSync(join(room.repo, '.toolchain', 'found.json'))).toBe(false);
    expect(existsSync(join(room.repo, '.toolchain', 'lock'))).toBe(false);
  });

  it('does not start without a sandbox that works, unless told to do without', async () => {
    const room = await open();
    await room.put('bin/bwrap', '#!/bin/sh\necho "No permissions to create a new namespace" >&2; exit 1\n');
    const forbidden = await room.run(['true']);
    expect(forbidden.code).toBe(1);
    expect(forbidden.stderr).toContain('No permissions to create a new namespace');
    expect(lastLine(forbidden.stderr)).toContain('CODING_SANDBOX=off');
    await room.remove('bin/bwrap');
    expect((await room.run(['sh', '-c', 'exit 0'], { CODING_SANDBOX: 'off' })).code).toBe(0);
    expect((await foundIn(room))['bwrap']).toBeNull();
    expect((await room.run(['sh', '-c', 'exit 0'])).code).toBe(1);
  });

  it('goes on without a speech recogniser, and says loudly what does not work and what to type', async () => {
    const room = await open();
    await room.put('no-pip', '');
    const own = { TEMPORAL_CLI_PATH: room.path('temporal') };
    const ended = await room.run(['sh', '-c', 'exit 0'], own);
    expect(ended.stderr).toMatch(/recogniser +NONE: .*demo-voice cannot work.*apt-get install -y libpocketsphinx3/);
    expect(ended.code).toBe(0);
    expect(await foundIn(room)).toMatchObject({ recogniser: null });
    // Not looked for again by every command.
    expect((await room.run(['sh', '-c', 'exit 0'], own)).stderr).toBe('');
  });

  const isRoot = process.getuid?.() === 0;
  (isRoot ? it : it.skip)('installs Debian packages when root, without a question (needs root)', async () => {
    const room = await open();
    for (const name of ['bin/chromium', 'bin/bwrap']) await room.remove(name);
    await room.put('bin/apt-get', await readFile(room.path('apt-get'), 'utf8'));
    expect((await room.run(['sh', '-c', 'exit 0'])).code).toBe(0);
    const apt = (await room.calls()).filter((call) => call.startsWith('apt-get'));
    expect(apt.map((call) => call.replace(/-y -q -o \S+ /, '').split(' [')[0])).toEqual([
      'apt-get update',
      'apt-get install --no-install-recommends chromium',
      'apt-get install --no-install-recommends bubblewrap',
      'apt-get install --no-install-recommends libpocketsphinx3',
      'apt-get install --no-install-recommends pocketsphinx-en-us',
    ]);
    for (const call of apt) expect(call).toContain('[stdin:] [frontend:noninteractive]');
    expect(await foundIn(room)).toMatchObject({
      chromium: room.path('bin', 'chromium'),
      bwrap: room.path('bin', 'bwrap'),
    });
  });
});
