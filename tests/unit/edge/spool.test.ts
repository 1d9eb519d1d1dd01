import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Problem } from '../../../contracts/replies.ts';
import { createSpoolDisk } from '../../../edge/spool-disk.ts';
import type { SpooledFinal } from '../../../edge/spool-final.ts';
import { createTakeName } from '../../../edge/spool-owner.ts';
import { openSpool, SpoolError } from '../../../edge/spool.ts';
import type { Spool, SpoolOptions } from '../../../edge/spool.ts';
import type { SpoolEntry } from '../../../edge/spool-index.ts';
import { createLog } from '../../../platform/log.ts';
import { createMemoryDisk, createNames, spooledNames } from '../../fakes/memory-disk.ts';
import { until } from '../../fakes/until.ts';

const DIR = '/data/edge/spool';
const PROBLEM: Problem = { type: 'urn:dual:problem:too-old', title: 'too old', status: 400 };

const final = (sequence: number, change: Partial<SpooledFinal> = {}): SpooledFinal => ({
  sessionId: 'edge-1',
  utteranceId: `u-${change.sessionId ?? 'edge-1'}-${sequence}`,
  sequence,
  text: `sentence ${sequence}`,
  saidAt: '2026-11-26T10:00:00.000Z',
  latencyMs: 120,
  ...change,
});

interface Opened {
  spool: Spool;
  problems: (string | null)[];
  warnings: [Record<string, unknown>, string][];
}

const opened: Opened[] = [];
const open = async (options: Pick<SpoolOptions, 'disk' | 'takeName'> & Partial<SpoolOptions>): Promise<Opened> => {
  const problems: Opened['problems'] = [];
  const warnings: Opened['warnings'] = [];
  const log = createLog(
    'edge',
    (line) => line,
    'warn',
    (line) => {
      const { msg, ...fields } = JSON.parse(line) as { msg: string };
      warnings.push([fields, msg]);
    },
  );
  const spool = await openSpool({
    dir: DIR,
    problem: (problem) => problems.push(problem),
    log,
    ...options,
  });
  const one = { spool, problems, warnings };
  opened.push(one);
  return one;
};

const firstOf = (spool: Spool): SpoolEntry => {
  const [first] = spool.entries;
  if (!first) throw new Error('the spool is empty');
  return first;
};

const textsOf = async (spool: Spool): Promise<string[]> => {
  const texts: string[] = [];
  for (const entry of [...spool.entries]) texts.push((await spool.read(entry))?.text ?? 'nothing');
  return texts;
};

afterEach(async () => {
  for (const { spool } of opened.splice(0)) await spool.close();
  jest.useRealTimers();
});

