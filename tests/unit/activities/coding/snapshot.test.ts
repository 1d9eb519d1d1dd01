import { execFileSync } from 'node:child_process';
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
import type { TreePlace } from '../../../../activities/coding/stage-tree.ts';
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

  describe('with a repository inside that would run a program when git looks into it', () => {
    let trap: string;
    let place: TreePlace;
    beforeEach(async () => {
      trap = join(folder, 'sprung');
      place = await lay('s', repository.head);
    });
    /** `git status` in it runs the filter: the file's time does not fit what the index of the repository says. */
    const plant = (...path: (string | Buffer)[]): void => {
      const at = Buffer.concat(path.map((name) => Buffer.concat([Buffer.from('/'), Buffer.from(name)])));
      const inner = Buffer.concat([Buffer.from(place.workTree), at]);
      mkdirSync(inner, { recursive: true });
      const script = [
        'git init -q && echo f > f && git add f && git commit -q -m first',
        `git config filter.evil.clean "touch ${trap}; cat"`,
        "echo '* filter=evil' > .gitattributes && touch -d yesterday f",
      ].join('; ');
      const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_GLOBAL: '/dev/null' };
      const names = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
      // The folder is a variable of the shell's: Node takes no bytes for `cwd`.
      writeFileSync(join(folder, 'inner'), inner);
      execFileSync('bash', ['-e', '-c', `cd "$(cat ${join(folder, 'inner')})"; ${script}`], {
        env: { ...env, ...names },
      });
    };
    /** Twice: what the first one records as a submodule is looked into by the second. */
    const recordTwice = async (): Promise<string[]> => {
      await snapshotTree(place, [], signal);
      const { tree } = await snapshotTree(place, [], signal);
      return (await askGit(place, ['ls-tree', '-r', '--name-only', tree], { signal })).split('\n');
    };

    it.each([
      ['where a file was', ['a.txt'], 'a.txt/f'],
      ['where a file was, in a folder that is ignored now', ['src', 'b.ts'], null],
      ['in a folder whose name is not UTF-8', [Buffer.from([0x78, 0xff])], 'x\uFFFD/f'],
      ['inside 25 others', Array.from({ length: 25 }, () => 'n'), `${'n/'.repeat(25)}f`],
    ])('%s: runs nothing, and keeps its files', async (_where, path, kept) => {
      writeFileSync(join(place.workTree, '.gitignore'), path[0] === 'src' ? 'src/\n' : '');
      rmSync(join(place.workTree, path[0] === 'src' ? 'src/b.ts' : 'a.txt'));
      if (path.length > 2) for (let depth = 1; depth < path.length; depth += 1) plant(...path.slice(0, depth));
      plant(...path);
      const listed = await recordTwice();
      expect(existsSync(trap)).toBe(false);
      if (kept === null) expect(listed.filter((name) => name.startsWith('src'))).toEqual([]);
      else expect(listed).toContain(kept);
    });

    it('inside sixty others: records nothing at all', async () => {
      for (let depth = 1; depth <= 60; depth += 1)
        mkdirSync(join(place.workTree, 'n/'.repeat(depth), '.git/objects'), { recursive: true });
      for (let depth = 1; depth <= 60; depth += 1) {
        const inner = join(place.workTree, 'n/'.repeat(depth), '.git');
        mkdirSync(join(inner, 'refs'));
        writeFileSync(join(inner, 'HEAD'), 'ref: refs/heads/main\n');
      }
      await expect(snapshotTree(place, [], signal)).rejects.toMatchObject({ type: 'ToolFailed' });
    });
  });

  it.each([
    ['a submodule', 'lib', 'lib'],
    ['the folder of a submodule', 'vendor', 'vendor/lib'],
  ])('follows no link that a job put in the place of %s', async (_what, replaced, path) => {
    const inner = makeRepository(join(folder, 'inner'), { 'f.txt': 'f' });
    git(repository.root, 'update-index', '--add', '--cacheinfo', `160000,${inner},${path}`);
    git(repository.root, 'commit', '-q', '-m', 'submodule');
    repository = await inspectRepository(repository.root, signal);
    const project = join(folder, 'project');
    makeRepository(join(project, 'lib'), { 'precious.txt': 'x' });
    makeRepository(project, {});
    const place = await lay('s', repository.head);
    rmSync(join(place.workTree, replaced), { recursive: true });
    symlinkSync(project, join(place.workTree, replaced));
    const { tree, dissolved } = await snapshotTree(place, [path], signal);
    expect(dissolved).toEqual([]);
    expect([existsSync(join(project, '.git/HEAD')), existsSync(join(project, 'lib/.git/HEAD'))]).toEqual([true, true]);
    expect(await askGit(place, ['ls-tree', tree, replaced], { signal })).toMatch(/^120000 /); // the link itself is kept
  });

  it('takes a .git that is a link, and nothing it leads to', async () => {
    const place = await lay('s', repository.head);
    const project = join(folder, 'project');
    makeRepository(project, { 'precious.txt': 'x' });
    mkdirSync(join(place.workTree, 'inner'));
    symlinkSync(join(project, '.git'), join(place.workTree, 'inner/.git'));
    writeFileSync(join(place.workTree, 'inner/f.txt'), 'f');
    expect((await snapshotTree(place, [], signal)).dissolved).toEqual(['inner']);
    expect(existsSync(join(project, '.git/HEAD'))).toBe(true);
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
