import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentJobId, voiceTaskId } from '../../../contracts/names.ts';
import type { Phase } from '../../../contracts/names.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { SlowReader } from '../../../gateway/event-stream.ts';
import { createFollowTrace } from '../../../gateway/follow-trace.ts';
import type { FollowTrace } from '../../../gateway/follow-trace.ts';
import { createLinkEvents } from '../../../gateway/link-events.ts';
import { createSessionTraces } from '../../../gateway/session-traces.ts';
import type { SessionTraces } from '../../../gateway/session-traces.ts';
import type { Run } from '../../../gateway/task-engine.ts';
import { createTaskStatus } from '../../../gateway/task-status.ts';
import { createTraceTail } from '../../../gateway/trace-tail.ts';
import type { TraceTail } from '../../../gateway/trace-tail.ts';
import { createArtifactStore } from '../../../platform/artifacts.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createTraceLog } from '../../../platform/trace-log.ts';
import type { TraceLog } from '../../../platform/trace-log.ts';
import { jobResult, taskResult } from '../../fakes/gateway-server.ts';
import { createFakeEngine } from '../../fakes/task-engine.ts';
import type { FakeEngine } from '../../fakes/task-engine.ts';
import { until } from '../../fakes/until.ts';

const HOUR_MS = 3_600_000;
const log = createLog(
  'test',
  (text) => text,
  'error',
  () => undefined,
);

let dir: string;
let engine: FakeEngine;
let tail: TraceTail;
let worker: TraceLog;
let gatewayTrace: TraceLog;
let sessions: SessionTraces;
const opened: AbortController[] = [];

const logOf = (process_: string): TraceLog =>
  createTraceLog({ dir, process: process_, metrics: createMetrics('test', '0'), log, scrub: (text) => text });
const openSessions = (): SessionTraces =>
  createSessionTraces({ engine, state: createArtifactStore(join(dir, 'state')), log });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'edge-link-events-'));
  engine = createFakeEngine();
  tail = createTraceTail({ dir, log, pollMs: 20 });
  worker = logOf('worker');
  gatewayTrace = logOf('gateway');
  sessions = openSessions();
});
afterEach(async () => {
  for (const controller of opened.splice(0)) controller.abort(new Error('over'));
  tail.close();
  worker.close();
  gatewayTrace.close();
  await rm(dir, { recursive: true, force: true });
});

const idOf = (n: number): string => n.toString(16).padStart(32, '0');
const iso = (ms: number): string => new Date(ms).toISOString();

/** A task that began `agoMs` ago, with its first two events. */
const begin = (n: number, agoMs = 0, sessionId: string | null = 's'): string => {
  const traceId = idOf(n);
  engine.add({
    workflowId: voiceTaskId(traceId),
    startedAt: iso(Date.now() - agoMs),
    attributes: { traceId, sessionId, agent: null, outcome: null, utterance: 'refactor', costUsd: null },
  });
  for (const phase of ['received', 'submitted'] as const)
    gatewayTrace.write({ trace_id: traceId, phase, ts: iso(Date.now() - agoMs) });
  return traceId;
};
const happen = (traceId: string, phase: Phase, key = '', ts?: string): void =>
  void worker.write({ trace_id: traceId, phase, key, ...(ts !== undefined && { ts }) });
/** Closes its workflow, with a result as the real one has it. */
const close = (traceId: string, agoMs = 0): void =>
  engine.close(voiceTaskId(traceId), {
    closedAt: iso(Date.now() - agoMs),
    result: taskResult({ trace_id: traceId, jobs: [jobResult({ trace_id: traceId, job_id: `${traceId}-1` })] }),
  });
const finish = (traceId: string, agoMs = 0): void => {
  happen(traceId, 'completed', '', iso(Date.now() - agoMs));
  close(traceId, agoMs);
};

