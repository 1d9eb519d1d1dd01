import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { z } from 'zod';
import type { TaskResult } from '../contracts/task.ts';
import { openEventStream, SlowReader } from './event-stream.ts';
import type { FollowTrace } from './follow-trace.ts';
import { ProblemError } from './problems.ts';
import { untilAnswered } from './task-engine.ts';
import type { TaskStatus } from './task-status.ts';

/** Streams open at once. */
export const MAX_STREAMS = 100;

export interface LiveEventsDeps {
  status: Pick<TaskStatus, 'task'>;
  follow: FollowTrace;
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

export const createLiveEvents = (deps: LiveEventsDeps): LiveEvents => {
  const { follow, status } = deps;
  let streams = 0;

  const write = async (
    traceId: string,
    known: TaskResult,
    lastEventId: string | undefined,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> => {
    const stream = openEventStream(response, signal);
    const positions = decodePositions(lastEventId);
    const followed = {
      startedAt: known.started_at,
      over: known.completed_at !== null,
      from: (file: string) => positions[keyOf(file)] ?? 0,
    };
    try {
      await follow(
        traceId,
        followed,
        (found) => {
          positions[keyOf(found.file)] = found.end;
          return stream.send({ id: encodePositions(positions), data: found.line });
        },
        signal,
      );
      const result = await untilAnswered(() => status.task(traceId), signal);
      await stream.send({ event: 'done', data: JSON.stringify(result) });
    } catch (error) {
      if (!(error instanceof SlowReader)) throw error;
      response.destroy();
    } finally {
      stream.close();
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
