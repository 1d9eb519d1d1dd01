import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openRoom, toolchainOf } from './room.ts';
import type { Room } from './room.ts';

let room: Room | undefined;
afterEach(async () => room?.close());

describe('fetching the Temporal CLI', () => {
  it('throws away a binary whose checksum is not the pinned one', async () => {
    room = await openRoom();
    await room.put('temporal', '#!/bin/sh\necho "temporal version 1.9.1"; echo evil\n');
    const ended = await room.run(['sh', '-c', 'echo must not run']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toMatch(/its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}: thrown away/);
    expect(ended.stderr).toContain('the download failed: ');
    expect(await toolchainOf(room)).toEqual(['bin', 'pocketsphinx']);
  });

  it('goes to the official archive when Python has no pip, and says so', async () => {
    room = await openRoom();
    await room.put('no-pip', '');
    execFileSync('tar', ['-czf', room.path('archive.tar.gz'), '-C', room.path(), 'temporal']);
    const archive = await readFile(room.path('archive.tar.gz'));
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const ended = await room.run(['temporal', '--version'], { TEMPORAL_DOWNLOAD_URL: `http://127.0.0.1:${port}` });
      expect(ended.stderr).toContain('python3 has no pip (sudo apt-get install -y python3-pip)');
      expect(ended.stdout).toContain('temporal version 1.9.1');
      expect(asked).toEqual([expect.stringMatching(/^\/cli\/archive\/v1\.9\.1\?platform=\w+&arch=(amd64|arm64)$/)]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('takes one on PATH that is new enough, and says why it passes over an older one', async () => {
    room = await openRoom();
    await room.put('bin/temporal', '#!/bin/sh\necho "temporal version 1.10.0 (Server 1.33.0)"\n');
    await room.run(['true']);
    const foundFile = join(room.repo, '.toolchain', 'found.json');
    expect(await readFile(foundFile, 'utf8')).toContain(room.path('bin', 'temporal'));
    await room.put('bin/temporal', '#!/bin/sh\necho "temporal version 1.2.0"\n');
    const ended = await room.run(['sh', '-c', 'exit 0']);
    expect(ended.stderr).toContain('is 1.2.0, 1.9.1 or later is needed');
    expect(await readFile(foundFile, 'utf8')).toContain(join(room.repo, '.toolchain', 'bin', 'temporal'));
    const told = await room.run(['sh', '-c', 'exit 0'], { TEMPORAL_CLI_PATH: room.path('bin', 'temporal') });
    expect(told.stderr).toContain('older than the tested 1.9.1');
  });
});
