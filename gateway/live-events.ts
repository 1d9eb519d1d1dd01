import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { z } from 'zod';
import { voiceTaskId } from '../contracts/names.ts';
import type { TaskResult } from '../contracts/task.ts';
import { delay } from '../platform/lifecycle.ts';
import { openEventStream, SlowReader } from './event-stream.ts';
import { ProblemError } from './problems.ts';
import { EngineUnavailable } from './task-engine.ts';
import type { TaskEngine } from './task-engine.ts';
import type { TaskStatus } from './task-status.ts';
import { dayOf, eventsInFile } from './trace-search.ts';
import type { FoundEvent } from './trace-search.ts';
import type { TraceTail } from './trace-tail.ts';

/** Streams open at once. */
export const MAX_STREAMS = 100;
/** Live events one reader may be behind; further behind, it is dropped and resumes where it was. */
const MAX_BEHIND = 1_000;
/** Between two tries to learn the result from a Temporal that is away. */
const AGAIN_MS = 1_000;
const DAY_MS = 24 * 3_600_000;

export interface LiveEventsDeps {
  engine: Pick<TaskEngine, 'waitClosed'>;
  status: Pick<TaskStatus, 'task'>;
  tail: TraceTail;
  maxStreams?: number;
}

export interface LiveEvents {
  /**
   * The events of a trace from its beginning (or from behind `lastEventId`), then as they happen, then `done` with the
   * TaskResult from Temporal. The answer writes them. @throws ProblemError not-found, too-many; EngineUnavailable
   */
  open(
    traceId: string,
    lastEventId: string | undefined,
  ): Promise<(response: ServerResponse, signal: AbortSignal) => Promise<void>>;
}

/** Where reading stands in each file that had events of the trace: byte offsets by a short hash of the file's name. */
type Positions = Record<string, number>;
const Positions = z.record(z.string().regex(/^[0-9a-f]{12}$/), z.number().int().nonnegative());
const keyOf = (file: string): string => createHash('sha256').update(basename(file)).digest('hex').slice(0, 12);

export const encodePositions = (positions: Positions): string =>
  Buffer.from(JSON.stringify(positions)).toString('base64url');

/** An id that is not one of ours starts from the beginning: events may repeat, none is left out. */
export const decodePositions = (id: string | undefined): Positions => {
  try {
    const parsed = Positions.safeParse(JSON.parse(Buffer.from(id ?? '', 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
};

/** Several files, each in order, as one row by time. */
async function* merged(sources: AsyncGenerator<FoundEvent>[]): AsyncGenerator<FoundEvent> {
  const nextOf = async (source: AsyncGenerator<FoundEvent>): Promise<FoundEvent | undefined> => {
    const next = await source.next();
    return next.done ? undefined : next.value;
  };
  const heads = await Promise.all(sources.map(async (source) => ({ source, head: await nextOf(source) })));
  try {
    for (;;) {
      const waiting = heads.filter(({ head }) => head !== undefined);
      const first = waiting.reduce<(typeof heads)[number] | undefined>(
        (a, b) => (a?.head && b.head && a.head.event.ts <= b.head.event.ts ? a : b),
        undefined,
      );
      if (!first?.head) return;
      yield first.head;
      first.head = await nextOf(first.source);
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

export const createLiveEvents = (deps: LiveEventsDeps): LiveEvents => {
  const { tail, engine, status } = deps;
  let streams = 0;

  /** The result, once it is over; waits for a Temporal that is away. */
  const resultOf = async (traceId: string, signal: AbortSignal): Promise<TaskResult | null> => {
    for (;;) {
      try {
        return await status.task(traceId);
      } catch (error) {
        if (!(error instanceof EngineUnavailable)) throw error;
        await delay(AGAIN_MS, signal);
      }
    }
  };

  const write = async (
    traceId: string,
    known: TaskResult,
    lastEventId: string | undefined,
    response: ServerResponse,
    outer: AbortSignal,
  ): Promise<void> => {
    const ended = new AbortController();
    const signal = AbortSignal.any([outer, ended.signal]);
    const stream = openEventStream(response, signal);
    const positions = decodePositions(lastEventId);
    const behind: FoundEvent[] = [];
    let wake = (): void => undefined;
    const { positions: now, stop } = tail.follow(traceId, (found) => {
      if (behind.length >= MAX_BEHIND) ended.abort(new SlowReader());
      else behind.push(found);
      wake();
    });
    const send = (found: FoundEvent): Promise<void> => {
      positions[keyOf(found.file)] = found.end;
      return stream.send({ id: encodePositions(positions), data: found.line });
    };
    const flush = async (): Promise<void> => {
      for (let found = behind.shift(); found; found = behind.shift()) await send(found);
    };
    try {
      const sinceDay = new Date(Date.parse(known.started_at ?? '') - DAY_MS).toISOString().slice(0, 10);
      const history = [...now]
        .filter(([file]) => dayOf(file) >= sinceDay)
        .map(([file, to]) => eventsInFile(file, traceId, positions[keyOf(file)] ?? 0, to, signal));
      for await (const found of merged(history)) await send(found);
      if (known.completed_at === null) {
        let closed = false;
        const waiting = engine.waitClosed(voiceTaskId(traceId), signal).then(() => {
          closed = true;
          wake();
        });
        waiting.catch(() => wake());
        while (!closed) {
          const woken = new Promise<void>((resolve) => (wake = resolve));
          if (behind.length === 0 && !signal.aborted) await woken;
          signal.throwIfAborted();
          await flush();
        }
        await waiting;
      }
      // The workflow wrote its last event before it closed.
      tail.look();
      await flush();
      const result = await resultOf(traceId, signal);
      await stream.send({ event: 'done', data: JSON.stringify(result) });
    } catch (error) {
      if (!(error instanceof SlowReader)) throw error;
      response.destroy();
    } finally {
      stop();
      stream.close();
      ended.abort(new Error('over'));
    }
  };

  return {
    open: async (traceId, lastEventId) => {
      if (streams >= (deps.maxStreams ?? MAX_STREAMS))
        throw new ProblemError('too-many', 'too many readers of events', { retryAfterS: 5 });
      const known = await status.task(traceId);
      if (!known) throw new ProblemError('not-found', `no trace ${traceId}`);
      return async (response, signal) => {
        streams += 1;
        try {
          await write(traceId, known, lastEventId, response, signal);
        } finally {
          streams -= 1;
        }
      };
    },
  };
};
