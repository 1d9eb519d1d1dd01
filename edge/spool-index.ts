import type { SpooledFinal } from './spool-final.ts';

/** One final that was not settled yet. */
export interface SpoolEntry {
  /** Its trace id, which names it. */
  readonly key: string;
  /** Of the start of an edge that heard it. */
  readonly folder: string;
  /** Spoken order is the order of `folder`, then of `name`. */
  readonly name: string;
}

export interface HeldEntry extends SpoolEntry {
  readonly bytes: number;
  /** The final itself while the disk refuses it; null: it is on disk. */
  kept: SpooledFinal | null;
}

export interface SpoolIndex {
  /** In spoken order. */
  readonly entries: readonly HeldEntry[];
  readonly onDisk: { readonly count: number; readonly bytes: number };
  readonly inMemory: { readonly count: number; readonly bytes: number };
  get(key: string): HeldEntry | undefined;
  add(entry: HeldEntry): void;
  /** False: it was none. */
  remove(entry: SpoolEntry): boolean;
  /** What was in memory is on disk now. */
  written(entry: HeldEntry): void;
  /** Entries of one start. */
  countOf(folder: string): number;
}

const isBefore = (a: SpoolEntry, b: SpoolEntry): boolean =>
  a.folder === b.folder ? a.name < b.name : a.folder < b.folder;

/** What waits, in spoken order, and how much of it; a name and a number an entry, no text but what is on no disk. */
export const createSpoolIndex = (): SpoolIndex => {
  const entries: HeldEntry[] = [];
  const byKey = new Map<string, HeldEntry>();
  const perFolder = new Map<string, number>();
  const onDisk = { count: 0, bytes: 0 };
  const inMemory = { count: 0, bytes: 0 };

  const count = (entry: HeldEntry, by: 1 | -1): void => {
    const total = entry.kept ? inMemory : onDisk;
    total.count += by;
    total.bytes += by * entry.bytes;
  };
  /** Where it stands, or would. */
  const placeOf = (entry: SpoolEntry): number => {
    let [from, to] = [0, entries.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const there = entries[middle];
      if (there && isBefore(there, entry)) from = middle + 1;
      else to = middle;
    }
    return from;
  };

  return {
    entries,
    onDisk,
    inMemory,
    get: (key) => byKey.get(key),
    add: (entry) => {
      entries.splice(placeOf(entry), 0, entry);
      byKey.set(entry.key, entry);
      perFolder.set(entry.folder, (perFolder.get(entry.folder) ?? 0) + 1);
      count(entry, 1);
    },
    remove: ({ key }) => {
      const entry = byKey.get(key);
      if (!entry) return false;
      byKey.delete(key);
      entries.splice(placeOf(entry), 1);
      const left = (perFolder.get(entry.folder) ?? 1) - 1;
      if (left > 0) perFolder.set(entry.folder, left);
      else perFolder.delete(entry.folder);
      count(entry, -1);
      return true;
    },
    written: (entry) => {
      count(entry, -1);
      entry.kept = null;
      count(entry, 1);
    },
    countOf: (folder) => perFolder.get(folder) ?? 0,
  };
};
