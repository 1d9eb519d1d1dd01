import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceEvent, TraceEventDraft } from '../contracts/trace-event.ts';
import { codeOf, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Scrub } from './secrets.ts';

const hash32 = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Phases that end an accepted transcript when they carry no job: they share one id, whichever it is. */
const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

/** Derived from what happened, so that a retried write is the same event. */
export const eventIdOf = (draft: TraceEventDraft): string =>
  !draft.job_id && TERMINAL.has(draft.phase)
    ? hash32(`${draft.trace_id}|terminal`)
    : hash32(`${draft.trace_id}|${draft.job_id ?? ''}|${draft.phase}|${draft.key ?? ''}`);

/** OpenTelemetry-sized span ids: one per job, one per task. */
const spanOf = (draft: TraceEventDraft): { span_id: string; parent_span_id: string | null } => {
  const task = hash32(`${draft.trace_id}|span`).slice(0, 16);
  return draft.job_id
    ? { span_id: hash32(`${draft.job_id}|span`).slice(0, 16), parent_span_id: task }
    : { span_id: task, parent_span_id: null };
};

/** A line a JSON reader and a line reader agree on: U+0085, U+2028 and U+2029 end lines for some of them. */
const lineOf = (event: TraceEvent): string =>
  `${JSON.stringify(event).replace(/[\u0085\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

export interface TraceLog {
  /** Writes one event. Never throws: what cannot be written is counted and logged, the work goes on. */
  write(draft: TraceEventDraft): TraceEvent;
  close(): void;
}

export interface TraceLogOptions {
  dir: string;
  /** Part of the file name: `gateway`, `worker`, `edge`. */
  process: string;
  metrics: Pick<Metrics, 'traceEvents' | 'traceWriteSeconds' | 'traceEventsDropped'>;
  log: Log;
  scrub: Scrub;
  /** For tests; milliseconds since the epoch. */
  now?: () => number;
}

/**
 * One file per process and day, `<day>.<process>.<pid>-<random>.jsonl`, opened O_APPEND, one write per line.
 * A line left torn by a crash of an earlier write (a full disk) is ended first, so that only a tail can be torn.
 */
export const createTraceLog = (options: TraceLogOptions): TraceLog => {
  const now = options.now ?? Date.now;
  const life = `${process.pid}-${randomBytes(3).toString('hex')}`;
  let seq = 0;
  let open: { day: string; fd: number } | undefined;
  let torn = false;

  const close = (): void => {
    if (open) closeSync(open.fd);
    open = undefined;
  };
  const fileFor = (day: string): number => {
    if (open?.day !== day) {
      close();
      mkdirSync(options.dir, { recursive: true });
      open = { day, fd: openSync(join(options.dir, `${day}.${options.process}.${life}.jsonl`), 'a', 0o600) };
    }
    return open.fd;
  };
  const append = (day: string, line: string): void => {
    const bytes = Buffer.from(torn ? `\n${line}` : line);
    const fd = fileFor(day);
    for (let at = 0; at < bytes.length;) {
      at += writeSync(fd, bytes, at);
      torn = at < bytes.length;
    }
  };

  return {
    close,
    write: (draft) => {
      const started = performance.now();
      const { key: _key, ...fields } = draft;
      const event: TraceEvent = {
        job_id: null,
        workflow_id: null,
        run_id: null,
        attempt: null,
        agent: null,
        skill: null,
        provider: null,
        model: null,
        input_tokens: null,
        output_tokens: null,
        cache_read_tokens: null,
        cache_write_tokens: null,
        cost_usd: null,
        cost_source: null,
        price_version: null,
        duration_ms: null,
        error_type: null,
        payload: {},
        ...spanOf(draft),
        ...fields,
        v: 1,
        event_id: eventIdOf(draft),
        ts: draft.ts ?? new Date(now()).toISOString(),
        seq: seq++,
      };
      try {
        append(event.ts.slice(0, 10), options.scrub(lineOf(event)));
        options.metrics.traceEvents.inc({ phase: event.phase });
        options.metrics.traceWriteSeconds.observe((performance.now() - started) / 1000);
      } catch (error) {
        options.metrics.traceEventsDropped.inc();
        options.log.error(
          { traceId: draft.trace_id, phase: draft.phase, error: messageOf(error) },
          'trace event dropped',
        );
      }
      return event;
    },
  };
};

/** The trace files of a folder, oldest day first; none when the folder is missing. */
export const traceFiles = (dir: string): string[] => {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.jsonl'))
      .sort()
      .map((name) => join(dir, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
};

/** The whole lines of a trace file from byte `offset` on, and where they end; a torn tail is left for later. */
export const readTraceLines = (path: string, offset: number): { lines: string[]; end: number } => {
  const fd = openSync(path, 'r');
  try {
    const size = fstatSync(fd).size;
    if (size <= offset) return { lines: [], end: offset };
    const bytes = Buffer.alloc(size - offset);
    let read = 0;
    while (read < bytes.length) {
      const n = readSync(fd, bytes, read, bytes.length - read, offset + read);
      if (n === 0) break;
      read += n;
    }
    const last = bytes.lastIndexOf(0x0a, read - 1);
    if (last < 0) return { lines: [], end: offset };
    return { lines: bytes.subarray(0, last).toString('utf8').split('\n'), end: offset + last + 1 };
  } finally {
    closeSync(fd);
  }
};
