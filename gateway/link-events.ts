import { TASK_OUTCOMES, voiceTaskId } from '../contracts/names.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { eventIdOf } from '../platform/trace-log.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import { SlowReader } from './event-stream.ts';
import type { FollowTrace } from './follow-trace.ts';
import type { SessionTraces } from './session-traces.ts';
import { untilAnswered } from './task-engine.ts';
import type { Run, TaskEngine } from './task-engine.ts';
import type { TaskStatus } from './task-status.ts';
import { isSettled, isTerminal, terminalOf } from './terminal-event.ts';
import { traceOfEvent } from './trace-search.ts';
import type { FoundEvent } from './trace-search.ts';

/** Tasks told at once on one link; further ones wait for their turn, with their history. */
const MAX_AT_ONCE = 64;
/** Tasks that wait for their turn, and those remembered as told: beyond that a link would have to start anew. */
const MAX_TRACES = 10_000;
/** Events of one task that are known to have been told; older ones may be told twice. */
const MAX_TOLD = 20_000;
/** A task that was over this long before another began has been told before the other's first event. */
const TOLD_BEFORE_MS = 60_000;
/** Temporal's lists lag behind starts: a task from just before the link is looked for again after these. */
const LOOK_AGAIN_MS = [3_000, 12_000];
/** What a task's jobs may take to end after a task that was ended from outside, and between two looks at them. */
const SETTLE_TRIES = 60;
const SETTLE_MS = 1_000;
const DAY_MS = 24 * 3_600_000;

export interface LinkEventsDeps {
  engine: Pick<TaskEngine, 'describe' | 'waitClosed'>;
  status: Pick<TaskStatus, 'task'>;
  follow: FollowTrace;
  sessions: Pick<SessionTraces, 'of'>;
  trace: Pick<TraceLog, 'write'>;
  traceDir: string;
  log: Log;
}

export interface LinkEvents {
  /** Tells of a task from its beginning to its end; once, however often it is asked for. */
  readonly follow: (traceId: string) => void;
}

/** One edge that listens: which session it is, the event it saw last, and how it is told the next. */
export interface Listener {
  sessionId: string;
  after: string | null;
  /** Resolves when the edge keeps up. @throws SlowReader; the signal's reason */
  tell: (event: TraceEvent) => Promise<void>;
  /** It hears no more: SlowReader, or something nobody expected. Called at most once. */
  failed: (error: unknown) => void;
  signal: AbortSignal;
}

const traceIdOf = ({ workflowId }: Run): string => workflowId.slice('voice-'.length);
const endIdOf = (run: Run): string => eventIdOf({ trace_id: traceIdOf(run), phase: 'completed' });

/**
 * Tells an edge of its session's tasks: first what it missed, the tasks that are over one after the other in the order
 * they began, then all that run. That order says what an edge that names the last event it saw cannot have missed.
 * Each event once, and the terminal one last.
 */