interface Ear {
  heard: TraceEvent[];
  failures: unknown[];
  /** Phases of one trace, in the order they came. */
  phases(traceId: string): string[];
  follow(traceId: string): void;
  stop(): void;
}
const listen = (
  after: string | null = null,
  options: {
    sessionId?: string;
    tell?: (event: TraceEvent) => Promise<void>;
    follow?: FollowTrace;
    trace?: TraceLog;
  } = {},
): Ear => {
  const controller = new AbortController();
  opened.push(controller);
  const heard: TraceEvent[] = [];
  const failures: unknown[] = [];
  const open = createLinkEvents({
    engine,
    status: createTaskStatus({
      engine,
      artifacts: { getJson: () => Promise.reject(new Error('none')) },
      unstarted: async () => null,
    }),
    follow: options.follow ?? createFollowTrace({ engine, tail }),
    sessions,
    trace: options.trace ?? gatewayTrace,
    traceDir: dir,
    log,
  });
  const { follow } = open({
    sessionId: options.sessionId ?? 's',
    after,
    tell: async (event) => {
      await options.tell?.(event);
      heard.push(event);
    },
    failed: (error) => failures.push(error),
    signal: controller.signal,
  });
  return {
    heard,
    failures,
    phases: (traceId) => heard.filter((event) => event.trace_id === traceId).map(({ phase }) => phase),
    follow,
    stop: () => controller.abort(new Error('gone')),
  };
};
const ended = (ear: Ear, traceId: string): Promise<true> =>
  until(() =>
    ear.phases(traceId).some((phase) => ['completed', 'failed', 'cancelled'].includes(phase)) ? true : undefined,
  );
const quiet = (ms = 300): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const once = (ear: Ear): void => expect(new Set(ear.heard.map(({ event_id }) => event_id)).size).toBe(ear.heard.length);

describe('a task of the session', () => {
  it('is told from its beginning, as it happens, to its end, each event once', async () => {
    const traceId = begin(1);
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    happen(traceId, 'model_turn', '1');
    await until(() => (ear.heard.length === 3 ? true : undefined));
    happen(traceId, 'model_turn', '1');
    happen(traceId, 'model_turn', '2');
    finish(traceId);
    await ended(ear, traceId);
    expect(ear.phases(traceId)).toEqual(['received', 'submitted', 'model_turn', 'model_turn', 'completed']);
    once(ear);
  });

  it('that is none of its own is not told', async () => {
    const other = begin(1, 0, 'other');
    const none = begin(2, 0, null);
    const ear = listen();
    happen(other, 'running');
    await quiet();
    expect(ear.heard).toEqual([]);
    ear.follow(none);
    await until(() => (ear.phases(none).length === 2 ? true : undefined));
    expect(ear.phases(other)).toEqual([]);
  });

  it('is told once, however often it is asked for', async () => {
    const traceId = begin(1);
    const ear = listen();
    for (let n = 0; n < 5; n++) ear.follow(traceId);
    finish(traceId);
    await ended(ear, traceId);
    ear.follow(traceId);
    await quiet();
    expect(ear.phases(traceId)).toEqual(['received', 'submitted', 'completed']);
  });

  it('ends with its terminal event, whatever stands behind it in the files or is dated later', async () => {
    const traceId = begin(1);
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    happen(traceId, 'completed');
    worker.write({ trace_id: traceId, phase: 'succeeded', job_id: `${traceId}-1` });
    await quiet();
    expect(ear.phases(traceId)).not.toContain('completed');
    close(traceId);
    await ended(ear, traceId);
    expect(ear.phases(traceId).slice(-2)).toEqual(['succeeded', 'completed']);
  });

  it('started elsewhere just now is found although the lists lag behind', async () => {
    const list = engine.list.bind(engine);
    let lag = true;
    engine.list = async (query, page) => (lag ? { runs: [], next: null } : list(query, page));
    const traceId = begin(1);
    const ear = listen();
    await quiet();
    expect(ear.heard).toEqual([]);
    lag = false;
    await until(() => (ear.phases(traceId).length === 2 ? true : undefined));
  });

  it('is told when Temporal is back, if it was away at hello', async () => {
    engine.away = true;
    const traceId = begin(1);
    const ear = listen();
    await quiet();
    engine.away = false;
    await until(() => (ear.phases(traceId).length === 2 ? true : undefined));
    expect(ear.failures).toEqual([]);
  });
});

