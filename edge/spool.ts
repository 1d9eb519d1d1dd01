import { createHash, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Problem } from '../contracts/replies.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { backoffMs } from './backoff.ts';
import { createSetAside } from './spool-aside.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { decodeFinal, encodeFinal, fileName, folderName, parseFolderName } from './spool-final.ts';
import type { SpooledFinal } from './spool-final.ts';
import { createSpoolFolder } from './spool-folder.ts';
import { createSpoolIndex } from './spool-index.ts';
import type { HeldEntry, SpoolEntry } from './spool-index.ts';
import { createLeftovers } from './spool-leftovers.ts';
import type { ReleaseName, TakeName } from './spool-owner.ts';
import { traceIdOf } from './utterance.ts';

/** Why a final cannot be taken: its id has another text, or there is no room left anywhere. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
}

export interface Spool {
  /**
   * Takes a final: `disk` when it survives a power cut, `memory` where the disk refuses (which was said), `known` when
   * this id has this text already. @throws SpoolError
   */
  add(final: SpooledFinal): Promise<'disk' | 'memory' | 'known'>;
  /** In spoken order over all starts, as it is now. */
  readonly entries: readonly SpoolEntry[];
  get(key: string): SpoolEntry | undefined;
  /** null: it cannot be understood, was set aside and is no entry now. @throws as the disk does: try again later */
  read(entry: SpoolEntry): Promise<SpooledFinal | null>;
  /** Delivered: no entry at once; resolves when it is off the disk, or the disk keeps it for the next start. */
  settle(entry: SpoolEntry): Promise<void>;
  /** Refused for good: as `settle`, but it goes to `refused/`, the reason beside it. */
  refuse(entry: SpoolEntry, problem: Problem): Promise<void>;
  /** Picks up what edges left that ended since, and removes what could not be removed before. */
  rescan(): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolLimits {
  /** Finals on disk, and their bytes. */
  files: number;
  bytes: number;
  /** Finals in memory while the disk refuses, and their bytes. */
  kept: number;
  keptBytes: number;
}

const LIMITS: SpoolLimits = { files: 10_000, bytes: 64 * 1024 * 1024, kept: 1_000, keptBytes: 8 * 1024 * 1024 };
/** Ids whose text is remembered, to tell a repetition from a conflict. */
const MAX_KNOWN = 20_000;
/** The newest finals are not read back from disk to be sent. */
const MAX_FRESH = 16;
/** Between attempts to write what is in memory, milliseconds. */
const RETRY = { firstMs: 2_000, mostMs: 30_000 };

export interface SpoolOptions {
  /** Made when missing. */
  dir: string;
  disk: SpoolDisk;
  takeName: TakeName;
  /** The disk does not take finals (why, for people), or takes them again (null); on every change. */
  problem(problem: string | null): void;
  log: Pick<Log, 'warn'>;
  limits?: Partial<SpoolLimits>;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The oldest, beyond `most`. */
const forgetOldest = (map: Map<string, unknown>, most: number): void => {
  if (map.size > most) map.delete(map.keys().next().value ?? '');
};

/** One more than the highest number of a start that left something: names keep spoken order whatever the clock does. */
const nextStart = async (dir: string, disk: SpoolDisk): Promise<number> => {
  const names = await disk.list(dir).catch(() => []);
  return 1 + Math.max(0, ...names.map((name) => parseFolderName(name)?.start ?? 0));
};

/**
 * Finals on their way, each a file: `<dir>/<start>-<life>/<sequence>-<trace id>.json`, a folder a start of the edge.
 * Nothing is refused for the disk's sake: what it does not take is kept in memory, said, and tried again.
 */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { dir, disk, log, takeName } = options;
  const limits = { ...LIMITS, ...options.limits };
  const life = randomBytes(8).toString('hex');
  // The name first: a folder whose name nobody holds is that of a dead edge.
  const name = await takeName(life).catch((error: unknown): ReleaseName | null => {
    log.warn({ error: messageOf(error) }, 'a second edge on this spool could not tell that this one lives');
    return null;
  });
  const own = folderName(await nextStart(dir, disk), life);
  const folder = createSpoolFolder(dir, own, disk);
  const aside = createSetAside(dir, disk);
  const leftovers = createLeftovers({ dir, own, disk, takeName, aside, log });
  const index = createSpoolIndex();
  const known = new Map<string, string>();
  const writing = new Map<string, Promise<'disk' | 'memory'>>();
  const fresh = new Map<string, SpooledFinal>();
  /** Files that are settled and could not be removed. */
  const stuck = new Set<string>();
  const underway = new Set<Promise<unknown>>();
  let problem: string | null = null;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let closed = false;

  const say = (next: string | null): void => {
    if (next === problem) return;
    problem = next;
    options.problem(next);
  };
  const pathOf = (entry: SpoolEntry): string => join(dir, entry.folder, entry.name);
  const track = <T>(work: Promise<T>): Promise<T> => {
    underway.add(work);
    const done = (): void => void underway.delete(work);
    work.then(done, done);
    return work;
  };

  /** null when it is durable, else why not. */
  const write = async (entry: SpoolEntry, text: string): Promise<string | null> => {
    const { count, bytes } = index.onDisk;
    return count >= limits.files || bytes + Buffer.byteLength(text) > limits.bytes
      ? 'the spool is full of sentences that wait for the gateway: further ones are kept in memory, and lost if the edge ends'
      : folder.write(entry.name, text);
  };
  const remove = async (path: string): Promise<void> => {
    try {
      await disk.remove(path);
      stuck.delete(path);
    } catch (error) {
      if (!stuck.has(path))
        log.warn({ file: path, error: messageOf(error) }, 'a delivered final cannot be removed yet');
      stuck.add(path);
    }
  };