describe('the spool', () => {
  it('writes beside, renames, flushes the folder, and only then says it is on disk', async () => {
    const disk = createMemoryDisk();
    const calls: string[] = [];
    const { spool } = await open({ disk, takeName: createNames().process().takeName });
    disk.fault = (call, path) => {
      calls.push(
        `${call} ${path
          .replace(/^.*\//, '')
          .replace(/[0-9a-f]{32}/, 'KEY')
          .replace(/^\d{8}-.*$/, 'OWN')}`,
      );
      return null;
    };
    expect(await spool.add(final(1))).toBe('disk');
    expect(calls).toEqual([
      'makeFolder OWN',
      'write .0000000001-KEY.json.tmp',
      'move .0000000001-KEY.json.tmp',
      'flushFolder OWN',
    ]);
    expect(JSON.parse([...disk.files.values()][0] ?? '')).toEqual({
      v: 1,
      session_id: 'edge-1',
      sequence: 1,
      utterance_id: 'u-edge-1-1',
      text: 'sentence 1',
      said_at: '2026-11-26T10:00:00.000Z',
      latency_ms: 120,
    });
  });

  it('makes the folder itself durable once', async () => {
    const disk = createMemoryDisk();
    const flushed: string[] = [];
    disk.fault = (call, path) => {
      if (call === 'flushFolder') flushed.push(path);
      return null;
    };
    await open({ disk, takeName: createNames().process().takeName });
    expect(flushed).toEqual([DIR, '/data/edge']);
  });

  it('gives finals out in spoken order, whatever the order they came in, and forgets what is settled', async () => {
    const disk = createMemoryDisk();
    const { spool } = await open({ disk, takeName: createNames().process().takeName });
    for (const sequence of [3, 1, 10, 2, 9]) await spool.add(final(sequence));
    expect(await textsOf(spool)).toEqual([1, 2, 3, 9, 10].map((n) => `sentence ${n}`));
    const first = firstOf(spool);
    await spool.settle(first);
    await spool.settle(first);
    expect(await textsOf(spool)).toEqual([2, 3, 9, 10].map((n) => `sentence ${n}`));
    expect(spooledNames(disk, DIR)).toHaveLength(4);
  });

  it('keeps spoken order over restarts although the clock is set back, and delivers under the old session', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const days = ['2026-11-26T10:00:00.000Z', '2026-11-20T10:00:00.000Z', '2020-01-01T00:00:00.000Z'];
    for (const [at, saidAt] of days.entries()) {
      jest.useFakeTimers({ now: Date.parse(saidAt), doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
      const edge = names.process();
      const { spool } = await open({ disk, takeName: edge.takeName });
      for (const sequence of [1, 2])
        await spool.add(final(sequence, { sessionId: `edge-${at}`, saidAt, text: `${at}.${sequence}` }));
      opened.pop();
      edge.kill();
    }
    const { spool } = await open({ disk, takeName: names.process().takeName });
    expect(await textsOf(spool)).toEqual(['0.1', '0.2', '1.1', '1.2', '2.1', '2.2']);
    expect(spooledNames(disk, DIR).map((name) => name.slice(0, 8))).toEqual(
      ['1', '1', '2', '2', '3', '3'].map((n) => n.padStart(8, '0')),
    );
    expect((await spool.read(firstOf(spool)))?.sessionId).toBe('edge-0');
    await spool.add(final(1, { sessionId: 'edge-now', text: 'now' }));
    expect((await textsOf(spool)).at(-1)).toBe('now');
  });

  it('refuses a second final of an id with another text, and takes the same text once', async () => {
    const disk = createMemoryDisk();
    const { spool } = await open({ disk, takeName: createNames().process().takeName });
    const both = [spool.add(final(1)), spool.add(final(1))];
    expect(await Promise.all(both)).toEqual(['disk', 'known']);
    await expect(spool.add(final(1, { text: 'another' }))).rejects.toThrow(SpoolError);
    await spool.settle(firstOf(spool));
    expect(await spool.add(final(1))).toBe('known');
    await expect(spool.add(final(1, { text: 'another' }))).rejects.toThrow('has a final already');
    expect(spool.entries).toHaveLength(0);
  });

  it('knows the ids of what it found on disk as well', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const dead = names.process();
    await (await open({ disk, takeName: dead.takeName })).spool.add(final(1));
    opened.pop();
    dead.kill();
    const { spool } = await open({ disk, takeName: names.process().takeName });
    expect(await spool.add(final(1))).toBe('known');
    await expect(spool.add(final(1, { text: 'another' }))).rejects.toThrow(SpoolError);
  });

  it('leaves to a living edge what is its own, and takes over when it died', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const other = names.process();
    await (await open({ disk, takeName: other.takeName })).spool.add(final(1, { sessionId: 'other' }));
    opened.pop();
    const { spool } = await open({ disk, takeName: names.process().takeName });
    await spool.add(final(1));
    await spool.rescan();
    expect(await textsOf(spool)).toEqual(['sentence 1']);
    expect((await spool.read(firstOf(spool)))?.sessionId).toBe('edge-1');
    other.kill();
    await spool.rescan();
    expect(spool.entries).toHaveLength(2);
    for (const entry of [...spool.entries]) await spool.settle(entry);
    await spool.close();
    expect([...disk.files.keys()]).toEqual([]);
    expect(await disk.list(DIR)).toEqual([]);
  });

  it('sets aside what a crash tore, keeps what is whole, deletes nothing, and says so without the words', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const dead = names.process();
    const first = await open({ disk, takeName: dead.takeName });
    for (const sequence of [1, 2, 3, 4]) await first.spool.add(final(sequence, { text: `secret ${sequence}` }));
    opened.pop();
    dead.kill();
    const paths = [...disk.files.keys()];
    const textAt = (at: number): string => disk.files.get(paths[at] ?? '') ?? '';
    const torn = textAt(0).slice(0, 40);
    disk.put(paths[0] ?? '', torn);
    // A file under another one's name.
    disk.put(paths[1] ?? '', textAt(2));
    // Its writing had ended, its renaming had not.
    const [folder, file] = (paths[3] ?? '').split(/\/(?=[^/]*$)/);
    disk.put(`${folder}/.${file}.tmp`, textAt(3));
    await disk.remove(paths[3] ?? '');
    disk.put(`${folder}/.0000000009-${'0'.repeat(32)}.json.tmp`, '{"v":1,');
    disk.put(`${folder}/notes.txt`, 'not ours');
    const { spool, warnings } = await open({ disk, takeName: names.process().takeName });
    expect((await textsOf(spool)).filter((text) => text !== 'nothing')).toEqual(['secret 3', 'secret 4']);
    expect(spool.entries).toHaveLength(2);
    const bad = [...disk.files].filter(([path]) => path.startsWith(`${DIR}/bad/`));
    expect(bad.map(([, text]) => text).sort()).toEqual([textAt(2), 'not ours', torn, '{"v":1,'].sort());
    expect(warnings).toHaveLength(4);
    expect(JSON.stringify(warnings)).not.toContain('secret');
  });

  it('takes the whole one where a failed attempt to write it was left beside it', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const dead = names.process();
    await (await open({ disk, takeName: dead.takeName })).spool.add(final(1));
    opened.pop();
    dead.kill();
    const [path] = [...disk.files.keys()];
    disk.put((path ?? '').replace(/([^/]*)$/, '.$1.tmp'), '{"v":1,');
    const { spool, warnings } = await open({ disk, takeName: names.process().takeName });
    expect(await textsOf(spool)).toEqual(['sentence 1']);
    expect([...disk.files.keys()]).toEqual([path]);
    expect(warnings).toEqual([]);
  });

  it('complains once about what it can neither read nor set aside', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    disk.put(`${DIR}/00000001-0123456789abcdef/notes.txt`, 'not ours');
    disk.fault = (call) => (call === 'move' ? 'EACCES' : null);
    const { spool, warnings } = await open({ disk, takeName: names.process().takeName });
    for (let n = 0; n < 3; n++) await spool.rescan();
    expect(warnings).toHaveLength(1);
    expect(spool.entries).toHaveLength(0);
    expect(disk.files.size).toBe(1);
  });

  it('drops a final whose file vanished, and says so', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const dead = names.process();
    await (await open({ disk, takeName: dead.takeName })).spool.add(final(1));
    opened.pop();
    dead.kill();
    const { spool, warnings } = await open({ disk, takeName: names.process().takeName });
    for (const path of disk.files.keys()) await disk.remove(path);
    expect(await textsOf(spool)).toEqual(['nothing']);
    expect(spool.entries).toHaveLength(0);
    expect(warnings.map(([, message]) => message)).toEqual([
      'a spooled final is gone or cannot be understood: set aside',
    ]);
  });

  it('lets a file that cannot be read now be tried again', async () => {
    const disk = createMemoryDisk();
    const names = createNames();
    const dead = names.process();
    await (await open({ disk, takeName: dead.takeName })).spool.add(final(1));
    opened.pop();
    dead.kill();
    const { spool } = await open({ disk, takeName: names.process().takeName });
    disk.fault = (call) => (call === 'read' ? 'EIO' : null);
    await expect(spool.read(firstOf(spool))).rejects.toThrow('EIO');
    disk.fault = () => null;
    expect(await textsOf(spool)).toEqual(['sentence 1']);
  });

  it('sets a refused final aside with the reason, and keeps the newest of them', async () => {
    const disk = createMemoryDisk();
    const { spool } = await open({ disk, takeName: createNames().process().takeName });
    for (let sequence = 1; sequence <= 203; sequence++) {
      await spool.add(final(sequence));
      await spool.refuse(firstOf(spool), PROBLEM);
    }
    const refused = [...disk.files.keys()].filter((path) => path.startsWith(`${DIR}/refused/`)).sort();
    expect(refused).toHaveLength(400);
    expect(disk.files.get(refused[0] ?? '')).toContain('"text":"sentence 4"');
    expect(JSON.parse(disk.files.get(refused[1] ?? '') ?? '')).toEqual(PROBLEM);
    expect(spool.entries).toHaveLength(0);
  });

  describe('on a disk that refuses', () => {
    it.each(['ENOSPC', 'EROFS', 'EACCES'])(
      'keeps finals in memory on %s, says so once, and writes them later',
      async (code) => {
        jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
        const disk = createMemoryDisk();
        const { spool, problems } = await open({ disk, takeName: createNames().process().takeName });
        disk.fault = (call) => (call === 'write' || call === 'remove' ? code : null);
        expect(await spool.add(final(1))).toBe('memory');
        expect(await spool.add(final(2))).toBe('memory');
        expect(await spool.add(final(2))).toBe('known');
        expect(await textsOf(spool)).toEqual(['sentence 1', 'sentence 2']);
        await jest.advanceTimersByTimeAsync(60_000);
        expect(problems).toHaveLength(1);
        expect(problems[0]).toContain(code);
        disk.fault = () => null;
        await jest.advanceTimersByTimeAsync(60_000);
        expect(problems).toEqual([expect.stringContaining(DIR), null]);
        expect(spooledNames(disk, DIR)).toHaveLength(2);
        expect(await textsOf(spool)).toEqual(['sentence 1', 'sentence 2']);
      },
    );

    it.each(['makeFolder', 'move', 'flushFolder'] as const)('does the same when %s fails', async (broken) => {
      const disk = createMemoryDisk();
      const { spool, problems } = await open({ disk, takeName: createNames().process().takeName });
      disk.fault = (call) => (call === broken ? 'ENOSPC' : null);
      expect(await spool.add(final(1))).toBe('memory');
      disk.fault = () => null;
      // The next sentence that is written takes it along.
      expect(await spool.add(final(2))).toBe('disk');
      await until(() => (problems.includes(null) ? true : undefined));
      expect(spooledNames(disk, DIR)).toHaveLength(2);
      for (const entry of [...spool.entries]) await spool.settle(entry);
      expect([...disk.files.keys()]).toEqual([]);
    });

    it('delivers from memory meanwhile, and writes nothing afterwards', async () => {
      const disk = createMemoryDisk();
      const { spool } = await open({ disk, takeName: createNames().process().takeName });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1));
      await spool.settle(firstOf(spool));
      disk.fault = () => null;
      await spool.add(final(2));
      expect(await textsOf(spool)).toEqual(['sentence 2']);
      expect(spooledNames(disk, DIR)).toHaveLength(1);
    });

    it('does not say that the disk is well again because nothing is left to write', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
      const disk = createMemoryDisk();
      const { spool, problems } = await open({ disk, takeName: createNames().process().takeName });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1));
      await spool.settle(firstOf(spool));
      await jest.advanceTimersByTimeAsync(120_000);
      expect(problems).toHaveLength(1);
      disk.fault = () => null;
      await spool.add(final(2));
      expect(problems.at(-1)).toBeNull();
    });

    it('removes what was written while it was being delivered', async () => {
      const disk = createMemoryDisk();
      const { spool } = await open({ disk, takeName: createNames().process().takeName });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1));
      const kept = firstOf(spool);
      let settled: Promise<void> | undefined;
      disk.fault = (call, path) => {
        if (call === 'write' && path.includes('0000000001-')) settled = spool.settle(kept);
        return null;
      };
      await spool.add(final(2));
      await until(() => (settled ? true : undefined));
      await settled;
      await until(() => (spooledNames(disk, DIR).length === 1 ? true : undefined));
      expect(await textsOf(spool)).toEqual(['sentence 2']);
    });

    it('refuses loudly when memory is full as well, and takes that id again when there is room', async () => {
      const disk = createMemoryDisk();
      const { spool } = await open({ disk, takeName: createNames().process().takeName, limits: { kept: 2 } });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1));
      await spool.add(final(2));
      await expect(spool.add(final(3))).rejects.toThrow('memory is full as well');
      expect(spool.entries).toHaveLength(2);
      disk.fault = () => null;
      expect(await spool.add(final(3))).toBe('disk');
    });

    it('counts bytes in memory, too', async () => {
      const disk = createMemoryDisk();
      const { spool } = await open({ disk, takeName: createNames().process().takeName, limits: { keptBytes: 2_000 } });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1, { text: 'x'.repeat(1_000) }));
      await expect(spool.add(final(2, { text: 'x'.repeat(1_000) }))).rejects.toThrow(SpoolError);
    });

    it.each([{ files: 2 }, { bytes: 400 }])(
      'is full at %j: goes on in memory, and on disk when there is room',
      async (limits) => {
        const disk = createMemoryDisk();
        const { spool, problems } = await open({ disk, takeName: createNames().process().takeName, limits });
        expect(await spool.add(final(1))).toBe('disk');
        expect(await spool.add(final(2))).toBe('disk');
        expect(await spool.add(final(3))).toBe('memory');
        expect(problems).toEqual([expect.stringContaining('full')]);
        for (const entry of spool.entries.slice(0, 2)) await spool.settle(entry);
        expect(await spool.add(final(4))).toBe('disk');
        await until(() => (problems.at(-1) === null ? true : undefined));
        expect(await textsOf(spool)).toEqual(['sentence 3', 'sentence 4']);
        expect(spooledNames(disk, DIR)).toHaveLength(2);
      },
    );

    it('does not give out again what cannot be removed, and removes it later', async () => {
      const disk = createMemoryDisk();
      const { spool } = await open({ disk, takeName: createNames().process().takeName });
      await spool.add(final(1));
      disk.fault = (call) => (call === 'remove' ? 'EBUSY' : null);
      await spool.settle(firstOf(spool));
      await spool.rescan();
      expect(spool.entries).toHaveLength(0);
      expect(await spool.add(final(1))).toBe('known');
      expect(disk.files.size).toBe(1);
      disk.fault = () => null;
      await spool.rescan();
      expect(disk.files.size).toBe(0);
    });

    it('tells at the end what is lost, after a last attempt', async () => {
      const disk = createMemoryDisk();
      const { spool, problems } = await open({ disk, takeName: createNames().process().takeName });
      disk.fault = (call) => (call === 'write' ? 'ENOSPC' : null);
      await spool.add(final(1));
      await spool.close();
      expect(problems.at(-1)).toContain('1 sentences were neither delivered nor written');
      await expect(spool.add(final(2))).rejects.toThrow('after the end');
    });

    it('opens, and says so, where not even the folder can be made', async () => {
      const disk = createMemoryDisk();
      disk.fault = () => 'EROFS';
      const { spool, problems } = await open({ disk, takeName: createNames().process().takeName });
      expect(problems).toEqual([expect.stringContaining('the disk is read-only')]);
      expect(await spool.add(final(1))).toBe('memory');
      expect(await textsOf(spool)).toEqual(['sentence 1']);
    });
  });
});

