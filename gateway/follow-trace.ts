import { voiceTaskId } from '../contracts/names.ts';
import { unlessAborted } from '../platform/lifecycle.ts';
import { SlowReader } from './event-stream.ts';
import type { TaskEngine } from './task-engine.ts';
import { dayOf, eventsInFile } from './trace-search.ts';
import type { FoundEvent } from './trace-search.ts';
import type { TraceTail } from './trace-tail.ts';

/** Live events one reader may be behind; further behind, it is dropped and resumes where it was. */
const MAX_BEHIND = 1_000;
const DAY_MS = 24 * 3_600_000;

/** What must be known of a trace before it is followed. */
export interface Followed {
  /** ISO 8601; null: now. */
  startedAt: string | null;
  /** Nothing happens any more: there is only history. */
  over: boolean;
  /** The byte from which a file is read; 0 for all of it. */
  from(file: string): number;
}

/**
 * Hands on the events of a trace, those that happened and those that happen, each file's in its order and otherwise by
 * time, one after the other, until its workflow is closed and all is handed on. An event may come twice, none is left out.
 * @throws SlowReader when `hand` takes too long; the signal's reason; whatever `hand` throws.
 */
export type FollowTrace = (
  traceId: string,
  followed: Followed,
  hand: (found: FoundEvent) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

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

export const createFollowTrace =
  ({ engine, tail }: { engine: Pick<TaskEngine, 'waitClosed'>; tail: TraceTail }): FollowTrace =>
  async (traceId, followed, hand, outer) => {
    const ended = new AbortController();
    const signal = AbortSignal.any([outer, ended.signal]);
    const behind: FoundEvent[] = [];
    let wake = (): void => undefined;
    const { positions: now, stop } = tail.follow(traceId, (found) => {
      if (behind.length >= MAX_BEHIND) ended.abort(new SlowReader());
      else behind.push(found);
      wake();
    });
    const give = (found: FoundEvent): Promise<void> => unlessAborted(hand(found), signal);
    const flush = async (): Promise<void> => {
      for (let found = behind.shift(); found; found = behind.shift()) await give(found);
    };
    try {
      const since = followed.startedAt === null ? Date.now() : Date.parse(followed.startedAt);
      const sinceDay = new Date(since - DAY_MS).toISOString().slice(0, 10);
      const history = [...now]
        .filter(([file]) => dayOf(file) >= sinceDay)
        .map(([file, to]) => eventsInFile(file, traceId, followed.from(file), to, signal));
      for await (const found of merged(history)) await give(found);
      if (!followed.over) {
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
    } finally {
      stop();
      ended.abort(new Error('over'));
    }
  };