  let flushing: Promise<void> | undefined;
  const flushKept = (): Promise<void> => {
    clearTimeout(retry);
    flushing ??= track(
      (async () => {
        let wrote = false;
        for (const entry of index.entries.filter(({ kept }) => kept)) {
          if (!entry.kept || index.get(entry.key) !== entry) continue;
          const why = await write(entry, encodeFinal(entry.kept));
          if (why !== null) {
            say(why);
            if (!closed) retry = setTimeout(() => void flushKept(), backoffMs(failures++, RETRY));
            return;
          }
          wrote = true;
          if (index.get(entry.key) === entry) index.written(entry);
          else await remove(pathOf(entry)); // settled meanwhile
        }
        failures = 0;
        if (wrote) say(null);
      })(),
    ).finally(() => (flushing = undefined));
    return flushing;
  };

  const put = async (final: SpooledFinal, key: string): Promise<'disk' | 'memory'> => {
    const text = encodeFinal(final);
    const entry: HeldEntry = {
      key,
      folder: own,
      name: fileName(final.sequence, key),
      bytes: Buffer.byteLength(text),
      kept: null,
    };
    const why = await write(entry, text);
    if (why === null) {
      fresh.set(key, final);
      forgetOldest(fresh, MAX_FRESH);
      index.add(entry);
      if (index.inMemory.count > 0) void flushKept();
      else say(null);
      return 'disk';
    }
    say(why);
    const { count, bytes } = index.inMemory;
    if (count >= limits.kept || bytes + entry.bytes > limits.keptBytes)
      throw new SpoolError(`a sentence is lost: memory is full as well (${count} sentences)`);
    entry.kept = final;
    index.add(entry);
    if (!flushing) {
      clearTimeout(retry);
      retry = setTimeout(() => void flushKept(), backoffMs(failures++, RETRY));
    }
    return 'memory';
  };

  const read = async (entry: SpoolEntry): Promise<SpooledFinal | null> => {
    const held = index.get(entry.key)?.kept ?? fresh.get(entry.key);
    if (held) return held;
    const path = pathOf(entry);
    const text = await disk.read(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    const final = text === null ? null : decodeFinal(text);
    if (final && traceIdOf(final.utteranceId) === entry.key) {
      known.set(entry.key, digestOf(final.text));
      forgetOldest(known, MAX_KNOWN);
      return final;
    }
    index.remove(entry);
    const moved = text !== null && (await aside.bad(path, `${entry.folder}-${entry.name}`).catch(() => false));
    log.warn({ file: path, moved }, 'a spooled final is gone or cannot be understood: set aside');
    return null;
  };

  const tidy = async (): Promise<void> => {
    for (const path of [...stuck]) await remove(path);
    const holds = [...stuck].map((path) => dirname(path));
    await leftovers.clear((left) => index.countOf(left) === 0 && !holds.includes(join(dir, left)));
  };
  const rescan = async (): Promise<void> => {
    await tidy();
    for (const left of await leftovers.adopt(limits.files - index.onDisk.count))
      if (index.get(left.key)) log.warn({ file: pathOf(left) }, 'a final is in the spool twice: one is left alone');
      else index.add({ ...left, kept: null });
  };
  const rescanSafely = (): Promise<void> =>
    track(
      rescan().catch((error: unknown) => log.warn({ error: messageOf(error) }, 'the spool cannot be looked through')),
    );

  say(await folder.prepare());
  await rescanSafely();

  return {
    entries: index.entries,
    get: (key) => index.get(key),
    read,
    rescan: rescanSafely,
    add: async (final) => {
      if (closed) throw new SpoolError('a sentence came after the end of the spool');
      const key = traceIdOf(final.utteranceId);
      const digest = digestOf(final.text);
      const left = known.has(key) ? undefined : index.get(key);
      if (left) await read(left);
      const earlier = known.get(key);
      if (earlier !== undefined) {
        if (earlier !== digest)
          throw new SpoolError(`utterance ${final.utteranceId} has a final already, with another text`);
        await writing.get(key);
        return 'known';
      }
      known.set(key, digest);
      forgetOldest(known, MAX_KNOWN);
      const work = track(put(final, key));
      writing.set(key, work);
      try {
        return await work;
      } catch (error) {
        known.delete(key);
        throw error;
      } finally {
        writing.delete(key);
      }
    },
    settle: async (entry) => {
      if (!index.remove(entry)) return;
      fresh.delete(entry.key);
      await track(remove(pathOf(entry)));
    },
    refuse: async (entry, why) => {
      const kept = index.get(entry.key)?.kept ?? null;
      if (!index.remove(entry)) return;
      fresh.delete(entry.key);
      const text = kept && encodeFinal(kept);
      const file = { path: pathOf(entry), name: `${entry.folder}-${entry.name}`, text };
      await track(aside.refused(file, why)).catch((error: unknown) =>
        log.warn({ file: file.path, error: messageOf(error) }, 'a refused final cannot be set aside'),
      );
    },
    close: async () => {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      if (index.inMemory.count > 0) await flushKept();
      await Promise.allSettled(underway);
      if (index.inMemory.count > 0)
        options.problem(`${index.inMemory.count} sentences were neither delivered nor written: they are lost`);
      await tidy();
      if (index.countOf(own) === 0) await folder.remove();
      await leftovers.close();
      await name?.();
    },
  };
};
