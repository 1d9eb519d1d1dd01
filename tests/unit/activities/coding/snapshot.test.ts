import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askGit, runGit } from '../../../../activities/coding/git.ts';
import { createPrivateGit } from '../../../../activities/coding/private-git.ts';
import { inspectRepository } from '../../../../activities/coding/repository.ts';
import type { Repository } from '../../../../activities/coding/repository.ts';
import { readCheckpoint, restoreTree, saveCheckpoint, snapshotTree } from '../../../../activities/coding/snapshot.ts';
import type { TreePlace } from '../../../../activities/coding/snapshot.ts';
import { createArtifactStore } from '../../../../platform/artifacts.ts';
import type { ArtifactStore } from '../../../../platform/artifacts.ts';
import { git, JOB, makeFolder, makeRepository, writeFiles } from './coding-fixture.ts';

const { signal } = new AbortController();
const BASE = {
  'a.txt': 'a\n',
  'gone.txt': 'gone\n',
  'mode.sh': 'echo\n',
  'src/b.ts': 'b\r\nwith CRLF\r\n',
  'image.bin': Buffer.from([0, 1, 2, 3]),
  '.gitignore': 'dist/\n*.log\n',
  'was-file': 'x',
};

let folder: string;
let repository: Repository;
let artifacts: ArtifactStore;

const lay = async (name: string, tree: string): Promise<TreePlace> => {
  const place = {
    gitDir: join(folder, name, 'git'),
    workTree: join(folder, name, 'tree'),
    indexFile: join(folder, name, 'index'),
  };
  mkdirSync(place.workTree, { recursive: true });
  if (!existsSync(place.gitDir)) await createPrivateGit(place.gitDir, repository, 'work');
  await runGit(place, ['read-tree', '--reset', '-u', tree], { signal });
  writeFileSync(join(place.workTree, '.git'), 'gitdir: ../git\n');
  return place;
};
const save = (place: TreePlace, tree: string): Promise<string> =>
  saveCheckpoint(artifacts, { gitDir: place.gitDir }, { jobId: JOB, baseCommit: repository.head, tree }, signal);

beforeEach(async () => {
  folder = makeFolder();
  makeRepository(join(folder, 'user'), BASE);
  repository = await inspectRepository(join(folder, 'user'), signal);
  artifacts = createArtifactStore(join(folder, 'artifacts'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a checkpoint', () => {
  it('of an unchanged tree has no patch, and is the same each time', async () => {
    const place = await lay('s', repository.head);
    const { tree } = await snapshotTree(place, [], signal);
    const first = await save(place, tree);
    expect(await readCheckpoint(artifacts, first)).toEqual({
      v: 1,
      kind: 'coding',
      base_commit: repository.head,
      patch: null,
      tree,
    });
    expect(await save(place, tree)).toBe(first);
  });

  it('rebuilds every kind of change elsewhere, from base and patch alone', async () => {
    const place = await lay('here', repository.head);
    const at = (path: string): string => join(place.workTree, path);
    unlinkSync(at('gone.txt'));
    unlinkSync(at('was-file'));
    writeFiles(place.workTree, {
      'a.txt': 'changed, without a last line end',
      'new/deep/ünï code "q" \t.txt': 'new\n',
      'src/b.ts': 'b\r\nwith CRLF and more\r\n',
      'image.bin': Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7) % 256)),
      'empty.txt': '',
      'was-file/inside.txt': 'now a folder',
      'dist/out.js': 'ignored',
      'debug.log': 'ignored',
    });
    chmodSync(at('mode.sh'), 0o755);
    symlinkSync('a.txt', at('link'));
    const { tree } = await snapshotTree(place, [], signal);
    const sha256 = await save(place, tree);

    const other = await lay('elsewhere', repository.head);
    const checkpoint = await readCheckpoint(artifacts, sha256);
    await expect(askGit(other, ['cat-file', '-t', tree], { signal })).rejects.toThrow(); // not there yet
    await restoreTree(artifacts, other.gitDir, checkpoint, join(folder, 'scratch'), signal);
    await runGit(other, ['read-tree', '--reset', '-u', checkpoint.tree], { signal });
    expect((await snapshotTree(other, [], signal)).tree).toBe(tree);
    const there = (path: string): string => join(other.workTree, path);
    for (const path of [
      'a.txt',
      'new/deep/ünï code "q" \t.txt',
      'src/b.ts',
      'image.bin',
      'empty.txt',
      'was-file/inside.txt',
    ])
      expect(readFileSync(there(path)).equals(readFileSync(at(path)))).toBe(true);
    expect(existsSync(there('gone.txt'))).toBe(false);
    expect(existsSync(there('dist'))).toBe(false); // ignored files are no part of it
    expect(lstatSync(there('mode.sh')).mode & 0o111).toBe(0o111);
    expect(readlinkSync(there('link'))).toBe('a.txt');
  });

  it('that does not give its tree is refused', async () => {
    const place = await lay('s', repository.head);
    writeFileSync(join(place.workTree, 'a.txt'), 'changed');
    const { tree } = await snapshotTree(place, [], signal);
    const checkpoint = await readCheckpoint(artifacts, await save(place, tree));
    const other = await lay('other', repository.head);
    const wrong = { ...checkpoint, tree: tree.replace(/^../, tree.startsWith('00') ? '11' : '00') };
    await expect(restoreTree(artifacts, other.gitDir, wrong, join(folder, 'scratch'), signal)).rejects.toThrow(
      'does not give the tree',
    );
    const stranger = await artifacts.put('{"kind":"browser"}', { name: 'x', mediaType: 'application/json' });
    await expect(readCheckpoint(artifacts, stranger.sha256)).rejects.toMatchObject({ type: 'BadInput' });
  });
});

