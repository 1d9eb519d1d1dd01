import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  listFolder,
  partsOf,
  readFileIn,
  ToolProblem,
  writeFileIn,
} from '../../../../activities/coding/confined-files.ts';
import { makeFolder, writeFiles } from './coding-fixture.ts';

describe('paths of tools', () => {
  const place = { tree: '/data/sessions/x/tree', shares: [] };

  it.each([
    ['src/a.ts', 'src/a.ts'],
    ['./src//b/../a.ts', 'src/a.ts'],
    ['/workspace/src/a.ts', 'src/a.ts'],
    ['/workspace', ''],
    ['/data/sessions/x/tree/src/a.ts', 'src/a.ts'],
    ['.', ''],
    ['..a/...', '..a/...'],
  ])('%s is inside', (path, expected) => {
    expect(partsOf(place, path).join('/')).toBe(expected);
  });

  it.each([
    '/etc/passwd',
    '../x',
    'src/../../x',
    '/workspace/../etc/passwd',
    '/workspace-evil/a',
    '/data/sessions/x/tree-evil/a',
    '/data/sessions/x/tree/../state.json',
    '/',
    'a\0b',
  ])('%j is refused', (path) => {
    expect(() => partsOf(place, path)).toThrow(ToolProblem);
  });

  it.each(['.git', '.git/hooks/pre-commit', 'sub/.git/config', '/workspace/.GIT/x'])('%s is git’s own', (path) => {
    expect(() => partsOf(place, path)).toThrow(/git's own/);
  });
});

describe('files of the workspace', () => {
  let folder: string;
  let place: { tree: string; shares: { source: string; path: string }[] };
  const outside = (): string => join(folder, 'outside');

  beforeEach(() => {
    folder = makeFolder();
    place = { tree: join(folder, 'tree'), shares: [] };
    writeFiles(folder, { 'tree/src/a.ts': 'a', 'tree/run.sh': '#!/bin/sh\n', 'outside/secret': 'secret' });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are read and written whole, with their mode', async () => {
    await writeFileIn(place, ['new', 'deep', 'b.ts'], 'b', () => undefined);
    await writeFileIn(place, ['run.sh'], '#!/bin/bash\n', () => undefined);
    expect((await readFileIn(place, ['new', 'deep', 'b.ts'])).bytes.toString()).toBe('b');
    expect(statSync(join(place.tree, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(statSync(join(place.tree, 'new/deep/b.ts')).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(place.tree, 'new/deep'))).toEqual(['b.ts']);
  });

  it('stay as they were when the guard says no', async () => {
    const no = (): void => {
      throw new Error('too late');
    };
    await expect(writeFileIn(place, ['src', 'a.ts'], 'changed', no)).rejects.toThrow('too late');
    expect(readFileSync(join(place.tree, 'src/a.ts'), 'utf8')).toBe('a');
    expect(readdirSync(join(place.tree, 'src'))).toEqual(['a.ts']);
  });

  it('are not reached through links, in any place of the path', async () => {
    symlinkSync(outside(), join(place.tree, 'out'));
    symlinkSync(join(outside(), 'secret'), join(place.tree, 'leak'));
    symlinkSync(join(outside(), 'fresh'), join(place.tree, 'fresh'));
    await expect(readFileIn(place, ['out', 'secret'])).rejects.toThrow(/symbolic link/);
    await expect(readFileIn(place, ['leak'])).rejects.toThrow(/symbolic link/);
    await expect(listFolder(place, ['out'])).rejects.toThrow(/symbolic link/);
    for (const parts of [['out', 'secret'], ['out', 'new'], ['leak'], ['fresh']])
      await expect(writeFileIn(place, parts, 'x', () => undefined)).rejects.toThrow(ToolProblem);
    expect(readFileSync(join(outside(), 'secret'), 'utf8')).toBe('secret');
    expect(readdirSync(outside())).toEqual(['secret']);
  });

  it('are safe from somebody who swaps a folder for a link all the time', async () => {
    const [real, aside] = [join(place.tree, 'src'), join(folder, 'aside')];
    let leaks = 0;
    for (let round = 0; round < 300; round += 1) {
      const attempt = Promise.all([
        readFileIn(place, ['src', 'secret']).then(
          () => (leaks += 1),
          () => undefined,
        ),
        writeFileIn(place, ['src', 'planted'], 'x', () => undefined).catch(() => undefined),
      ]);
      await new Promise((resolve) => setImmediate(resolve));
      renameSync(real, aside);
      symlinkSync(outside(), real);
      await new Promise((resolve) => setImmediate(resolve));
      unlinkSync(real);
      renameSync(aside, real);
      await attempt;
    }
    expect(leaks).toBe(0);
    expect(readdirSync(outside())).toEqual(['secret']);
  });

  it('are plain files: a pipe, a folder and a huge file are refused at once', async () => {
    execFileSync('mkfifo', [join(place.tree, 'pipe')]);
    execFileSync('truncate', ['-s', '20M', join(place.tree, 'huge')]);
    await expect(readFileIn(place, ['pipe'])).rejects.toThrow(/not a plain file/);
    await expect(readFileIn(place, ['src'])).rejects.toThrow(/is a folder/);
    await expect(readFileIn(place, ['huge'])).rejects.toThrow(/use bash/);
    await expect(readFileIn(place, ['none', 'a'])).rejects.toThrow('none does not exist.');
    await expect(readFileIn(place, ['run.sh', 'a'])).rejects.toThrow('run.sh is not a folder.');
    await expect(writeFileIn(place, ['src'], 'x', () => undefined)).rejects.toThrow(ToolProblem);
    await expect(writeFileIn(place, [], 'x', () => undefined)).rejects.toThrow(ToolProblem);
    await expect(writeFileIn(place, ['n'.repeat(300)], 'x', () => undefined)).rejects.toThrow(/too long/);
  });

  it('of a shared folder can be read, not written', async () => {
    mkdirSync(join(place.tree, 'node_modules'));
    writeFileSync(join(outside(), 'index.js'), 'shared');
    const shared = { ...place, shares: [{ source: outside(), path: 'node_modules' }] };
    expect((await readFileIn(shared, ['node_modules', 'index.js'])).bytes.toString()).toBe('shared');
    await expect(writeFileIn(shared, ['node_modules', 'index.js'], 'x', () => undefined)).rejects.toThrow(/read-only/);
  });

  it('are listed with folders, links and without .git', async () => {
    writeFileSync(join(place.tree, '.git'), 'gitdir: x');
    symlinkSync('src/a.ts', join(place.tree, 'link'));
    expect(await listFolder(place, [])).toEqual(['link -> src/a.ts', 'run.sh', 'src/']);
  });
});