describe('the end of a task', () => {
  it('is told from Temporal when no file has it, and written down', async () => {
    const traceId = begin(1);
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    close(traceId);
    await ended(ear, traceId);
    const last = ear.heard.at(-1);
    expect(last).toMatchObject({
      phase: 'completed',
      job_id: null,
      workflow_id: voiceTaskId(traceId),
      payload: { outcome: 'succeeded', jobs: [{ job_id: `${traceId}-1`, status: 'succeeded' }], rehearsal: true },
      cost_usd: 0,
    });
    // The same event as the one the workflow would have written.
    happen(traceId, 'completed');
    const again = listen();
    await ended(again, traceId);
    expect(again.heard.at(-1)?.event_id).toBe(last?.event_id);
    expect(again.phases(traceId)).toEqual(['received', 'submitted', 'completed']);
  });

  it('of one that was terminated waits for its jobs', async () => {
    const traceId = begin(1);
    const jobId = `${traceId}-1`;
    engine.add({ workflowId: agentJobId(jobId), rootId: voiceTaskId(traceId) });
    const run = engine.runs.get(voiceTaskId(traceId)) as Run;
    run.memo = {
      v: 1,
      body_hash: '',
      jobs: [{ job_id: jobId, agent: 'coding', skill: 'coding', instruction: 'x', depends_on: [] }],
      plan: null,
    };
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    engine.close(voiceTaskId(traceId), { status: 'terminated' });
    await quiet(500);
    expect(ear.heard).toHaveLength(2);
    worker.write({ trace_id: traceId, phase: 'cancelled', job_id: jobId });
    engine.close(agentJobId(jobId), { status: 'cancelled' });
    await until(() =>
      ear.heard.some(({ job_id, phase }) => job_id === null && phase === 'failed') ? true : undefined,
    );
    expect(ear.phases(traceId)).toEqual(['received', 'submitted', 'cancelled', 'failed']);
    once(ear);
  });

  it('is told although its events cannot be read', async () => {
    const traceId = begin(1);
    const ear = listen(null, { follow: () => Promise.reject(new Error('EIO')) });
    await quiet();
    expect(ear.heard).toEqual([]);
    close(traceId);
    await ended(ear, traceId);
    expect([ear.phases(traceId), ear.failures]).toEqual([['completed'], []]);
  });

  it('waits for a Temporal that is away', async () => {
    const traceId = begin(1);
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    engine.away = true;
    close(traceId);
    await quiet();
    engine.away = false;
    await ended(ear, traceId);
    expect(ear.failures).toEqual([]);
  });
});