export const createLinkEvents = (deps: LinkEventsDeps) => {
  const { engine, status, log } = deps;

  /** Tasks that were over before this, in Temporal's own time, have been told; -Infinity: nothing is known to have been. */
  const toldBefore = async (runs: readonly Run[], after: string | null, signal: AbortSignal): Promise<number> => {
    const [first] = runs;
    if (after === null || !first) return -Infinity;
    const ended = runs.find((run) => endIdOf(run) === after);
    const sinceDay = new Date(Date.parse(first.startedAt) - DAY_MS).toISOString().slice(0, 10);
    const traceId = ended ? traceIdOf(ended) : await traceOfEvent(deps.traceDir, after, sinceDay, signal);
    const run = runs.find((one) => traceIdOf(one) === traceId);
    return run ? Date.parse(run.startedAt) - TOLD_BEFORE_MS : -Infinity;
  };

  const tellTrace = async (traceId: string, { tell, signal }: Listener): Promise<void> => {
    const run = await untilAnswered(() => engine.describe(voiceTaskId(traceId)), signal);
    if (!run) return;
    const told = new Set<string>();
    const positions = new Map<string, number>();
    const last: { event: TraceEvent | null } = { event: null };
    const hand = async ({ event, file, end: at }: FoundEvent): Promise<void> => {
      positions.set(file, at);
      if (told.has(event.event_id)) return;
      told.add(event.event_id);
      for (const oldest of told) {
        if (told.size <= MAX_TOLD) break;
        told.delete(oldest);
      }
      // Whatever the clocks say, nothing is told after it.
      if (isTerminal(event)) last.event = event;
      else await tell(event);
    };
    for (let tries = 0; ; tries++) {
      const followed = {
        startedAt: run.startedAt,
        over: tries > 0 || run.status !== 'running',
        from: (file: string) => positions.get(file) ?? 0,
      };
      try {
        await deps.follow(traceId, followed, hand, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SlowReader) throw error;
        // The files are a report; how it ended is known without them.
        log.error({ traceId, error: messageOf(error) }, 'the events of a task cannot be read for an edge');
        await engine.waitClosed(voiceTaskId(traceId), signal);
      }
      if (last.event) break;
      // A disk was full, another host has the file, or it ended outside its own code and its jobs may still end.
      const task = await untilAnswered(() => status.task(traceId), signal);
      if (!task) return;
      const outcome = TASK_OUTCOMES.find((one) => one === task.status);
      if (outcome && (isSettled(task) || tries >= SETTLE_TRIES)) {
        last.event = deps.trace.write(terminalOf(task, outcome));
        break;
      }
      await delay(SETTLE_MS, signal);
    }
    await tell(last.event);
  };

  return (listener: Listener): LinkEvents => {
    const { signal } = listener;
    /** Told, being told, or waiting for their turn. */
    const known = new Set<string>();
    const waiting: string[] = [];
    let atOnce = 0;
    let caughtUp = false;
    let failed = false;

    const fail = (error: unknown): void => {
      if (failed || signal.aborted) return;
      failed = true;
      listener.failed(error);
    };
    const next = (): void => {
      while (caughtUp && !failed && !signal.aborted && atOnce < MAX_AT_ONCE) {
        const traceId = waiting.shift();
        if (traceId === undefined) return;
        atOnce += 1;
        tellTrace(traceId, listener)
          .catch(fail)
          .finally(() => {
            atOnce -= 1;
            next();
          });
      }
    };
    const follow = (traceId: string): void => {
      if (known.has(traceId)) return;
      if (known.size >= MAX_TRACES) return fail(new SlowReader());
      known.add(traceId);
      waiting.push(traceId);
      next();
    };

    const catchUp = async (): Promise<void> => {
      const { sessionId, after } = listener;
      const runs = await deps.sessions.of(sessionId, signal);
      const before = await toldBefore(runs, after, signal);
      const listed = new Set(runs.map(traceIdOf));
      // One that was brought for an earlier session may have been over long before this one heard of it.
      const missed = runs.filter(
        ({ closedAt, attributes }) =>
          closedAt === null || attributes.sessionId !== sessionId || Date.parse(closedAt) >= before,
      );
      for (const run of missed) {
        if (run.status === 'running') continue;
        const traceId = traceIdOf(run);
        if (waiting.includes(traceId)) waiting.splice(waiting.indexOf(traceId), 1);
        known.add(traceId);
        await tellTrace(traceId, listener);
      }
      for (const run of missed) follow(traceIdOf(run));
      caughtUp = true;
      next();
      for (const ms of LOOK_AGAIN_MS) {
        await delay(ms, signal);
        for (const run of await deps.sessions.of(sessionId, signal))
          if (!listed.has(traceIdOf(run))) follow(traceIdOf(run));
      }
    };
    catchUp().catch(fail);
    return { follow };
  };
};