describe('a snapshot', () => {
  it('runs no filter, hook or monitor that the repository, its owner or the job names', async () => {
    const trap = join(folder, 'sprung');
    const spring = `touch ${trap}; cat`;
    for (const [key, value] of [
      ['filter.evil.clean', spring],
      ['filter.evil.smudge', spring],
      ['filter.evil.required', 'true'],
      ['core.fsmonitor', spring],
      ['diff.evil.textconv', spring],
      ['diff.external', spring],
    ])
      git(repository.root, 'config', key ?? '', value ?? '');
    writeFiles(repository.root, {
      '.git/hooks/post-checkout': `#!/bin/sh\ntouch ${trap}\n`,
      '.git/hooks/reference-transaction': `#!/bin/sh\ntouch ${trap}\n`,
    });
    const place = await lay('s', repository.head);
    writeFiles(place.workTree, { '.gitattributes': '* filter=evil diff=evil\n', 'a.txt': 'changed' });
    const { tree } = await snapshotTree(place, [], signal);
    await save(place, tree);
    await runGit(place, ['read-tree', '--reset', '-u', repository.head], { signal });
    expect(existsSync(trap)).toBe(false);
  });

  it('keeps the files of a repository that the job made inside, and runs nothing of it', async () => {
    const trap = join(folder, 'sprung');
    const place = await lay('s', repository.head);
    makeRepository(join(place.workTree, 'fixtures/inner'), { 'f.txt': 'f' });
    makeRepository(join(place.workTree, 'fixtures/inner/deeper'), { 'g.txt': 'g' });
    git(join(place.workTree, 'fixtures/inner'), 'config', 'core.fsmonitor', `touch ${trap}; false`);
    const { tree, dissolved } = await snapshotTree(place, [], signal);
    expect(dissolved).toEqual(['fixtures/inner', 'fixtures/inner/deeper']);
    const listed = await askGit(place, ['ls-tree', '-r', '--name-only', tree], { signal });
    expect(listed.split('\n')).toEqual(expect.arrayContaining(['fixtures/inner/f.txt', 'fixtures/inner/deeper/g.txt']));
    expect(existsSync(trap)).toBe(false);
  });

  it('leaves submodules as they are, also with a planted repository', async () => {
    const trap = join(folder, 'sprung');
    const inner = makeRepository(join(folder, 'inner'), { 'f.txt': 'f' });
    git(repository.root, 'update-index', '--add', '--cacheinfo', `160000,${inner},lib`);
    git(repository.root, 'commit', '-q', '-m', 'submodule');
    repository = await inspectRepository(repository.root, signal);
    const place = await lay('s', repository.head);
    const before = await askGit(place, ['rev-parse', `${repository.head}^{tree}`], { signal });
    makeRepository(join(place.workTree, 'lib'), { 'planted.txt': 'x' });
    git(join(place.workTree, 'lib'), 'config', 'core.fsmonitor', `touch ${trap}; false`);
    const { tree, dissolved } = await snapshotTree(place, ['lib'], signal);
    expect({ tree, dissolved }).toEqual({ tree: before, dissolved: ['lib'] });
    expect(existsSync(trap)).toBe(false);
  });

  it('copes with what a command made unreadable', async () => {
    const place = await lay('s', repository.head);
    writeFileSync(join(place.workTree, 'locked.txt'), 'x');
    chmodSync(join(place.workTree, 'locked.txt'), 0o000);
    const { tree } = await snapshotTree(place, [], signal);
    expect(await askGit(place, ['ls-tree', '--name-only', tree, 'locked.txt'], { signal })).toBe('locked.txt');
  });

  it('ends on abort', async () => {
    const place = await lay('s', repository.head);
    const reason = new Error('cancelled');
    await expect(snapshotTree(place, [], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
