import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TraceEvent } from '../contracts/trace-event.ts';
import { messageOf } from '../platform/errors.ts';
import { traceFiles } from '../platform/trace-log.ts';
import { EVENT_COLUMNS } from './trace-database.ts';

export interface ImportSummary {
  files: number;
  /** Events that were not in the database yet. */
  events: number;
  /** Lines whose event was there already. */
  repeated: number;
  /** Lines that are no events; the view `import_errors` lists them. */
  unreadable: number;
}

export interface ImportOptions {
  traceDir: string;
  database: DatabaseSync;
  signal: AbortSignal;
  /** Bytes of one transaction; default 4 MiB. */
  chunkBytes?: number;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** A line longer than this is none of ours, and is passed over. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Characters of an unreadable line that are kept. */
const KEPT_CHARS = 2_000;
const NEWLINE = 0x0a;

const hash = (...parts: (string | Uint8Array)[]): string => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part).update('\0');
  return digest.digest('hex').slice(0, 32);
};

/** Up to `length` bytes from `offset` on. */
const readAt = (fd: number, offset: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, bytes, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
};

/** Where the first line break at or after `offset` is; -1 when there is none (yet). */
const nextBreak = (fd: number, offset: number): number => {
  for (let at = offset; ; at += CHUNK_BYTES) {
    const bytes = readAt(fd, at, CHUNK_BYTES);
    const found = bytes.indexOf(NEWLINE);
    if (found >= 0) return at + found;
    if (bytes.length < CHUNK_BYTES) return -1;
  }
};

/**
 * A file is known by its name and its first line: one that is cut off and begun anew under the same name is another
 * file, and two files whose first lines are the same event are two. null: there is no whole line yet.
 */
const keyOf = (fd: number, name: string): string | null => {
  const end = nextBreak(fd, 0);
  return end < 0 ? null : hash(name, readAt(fd, 0, Math.min(end, MAX_LINE_BYTES)));
};

interface Statements {
  offset: StatementSync;
  setOffset: StatementSync;
  addEvent: StatementSync;
  addBadLine: StatementSync;
}

const prepare = (database: DatabaseSync): Statements => ({
  offset: database.prepare('SELECT bytes_read FROM files WHERE key = ?'),
  setOffset: database.prepare(
    `INSERT INTO files (key, name, bytes_read, imported_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET bytes_read = excluded.bytes_read, imported_at = excluded.imported_at`,
  ),
  addEvent: database.prepare(
    `INSERT INTO events (${EVENT_COLUMNS.join(', ')}) VALUES (${EVENT_COLUMNS.map(() => '?').join(', ')})
     ON CONFLICT (event_id) DO NOTHING`,
  ),
  addBadLine: database.prepare(
    `INSERT INTO bad_lines (key, file, byte_offset, reason, line, found_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO NOTHING`,
  ),
});

/** A line as an event, or why it is none. */
export const parseTraceLine = (line: string): { event: TraceEvent } | { problem: string } => {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    return { problem: `not valid JSON: ${messageOf(error)}` };
  }
  const parsed = TraceEvent.safeParse(json);
  if (parsed.success) return { event: parsed.data };
  const issue = parsed.error.issues[0];
  return { problem: `${issue?.path.map(String).join('.') || 'event'}: ${issue?.message ?? 'not an event'}` };
};

const rowOf = (event: TraceEvent): (string | number | null)[] =>
  EVENT_COLUMNS.map((name) => (name === 'payload' ? JSON.stringify(event.payload) : event[name]));

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Brings what the trace files hold and the database does not into it. What was read and how far are one transaction,
 * so that a kill at any moment loses nothing and doubles nothing; a torn last line waits for the next time.
 */
export const importTraces = async ({
  traceDir,
  database,
  signal,
  chunkBytes = CHUNK_BYTES,
}: ImportOptions): Promise<ImportSummary> => {
  const statements = prepare(database);
  const summary: ImportSummary = { files: 0, events: 0, repeated: 0, unreadable: 0 };

  const takeLine = (bytes: Buffer, file: string, offset: number): void => {
    const line = bytes.toString('utf8').trim();
    if (line === '') return;
    const parsed = parseTraceLine(line);
    if ('event' in parsed) {
      if (statements.addEvent.run(...rowOf(parsed.event)).changes > 0) summary.events += 1;
      else summary.repeated += 1;
    } else setAside(bytes, file, offset, parsed.problem);
  };
  const setAside = (bytes: Buffer, file: string, offset: number, problem: string): void => {
    const text = bytes.toString('utf8').slice(0, KEPT_CHARS);
    const key = hash(file, String(offset), bytes);
    const now = new Date().toISOString();
    if (statements.addBadLine.run(key, file, offset, problem, text, now).changes > 0) summary.unreadable += 1;
  };
  const takeLines = (bytes: Buffer, file: string, offset: number): void => {
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, start);
      takeLine(bytes.subarray(start, end), file, offset + start);
      start = end + 1;
    }
  };

  /** One transaction's worth of a file; false: there is nothing more to read for now. */
  const takeChunk = (fd: number, key: string, name: string): boolean => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const offset = Number(statements.offset.get(key)?.['bytes_read'] ?? 0);
      const size = fstatSync(fd).size;
      let next = offset;
      const bytes = size > offset ? readAt(fd, offset, Math.min(chunkBytes, size - offset)) : Buffer.alloc(0);
      const last = bytes.lastIndexOf(NEWLINE);
      if (last >= 0) {
        takeLines(bytes.subarray(0, last + 1), name, offset);
        next = offset + last + 1;
      } else if (bytes.length === chunkBytes) {
        const end = nextBreak(fd, offset);
        if (end >= 0) {
          if (end - offset > MAX_LINE_BYTES)
            setAside(bytes, name, offset, `a line of ${end - offset} bytes; at most ${MAX_LINE_BYTES} are read`);
          else takeLine(readAt(fd, offset, end - offset), name, offset);
          next = end + 1;
        }
      }
      if (next > offset) statements.setOffset.run(key, name, next, new Date().toISOString());
      database.exec('COMMIT');
      return next > offset;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };

  for (const path of traceFiles(traceDir)) {
    const fd = openSync(path, 'r');
    try {
      const name = basename(path);
      const key = keyOf(fd, name);
      summary.files += 1;
      while (key !== null && takeChunk(fd, key, name)) {
        signal.throwIfAborted();
        await breathe();
      }
    } finally {
      closeSync(fd);
    }
  }
  return summary;
};