describe('what an edge missed', () => {
  /** Four that are over, one an hour, each a minute long; and one that runs since half past the first. */
  const past = (): { over: string[]; long: string } => {
    const over = [4, 3, 2, 1].map((ago) => {
      const traceId = begin(ago, ago * HOUR_MS);
      finish(traceId, ago * HOUR_MS - 60_000);
      return traceId;
    });
    return { over, long: begin(9, 3.5 * HOUR_MS) };
  };
  const told = (ear: Ear): string[] => [...new Set(ear.heard.map(({ trace_id }) => trace_id))];
  const caughtUp = async (ear: Ear, last: string): Promise<string[]> => {
    await until(() => (ear.phases(last).length >= 2 ? true : undefined));
    return told(ear);
  };

  it('is everything, in the order it began, when it saw nothing, or something nobody knows', async () => {
    const { over, long } = past();
    for (const after of [null, 'f'.repeat(32)]) {
      const ear = listen(after);
      expect(await caughtUp(ear, long)).toEqual([...over, long]);
      for (const traceId of over) expect(ear.phases(traceId)).toEqual(['received', 'submitted', 'completed']);
      ear.stop();
    }
  });

  it.each([0, 1, 2, 3])(
    'is not what was over before the task of the event it saw last began: task %i',
    async (seen) => {
      const { over, long } = past();
      const first = listen();
      await caughtUp(first, long);
      first.stop();
      for (const { event_id } of first.heard.filter((event) => event.trace_id === over[seen])) {
        const ear = listen(event_id);
        // The one before it ended 59 minutes earlier.
        expect(await caughtUp(ear, long)).toEqual([...over.slice(seen), long]);
        ear.stop();
      }
    },
  );

  it('is all that was over later than a long task began, and that task whole', async () => {
    const { over, long } = past();
    const first = listen();
    await caughtUp(first, long);
    first.stop();
    const ear = listen(first.heard.at(-1)?.event_id ?? null);
    happen(long, 'running');
    await until(() => (ear.phases(long).length === 3 ? true : undefined));
    // The first was over half an hour before the long one began.
    expect(told(ear)).toEqual([...over.slice(1), long]);
  });

  it('is known by the end of a task alone, though no file has it', async () => {
    const { over, long } = past();
    const unwritten = idOf(20);
    engine.add({
      workflowId: voiceTaskId(unwritten),
      startedAt: iso(Date.now() - HOUR_MS / 2),
      attributes: { traceId: unwritten, sessionId: 's', agent: null, outcome: null, utterance: null, costUsd: null },
    });
    close(unwritten);
    const elsewhere = createTraceLog({
      dir: join(dir, 'elsewhere'),
      process: 'gateway',
      metrics: createMetrics('test', '0'),
      log,
      scrub: (text) => text,
    });
    const first = listen(null, { trace: elsewhere });
    await ended(first, unwritten);
    const end = first.heard.find((event) => event.trace_id === unwritten);
    first.stop();
    const ear = listen(end?.event_id ?? null, { trace: elsewhere });
    expect(await caughtUp(ear, long)).toEqual([unwritten, long]);
    expect(over).toHaveLength(4);
    elsewhere.close();
  });

  it('is never less than what comes behind, wherever the connection breaks', async () => {
    const { over, long } = past();
    happen(long, 'running');
    const whole = listen();
    await until(() => (whole.phases(long).length === 3 ? true : undefined));
    whole.stop();
    const all = whole.heard.map(({ event_id }) => event_id);
    expect(all).toHaveLength(over.length * 3 + 3);
    for (const [at, after] of all.entries()) {
      const ear = listen(after);
      await until(() => (ear.phases(long).length === 3 ? true : undefined));
      const again = new Set(ear.heard.map(({ event_id }) => event_id));
      expect({ at, omitted: all.slice(at + 1).filter((id) => !again.has(id)) }).toEqual({ at, omitted: [] });
      ear.stop();
    }
  });

  it('counts as seen only when it was seen: a clock that jumped back a day changes nothing', async () => {
    const day = 24 * HOUR_MS;
    const early = begin(1, 2 * HOUR_MS);
    happen(early, 'running', '', iso(Date.now() + day));
    finish(early, HOUR_MS);
    const first = listen();
    await ended(first, early);
    first.stop();
    const late = begin(2, HOUR_MS / 2);
    finish(late, 0);
    const future = first.heard.find(({ phase }) => phase === 'running');
    const ear = listen(future?.event_id ?? null);
    await ended(ear, late);
  });

  it('includes what it brought for an earlier session, also after a restart, whole', async () => {
    const former = begin(1, 3 * HOUR_MS, 'former');
    finish(former, 2 * HOUR_MS);
    await Promise.all([sessions.adopt('s', former), sessions.adopt('s', former)]);
    sessions = openSessions();
    const own = begin(2, HOUR_MS);
    const ear = listen(null);
    await until(() => (ear.phases(own).length === 2 ? true : undefined));
    expect(told(ear)).toEqual([former, own]);
    const again = listen(ear.heard.at(-1)?.event_id ?? null);
    await until(() => (again.phases(own).length === 2 ? true : undefined));
    expect(told(again)).toEqual([former, own]);
    const other = listen(null, { sessionId: 'former' });
    await ended(other, former);
  });

  it('is told before what happens now', async () => {
    const { over } = past();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const ear = listen(null, { tell: () => held });
    const now = begin(20);
    ear.follow(now);
    ear.follow(over[2] ?? '');
    await quiet();
    release();
    await until(() => (ear.phases(now).length === 2 ? true : undefined));
    const at = (traceId: string): number => ear.heard.findIndex(({ trace_id }) => trace_id === traceId);
    expect(over.map(at)).toEqual(over.map(at).toSorted((a, b) => a - b));
    expect(Math.max(...over.map(at))).toBeLessThan(at(now));
    once(ear);
  });
});

describe('many tasks', () => {
  it('are told all, a bounded number at once', async () => {
    const ear = listen();
    await quiet(100);
    const ids = Array.from({ length: 150 }, (_, n) => begin(n + 1));
    let most = 0;
    let now = 0;
    const waitClosed = engine.waitClosed.bind(engine);
    engine.waitClosed = (workflowId, signal) => {
      most = Math.max(most, ++now);
      return waitClosed(workflowId, signal).finally(() => (now -= 1));
    };
    for (const id of ids) ear.follow(id);
    await until(() => (now === 64 ? true : undefined));
    for (const id of ids) finish(id);
    for (const id of ids) await ended(ear, id);
    expect(most).toBe(64);
    once(ear);
  });
});

describe('an edge that is too slow', () => {
  it('is said to be so, once, and is told nothing more', async () => {
    begin(1);
    begin(2);
    const ear = listen(null, { tell: () => Promise.reject(new SlowReader()) });
    await until(() => (ear.failures.length > 0 ? true : undefined));
    ear.follow(begin(3));
    await quiet();
    expect(ear.failures).toHaveLength(1);
    expect(ear.failures[0]).toBeInstanceOf(SlowReader);
  });

  it('whose connection is gone leaves nothing behind', async () => {
    const traceId = begin(1);
    const ear = listen();
    await until(() => (ear.heard.length === 2 ? true : undefined));
    ear.stop();
    happen(traceId, 'running');
    finish(traceId);
    await quiet();
    expect([ear.heard.length, ear.failures]).toEqual([2, []]);
  });
});
