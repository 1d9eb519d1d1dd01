import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { readTraceLines, traceFiles } from '../platform/trace-log.ts';
import { dayOf, eventIn, TRACE_ID } from './trace-search.ts';
import type { FoundEvent } from './trace-search.ts';

/** Between two looks at the files, and only while somebody listens. */
const POLL_MS = 100;
const DAY_MS = 24 * 3_600_000;

export interface TraceTail {
  /**
   * Hands on every event of the trace that is written from now on. `positions` says where "now" is in each file;
   * what stands before is history, and nothing falls between.
   */
  follow(
    traceId: string,
    listener: (found: FoundEvent) => void,
  ): { positions: ReadonlyMap<string, number>; stop: () => void };
  /** Looks at once: afterwards everything written before this call has been handed on. */
  look(): void;
  close(): void;
}

/** The byte behind the last whole line. */
const lastLineEnd = (file: string): number => {
  const fd = openSync(file, 'r');
  try {
    const block = Buffer.alloc(64 * 1024);
    for (let end = fstatSync(fd).size; end > 0;) {
      const start = Math.max(0, end - block.length);
      const read = readSync(fd, block, 0, end - start, start);
      const newline = block.subarray(0, read).lastIndexOf(0x0a);
      if (newline >= 0) return start + newline + 1;
      end = start;
    }
    return 0;
  } finally {
    closeSync(fd);
  }
};

/** One reader of a folder of trace files for all listeners; every process of the house writes there. */
export const createTraceTail = (options: { dir: string; log: Log; pollMs?: number }): TraceTail => {
  const listeners = new Map<string, Set<(found: FoundEvent) => void>>();
  let positions = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  /** What was added to a file since the last look. */
  const readOn = (file: string): FoundEvent[] => {
    const from = positions.get(file) ?? 0;
    if (statSync(file).size <= from) return [];
    const { lines, end } = readTraceLines(file, from);
    positions.set(file, end);
    const found: FoundEvent[] = [];
    let at = from;
    for (const line of lines) {
      at += Buffer.byteLength(line) + 1;
      const traceId = TRACE_ID.exec(line)?.[1];
      if (traceId === undefined || !listeners.has(traceId)) continue;
      const event = eventIn(line, traceId);
      if (event) found.push({ file, end: at, line, event });
    }
    return found;
  };

  /** Files that may still grow: a process writes into the file of the day, and clocks differ a little. */
  const growing = (): string[] => {
    const since = new Date(Date.now() - 2 * DAY_MS).toISOString().slice(0, 10);
    return traceFiles(options.dir).filter((file) => dayOf(file) >= since);
  };

  const look = (): void => {
    const found: FoundEvent[] = [];
    for (const file of growing()) {
      try {
        found.push(...readOn(file));
      } catch (error) {
        // A file may be tidied away between two looks.
        options.log.warn({ error: messageOf(error) }, 'a trace file cannot be read');
      }
    }
    found.sort((a, b) => (a.event.ts < b.event.ts ? -1 : a.event.ts > b.event.ts ? 1 : 0));
    for (const one of found) for (const listener of listeners.get(one.event.trace_id) ?? []) listener(one);
  };

  const stopPolling = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const startPolling = (): void => {
    if (timer) return;
    positions = new Map();
    for (const file of traceFiles(options.dir)) positions.set(file, lastLineEnd(file));
    timer = setInterval(() => {
      try {
        look();
      } catch (error) {
        options.log.warn({ error: messageOf(error) }, 'the trace folder cannot be read');
      }
    }, options.pollMs ?? POLL_MS);
    timer.unref();
  };

  return {
    look,
    follow: (traceId, listener) => {
      startPolling();
      const own = listeners.get(traceId) ?? new Set();
      listeners.set(traceId, own.add(listener));
      return {
        positions: new Map(positions),
        stop: () => {
          own.delete(listener);
          if (own.size === 0 && listeners.get(traceId) === own) listeners.delete(traceId);
          if (listeners.size === 0) stopPolling();
        },
      };
    },
    close: () => {
      stopPolling();
      listeners.clear();
    },
  };
};
