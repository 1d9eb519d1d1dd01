import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../platform/errors.ts';
import { CommandError, EXIT } from './exit.ts';

/** Written into the file; a later form of the tables gets the next number and a way from this one. */
const FORM = 1;

/** Columns of `events`, in the order of a trace line; `payload` is JSON text. */
export const EVENT_COLUMNS = [
  'event_id',
  'v',
  'ts',
  'seq',
  'trace_id',
  'span_id',
  'parent_span_id',
  'job_id',
  'workflow_id',
  'run_id',
  'attempt',
  'phase',
  'agent',
  'skill',
  'provider',
  'model',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost_usd',
  'cost_source',
  'price_version',
  'duration_ms',
  'error_type',
  'payload',
] as const;

const TYPES: Partial<Record<(typeof EVENT_COLUMNS)[number], string>> = {
  event_id: 'TEXT PRIMARY KEY NOT NULL',
  v: 'INTEGER NOT NULL',
  ts: 'TEXT NOT NULL',
  seq: 'INTEGER NOT NULL',
  trace_id: 'TEXT NOT NULL',
  phase: 'TEXT NOT NULL',
  attempt: 'INTEGER',
  input_tokens: 'INTEGER',
  output_tokens: 'INTEGER',
  cache_read_tokens: 'INTEGER',
  cache_write_tokens: 'INTEGER',
  cost_usd: 'REAL',
  duration_ms: 'REAL',
  payload: 'TEXT NOT NULL',
};

/**
 * `files`: how far each trace file was read, in bytes. `bad_lines`: what could not be read, once each.
 * A job's cost is NULL as soon as one of its turns has no known price: a sum that leaves something out would lie.
 */
const TABLES = `
CREATE TABLE events (${EVENT_COLUMNS.map((name) => `${name} ${TYPES[name] ?? 'TEXT'}`).join(', ')});
CREATE INDEX events_by_trace ON events (trace_id, ts);
CREATE INDEX events_by_job ON events (job_id, ts) WHERE job_id IS NOT NULL;
CREATE INDEX events_by_time ON events (ts);
CREATE TABLE files (
  key TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, bytes_read INTEGER NOT NULL, imported_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE bad_lines (
  key TEXT PRIMARY KEY NOT NULL, file TEXT NOT NULL, byte_offset INTEGER NOT NULL, reason TEXT NOT NULL,
  line TEXT NOT NULL, found_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE VIEW import_errors AS SELECT file, byte_offset, reason, line, found_at FROM bad_lines;

CREATE VIEW jobs AS
SELECT
  job_id,
  trace_id,
  max(agent) AS agent,
  max(skill) AS skill,
  coalesce(
    max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN phase END),
    CASE
      WHEN sum(phase = 'approval_requested') > sum(phase IN ('approved', 'rejected')) THEN 'awaiting_approval'
      WHEN sum(phase IN ('running', 'model_turn', 'tool_call')) > 0 THEN 'running'
      ELSE 'pending'
    END
  ) AS status,
  max(CASE WHEN phase = 'submitted' THEN payload ->> '$.instruction' END) AS instruction,
  max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN error_type END) AS error_type,
  max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN payload ->> '$.message' END) AS message,
  max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN payload ->> '$.branch' END) AS branch,
  sum(phase = 'model_turn') AS turns,
  sum(phase = 'tool_call') AS tool_calls,
  sum(phase = 'tool_call' AND error_type IS NOT NULL) AS failed_tool_calls,
  coalesce(sum(CASE WHEN phase = 'model_turn' THEN input_tokens END), 0) AS input_tokens,
  coalesce(sum(CASE WHEN phase = 'model_turn' THEN output_tokens END), 0) AS output_tokens,
  CASE
    WHEN sum(phase = 'model_turn' AND cost_usd IS NULL) > 0 THEN NULL
    ELSE coalesce(sum(CASE WHEN phase = 'model_turn' THEN cost_usd END), 0)
  END AS cost_usd,
  max(cost_source = 'rehearsal') AS rehearsal,
  min(CASE WHEN phase = 'running' THEN ts END) AS started_at,
  max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN ts END) AS completed_at,
  max(CASE WHEN phase IN ('succeeded', 'failed', 'cancelled') THEN duration_ms END) AS duration_ms
FROM events
WHERE job_id IS NOT NULL
GROUP BY job_id, trace_id;

CREATE VIEW traces AS
SELECT
  trace_id,
  coalesce(
    max(CASE WHEN job_id IS NULL AND phase IN ('completed', 'failed', 'cancelled')
      THEN coalesce(payload ->> '$.outcome', phase) END),
    CASE
      WHEN sum(phase = 'submitted' OR job_id IS NOT NULL) > 0 THEN 'running'
      WHEN sum(phase = 'declined') > 0 THEN 'declined'
      WHEN sum(phase = 'control') > 0 THEN 'control'
      WHEN sum(phase = 'clarify') > 0 THEN 'clarify'
      ELSE 'received'
    END
  ) AS status,
  (
    SELECT said.payload ->> '$.text' FROM events AS said
    WHERE said.trace_id = events.trace_id AND said.phase = 'received'
    ORDER BY said.ts, said.seq LIMIT 1
  ) AS utterance,
  count(DISTINCT job_id) AS jobs,
  count(DISTINCT CASE WHEN job_id IS NOT NULL AND phase = 'failed' THEN job_id END) AS failed_jobs,
  sum(phase = 'model_turn') AS turns,
  coalesce(sum(CASE WHEN phase = 'model_turn' THEN input_tokens END), 0) AS input_tokens,
  coalesce(sum(CASE WHEN phase = 'model_turn' THEN output_tokens END), 0) AS output_tokens,
  CASE
    WHEN sum(phase = 'model_turn' AND cost_usd IS NULL) > 0 THEN NULL
    ELSE coalesce(sum(CASE WHEN phase = 'model_turn' THEN cost_usd END), 0)
  END AS cost_usd,
  coalesce(max(cost_source = 'rehearsal'), 0) AS rehearsal,
  min(ts) AS started_at,
  max(CASE WHEN job_id IS NULL AND phase IN ('completed', 'failed', 'cancelled') THEN ts END) AS completed_at
FROM events
GROUP BY trace_id;
`;

/** Another import may hold the file while it writes one chunk. */
const BUSY_MS = 30_000;

const formOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);

/** Makes the tables unless they are there; several at once agree. */
const prepare = (database: DatabaseSync): void => {
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  // A rollback journal, not WAL: several that switch a new file to WAL at once can lock each other out.
  // A crash of this process loses nothing; a power cut may lose the last chunks, which the next import reads again.
  database.exec('PRAGMA synchronous = NORMAL');
  if (formOf(database) === FORM) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    const form = formOf(database);
    if (form > FORM) throw new Error('it was made by a newer version of this program');
    if (form < FORM) database.exec(`${TABLES} PRAGMA user_version = ${FORM};`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
};

/** Opens the database of trace events, making file and tables when missing. @throws CommandError when it cannot be used. */
export const openTraceDatabase = (path: string): DatabaseSync => {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    database = new DatabaseSync(path);
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    throw new CommandError(
      EXIT.failed,
      `${path} cannot be used as trace database: ${messageOf(error)}\nname another with TRACE_SQLITE_PATH, or move it away: the trace files hold everything`,
      { cause: error },
    );
  }
};
