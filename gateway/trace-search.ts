import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { TraceEvent } from '../contracts/trace-event.ts';
import { traceFiles } from '../platform/trace-log.ts';

/** Bytes read at once; the rest of the process goes on between two reads. */
const CHUNK = 256 * 1024;
/** A line longer than this is none of ours. */
const MAX_LINE = 1024 * 1024;

/** Where a line says which trace it belongs to. */
export const TRACE_ID = /"trace_id":"([0-9a-f]{32})"/;

/** An event where it stands: the byte behind its line is where reading goes on. */
export interface FoundEvent {
  file: string;
  end: number;
  line: string;
  event: TraceEvent;
}

/** One line as an event of that trace; null for anything else. */
export const eventIn = (line: string, traceId: string): TraceEvent | null => {
  if (!line.includes(traceId)) return null;
  try {
    const parsed = TraceEvent.safeParse(JSON.parse(line));
    return parsed.success && parsed.data.trace_id === traceId ? parsed.data : null;
  } catch (error) {
    // A line that a crash or a full disk left torn.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/**
 * The lines of a file that hold `needle`, from byte `from` up to byte `to` (both at line ends), in order, each with the
 * byte behind it. Bytes are searched; only lines that hold it are decoded.
 */
async function* linesWith(
  file: string,
  needle: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncGenerator<{ line: string; end: number }> {
  const sought = Buffer.from(needle);
  const handle = await open(file, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    /** Where `rest` begins in the file. */
    let at = from;
    for (let position = from; position < to;) {
      signal?.throwIfAborted();
      const chunk = Buffer.alloc(Math.min(CHUNK, to - position));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const bytes: Buffer =
        rest.length > 0 ? Buffer.concat([rest, chunk.subarray(0, bytesRead)]) : chunk.subarray(0, bytesRead);
      const whole = bytes.lastIndexOf(0x0a) + 1;
      for (let hit = bytes.indexOf(sought); hit >= 0 && hit < whole;) {
        const start = hit === 0 ? 0 : bytes.lastIndexOf(0x0a, hit - 1) + 1;
        const end = bytes.indexOf(0x0a, hit);
        yield { line: bytes.subarray(start, end).toString('utf8'), end: at + end + 1 };
        hit = bytes.indexOf(sought, end + 1);
      }
      rest = bytes.subarray(whole);
      at += whole;
      if (rest.length > MAX_LINE) {
        at += rest.length;
        rest = Buffer.alloc(0);
      }
    }
  } finally {
    await handle.close();
  }
}

/** The events of one trace in one file, from byte `from` up to byte `to` (both at line ends), in order. */
export async function* eventsInFile(
  file: string,
  traceId: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncGenerator<FoundEvent> {
  for await (const { line, end } of linesWith(file, traceId, from, to, signal)) {
    const event = eventIn(line, traceId);
    if (event) yield { file, end, line, event };
  }
}

/** The trace an event belongs to, from files of `sinceDay` and later, newest first; null when none holds it. */
export const traceOfEvent = async (
  dir: string,
  eventId: string,
  sinceDay: string,
  signal?: AbortSignal,
): Promise<string | null> => {
  const files = traceFiles(dir).filter((file) => dayOf(file) >= sinceDay);
  for (const file of files.reverse())
    for await (const { line } of linesWith(file, eventId, 0, Number.MAX_SAFE_INTEGER, signal)) {
      const traceId = TRACE_ID.exec(line)?.[1];
      if (traceId !== undefined && eventIn(line, traceId)?.event_id === eventId) return traceId;
    }
  return null;
};

/** The day at the beginning of a trace file's name. */
export const dayOf = (file: string): string => basename(file).slice(0, 10);

/** The last event of the trace that fits, in the files a process of that name wrote on or after `sinceDay`. */
export const findEvent = async (
  dir: string,
  traceId: string,
  fits: (event: TraceEvent) => boolean,
  about: { process?: string; sinceDay: string; signal?: AbortSignal },
): Promise<TraceEvent | null> => {
  const files = traceFiles(dir).filter(
    (file) =>
      dayOf(file) >= about.sinceDay && (about.process === undefined || basename(file).split('.')[1] === about.process),
  );
  for (const file of files.reverse()) {
    let last: TraceEvent | null = null;
    for await (const { event } of eventsInFile(file, traceId, 0, Number.MAX_SAFE_INTEGER, about.signal))
      if (fits(event)) last = event;
    if (last) return last;
  }
  return null;
};
