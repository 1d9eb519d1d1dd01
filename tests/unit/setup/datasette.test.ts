import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { findOnPath } from './find-on-path.ts';
import { collect } from './room.ts';
import type { Ended } from './room.ts';

let folder = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'dual-datasette-')));
  await mkdir(join(folder, 'bin'));
  await cp(join(REPOSITORY_ROOT, 'setup', 'datasette.sh'), join(folder, 'setup', 'datasette.sh'), { recursive: true });
  for (const name of ['datasette.yaml', 'metadata.yaml']) {
    await mkdir(join(folder, 'ops', 'datasette'), { recursive: true });
    await writeFile(join(folder, 'ops', 'datasette', name), '{}');
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const fake = async (name: string, version: string): Promise<void> => {
  const path = join(folder, 'bin', name);
  await writeFile(
    path,
    `#!/bin/sh\ncase "$*" in *--version*) echo "datasette, version ${version}" ;; *) echo "${name} $*" ;; esac\n`,
  );
  await chmod(path, 0o755);
};
const open = (environment: Record<string, string> = {}): Promise<Ended> => {
  // Only the shell's own tools beside the fakes: this machine may have a Datasette.
  const tools = join(folder, 'bin');
  const env = { PATH: `${tools}${delimiter}${join(folder, 'tools')}`, ...environment };
  return collect(spawn('/bin/sh', [join(folder, 'setup', 'datasette.sh')], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
};
beforeEach(async () => {
  await mkdir(join(folder, 'tools'));
  for (const tool of ['dirname', 'sed', 'tail', 'tr'])
    await cp(findOnPath(tool), join(folder, 'tools', tool), { dereference: true });
});
const addTraces = async (path = join(folder, 'logs', 'traces.db')): Promise<string> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  return path;
};

describe('make datasette', () => {
  it('without traces says how to make some; without Datasette how to get it', async () => {
    expect((await open()).stderr).toMatch(/no .*logs\/traces\.db yet\. Type: make traces\n$/);
    await addTraces();
    const ended = await open();
    expect(ended.stderr).toMatch(/Type: python3 -m pip install --user datasette\n$/);
    expect(ended.code).toBe(1);
  });

  it('opens the traces on this machine alone, with the queries in the form that version reads', async () => {
    const traces = await addTraces();
    await fake('datasette', '0.65.2');
    const metadata = join(folder, 'ops', 'datasette', 'metadata.yaml');
    expect((await open()).stdout).toContain(`datasette ${traces} --host 127.0.0.1 --metadata ${metadata}\n`);
    await fake('datasette', '1.0a19');
    const config = join(folder, 'ops', 'datasette', 'datasette.yaml');
    expect((await open()).stdout).toContain(`datasette ${traces} --host 127.0.0.1 --config ${config}\n`);
  });

  it('uses uvx where there is no datasette, and TRACE_SQLITE_PATH when set', async () => {
    const traces = await addTraces(join(folder, 'elsewhere.db'));
    await fake('uvx', '1.0');
    expect((await open({ TRACE_SQLITE_PATH: traces })).stdout).toContain(`uvx datasette ${traces} --host 127.0.0.1`);
    // Where make traces looks too.
    await writeFile(join(folder, '.env.wsl'), '# ours\nTRACE_DIR=x\nTRACE_SQLITE_PATH = "elsewhere.db"\r\n');
    expect((await open()).stdout).toContain(`uvx datasette ${traces} --host 127.0.0.1`);
  });
});
