import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { OperationError } from '../../platform/errors.ts';
import { hideFolder, readJson, removeFolder, writeJson } from './disk.ts';
import { endGroup, endMarked, isAlive, ProcessId, SELF } from './processes.ts';
import type { Session } from './session.ts';
import { sessionAt, SessionRecord, WorkspaceState } from './session.ts';

const Opening = z.strictObject({ job_id: z.string(), holder: ProcessId });

/** One folder of the store, complete or still being opened. */
export interface StoredSession {
  id: string;
  jobId: string;
  /** Of the opening that made it; 0 when the folder's name does not say. */
  generation: number;
  attempt: number;
  /** null while it is being opened, or when a piece of it is missing. */
  session: Session | null;
  /** No `session.json` yet. */
  opening: boolean;
  /** Milliseconds since the epoch: when anything was last done in it. */
  lastUsedAt: number;
  /** The process that opens it or works in it; null: nobody now. */
  holder: ProcessId | null;
  group: ProcessId | null;
}

const ID = /^[0-9a-z-]{1,120}$/;
const OPENED_BY = /-g(\d{1,9})-a(\d{1,9})-[0-9a-f]+$/;
/** Beginning of the names of folders in the trash that a closing works in. */
export const SCRATCH = 'close-';

/** Sessions on disk: `<dir>/open/<session id>/`, `<dir>/closed/<session id>.json`, `<dir>/trash/`. */
export interface SessionStore {
  readonly trash: string;
  /** Takes a folder for a session of this job, and so a slot. Its name says job, generation and attempt, and cannot be guessed. */
  begin(about: { jobId: string; generation: number; attempt: number }): { id: string; dir: string };
  /** From now on the session is there. */
  complete(record: SessionRecord): Session;
  /** @throws OperationError SessionLost when it is not on this disk (any more), or another job's. */
  load(id: string, jobId: string): Session;
  list(): StoredSession[];
  /** Ends what runs in it and removes it; no error when it is gone. */
  remove(id: string): Promise<void>;
  recordClosed(id: string, value: unknown): void;
  readClosed(id: string): unknown;
  /** Removes what nobody will ask for again: half-opened, broken, unused for `maxAgeMs`; ends what dead workers left running. */
  sweep(now: number, maxAgeMs: number): Promise<{ kept: number; removed: number }>;
}

/** The numbered workspaces of a session, newest first; only those that were completed. */
export const workspaceNumbers = (dir: string): number[] =>
  readdirSync(dir)
    .filter((name) => /^[1-9]\d*$/.test(name) && readJson(join(dir, name, 'state.json')) !== null)
    .map(Number)
    .sort((a, b) => b - a);

/** Somebody alive opens it or works in it. */
export const isHeld = ({ holder }: StoredSession): boolean => holder !== null && isAlive(holder);