describe('the spool on this machine', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'spool-'));
    folders.push(path);
    return path;
  };
  afterEach(() => {
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  const windows = process.platform === 'win32';
  if (windows) console.warn('file modes are not checked: Windows has none');
  (windows ? it.skip : it)('is readable by its owner alone', async () => {
    const dir = join(folder(), 'edge', 'spool');
    const { spool } = await open({ dir, disk: createSpoolDisk(), takeName: createTakeName() });
    await spool.add(final(1));
    const [own] = readdirSync(dir);
    const [file] = readdirSync(join(dir, own ?? ''));
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect([modeOf(dir), modeOf(join(dir, own ?? '')), modeOf(join(dir, own ?? '', file ?? ''))]).toEqual([
      '700',
      '700',
      '600',
    ]);
    await spool.settle(firstOf(spool));
    await spool.close();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('two on one folder: each its own; the second takes over when the first has ended', async () => {
    const dir = folder();
    const disk = createSpoolDisk();
    const first = await open({ dir, disk, takeName: createTakeName() });
    const second = await open({ dir, disk, takeName: createTakeName() });
    await first.spool.add(final(1, { sessionId: 'one' }));
    await second.spool.add(final(1, { sessionId: 'two' }));
    await second.spool.rescan();
    expect(second.spool.entries).toHaveLength(1);
    await first.spool.close();
    await second.spool.rescan();
    expect(second.spool.entries).toHaveLength(2);
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  if (!canMount)
    console.warn(
      'SKIPPED: a really full and a read-only disk need a Linux machine and root, to mount 64 KiB of memory',
    );
  (canMount ? it : it.skip)('a really full disk: nothing is lost, and all is written when there is room', async () => {
    const dir = join(folder(), 'disk');
    mkdirSync(dir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
    try {
      const ballast = join(dir, 'ballast');
      const { spool, problems } = await open({
        dir: join(dir, 'spool'),
        disk: createSpoolDisk(),
        takeName: createTakeName(),
      });
      expect(await spool.add(final(1))).toBe('disk');
      try {
        writeFileSync(ballast, Buffer.alloc(128 * 1024));
      } catch {
        // As much as there is room for.
      }
      const where: string[] = [];
      for (let sequence = 2; sequence <= 20; sequence++) where.push(await spool.add(final(sequence)));
      expect(where).toContain('memory');
      expect(problems).toEqual([expect.stringContaining('ENOSPC, the disk is full')]);
      expect(await textsOf(spool)).toEqual(Array.from({ length: 20 }, (_, n) => `sentence ${n + 1}`));
      rmSync(ballast);
      for (const entry of spool.entries.slice(0, 10)) await spool.settle(entry);
      expect(await spool.add(final(21))).toBe('disk');
      await until(() => (problems.at(-1) === null ? true : undefined));
      const [own] = readdirSync(join(dir, 'spool'));
      const files = readdirSync(join(dir, 'spool', own ?? ''));
      expect(files).toHaveLength(11);
      for (const file of files) JSON.parse(readFileSync(join(dir, 'spool', own ?? '', file), 'utf8'));
      await spool.close();
    } finally {
      execFileSync('umount', ['-l', dir]);
    }
  });

  (canMount ? it : it.skip)(
    'a really read-only disk: finals go on in memory, and what is on it is given out once',
    async () => {
      const dir = join(folder(), 'disk');
      mkdirSync(dir);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
      try {
        const { spool, problems } = await open({ dir, disk: createSpoolDisk(), takeName: createTakeName() });
        await spool.add(final(1));
        execFileSync('mount', ['-o', 'remount,ro', dir]);
        expect(await spool.add(final(2))).toBe('memory');
        expect(problems).toEqual([expect.stringContaining('EROFS, the disk is read-only')]);
        await spool.settle(firstOf(spool));
        await spool.rescan();
        expect(await textsOf(spool)).toEqual(['sentence 2']);
        execFileSync('mount', ['-o', 'remount,rw', dir]);
        await spool.rescan();
        expect(await spool.add(final(3))).toBe('disk');
        await until(() => (problems.at(-1) === null ? true : undefined));
        const [own] = readdirSync(dir);
        expect(readdirSync(join(dir, own ?? '')).map((name) => name.slice(0, 10))).toEqual([
          '0000000002',
          '0000000003',
        ]);
        await spool.close();
      } finally {
        execFileSync('umount', ['-l', dir]);
      }
    },
  );
});