export const createSessionStore = (dir: string): SessionStore => {
  const open = join(dir, 'open');
  const closed = join(dir, 'closed');
  const trash = join(dir, 'trash');
  for (const folder of [open, closed, trash]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const folderOf = (id: string): string => {
    if (!ID.test(id)) throw new OperationError('SessionLost', 'not a session of this host');
    return join(open, id);
  };
  const modifiedAt = (path: string): number => {
    try {
      return statSync(path).mtimeMs;
    } catch {
      return 0; // not there
    }
  };

  const describe = (id: string): StoredSession => {
    const folder = folderOf(id);
    const [, generation = 0, attempt = 0] = OPENED_BY.exec(id) ?? [];
    const opened = { generation: Number(generation), attempt: Number(attempt) };
    const record = SessionRecord.safeParse(readJson(join(folder, 'session.json')));
    if (!record.success) {
      const opening = Opening.safeParse(readJson(join(folder, 'opening.json')));
      return {
        id,
        jobId: opening.success ? opening.data.job_id : '',
        ...opened,
        session: null,
        opening: true,
        lastUsedAt: modifiedAt(folder),
        holder: opening.success ? opening.data.holder : null,
        group: null,
      };
    }
    const number = workspaceNumbers(folder)[0];
    const statePath = join(folder, String(number), 'state.json');
    const state = WorkspaceState.safeParse(readJson(statePath));
    return {
      id,
      jobId: record.data.job_id,
      ...opened,
      session: state.success ? sessionAt(folder, record.data) : null,
      opening: false,
      lastUsedAt: Math.max(modifiedAt(statePath), modifiedAt(join(folder, 'session.json'))),
      holder: state.success && state.data.phase === 'running' ? state.data.holder : null,
      group: state.success ? state.data.group : null,
    };
  };

  const list = (): StoredSession[] =>
    readdirSync(open)
      .filter((name) => ID.test(name))
      .map(describe);

  const remove = async (id: string): Promise<void> => {
    const { group } = describe(id);
    const doomed = hideFolder(folderOf(id), trash); // first, so that nobody begins to work in it meanwhile
    if (group) await endGroup(group);
    endMarked(id);
    if (doomed !== null) await removeFolder(doomed);
  };

  /** Ends what a dead worker left running; whoever has begun to work in the session meanwhile is let be. */
  const endLeft = async (stored: StoredSession): Promise<void> => {
    if (stored.group) await endGroup(stored.group);
    if (!isHeld(describe(stored.id))) endMarked(stored.id);
  };

  return {
    trash,
    list,
    remove,
    begin: ({ jobId, generation, attempt }) => {
      const id = `${jobId}-g${generation}-a${attempt}-${randomBytes(8).toString('hex')}`;
      const folder = folderOf(id);
      mkdirSync(folder, { mode: 0o700 });
      writeJson(join(folder, 'opening.json'), { job_id: jobId, holder: SELF });
      return { id, dir: folder };
    },
    complete: (record) => {
      const folder = folderOf(record.session_id);
      writeJson(join(folder, 'session.json'), record);
      return sessionAt(folder, record);
    },
    load: (id, jobId) => {
      const stored = describe(id);
      if (stored.session === null || stored.jobId !== jobId)
        throw new OperationError('SessionLost', 'this session is not on this host (any more)');
      return stored.session;
    },
    recordClosed: (id, value) => writeJson(join(closed, `${id}.json`), value),
    readClosed: (id) => (ID.test(id) ? readJson(join(closed, `${id}.json`)) : null),
    sweep: async (now, maxAgeMs) => {
      for (const name of readdirSync(trash)) {
        const inUse = name.startsWith(SCRATCH) && modifiedAt(join(trash, name)) > now - SCRATCH_USED_MS;
        if (!inUse) await removeFolder(join(trash, name));
      }
      for (const name of readdirSync(closed))
        if (modifiedAt(join(closed, name)) < now - CLOSED_KEPT_MS) await rm(join(closed, name), { force: true });
      let removed = 0;
      const all = list();
      for (const { id } of all) {
        // As it is now, not when the list was made: another worker may have begun to work in it, or opened or closed it.
        const stored = describe(id);
        if (isHeld(stored)) continue;
        const age = now - stored.lastUsedAt;
        const begun = stored.opening && stored.holder === null && age < JUST_BEGUN_MS; // another worker makes it right now
        if (begun || (stored.session !== null && age <= maxAgeMs)) {
          await endLeft(stored);
          continue;
        }
        await remove(id); // out of sight before anything else of this process runs
        removed += 1;
      }
      return { kept: all.length - removed, removed };
    },
  };
};

/** A closing may be repeated for as long as its activity may be retried; a week is far beyond. */
const CLOSED_KEPT_MS = 7 * 86_400_000;
/** Between making a session's folder and saying whose it is. */
const JUST_BEGUN_MS = 60_000;
/** A closing of another worker may be at work in its scratch folder: its activity may take 15 minutes. */
const SCRATCH_USED_MS = 3_600_000;
