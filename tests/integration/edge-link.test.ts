import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRecordTrace } from '../../activities/record-trace.ts';
import type { LinkAck } from '../../contracts/edge-link.ts';
import { voiceTaskId } from '../../contracts/names.ts';
import type { AcceptedReply } from '../../contracts/replies.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { createTemporalEngine } from '../../gateway/adapters/temporal.ts';
import type { TemporalEngine } from '../../gateway/adapters/temporal.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import { openEdge } from '../fakes/edge-client.ts';
import type { EdgeClient } from '../fakes/edge-client.ts';
import { openGateway } from '../fakes/gateway.ts';
import type { TestGateway } from '../fakes/gateway.ts';
import { expectOneEnd } from '../fakes/one-end.ts';
import { startProcess } from '../fakes/processes.ts';
import type { TestProcess } from '../fakes/processes.ts';
import { scriptedActivities } from '../fakes/scripted-activities.ts';
import type { Script } from '../fakes/scripted-activities.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../fakes/scripted-router.ts';
import { startTemporal } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers } from '../fakes/workflow-workers.ts';
import type { RunningWorkers } from '../fakes/workflow-workers.ts';

const log = createLog('test', (text) => text, 'error');
const CLOSED_PORT = '127.0.0.1:9';

let temporal: TestWorkflowEnvironment;
let engine: TemporalEngine;
let gateway: TestGateway;
let workers: RunningWorkers | undefined;
const edges: EdgeClient[] = [];

const router = createScriptedRouter({
  both: routeOf('dispatch', [
    clauseOf('refactor the API'),
    clauseOf('check the site', { skill: 'validate-site', agent: 'browser', parameters: { target: 'staging' } }),
  ]),
});
const connectTo = (address: string): TemporalEngine =>
  createTemporalEngine({ environment: { TEMPORAL_ADDRESS: address }, showUtterance: true, log });

beforeAll(async () => {
  quietRuntime();
  temporal = await startTemporal();
  engine = connectTo(temporal.address);
  gateway = await openGateway({ temporal: engine, router });
}, 60_000);
afterEach(async () => {
  for (const { socket } of edges.splice(0)) socket.terminate();
  await workers?.stop();
  workers = undefined;
});
afterAll(async () => {
  await gateway.close();
  await engine.close();
  await temporal.teardown();
});

const edge = async (url: string, options: Parameters<typeof openEdge>[1]): Promise<EdgeClient> => {
  const opened = await openEdge(url, options);
  edges.push(opened);
  return opened;
};
/** The real workflows, with trace lines in `dir`; every tool waits for `held`. */
const play = async (dir: string, held: Promise<void> = Promise.resolve()): Promise<void> => {
  const script: Script = { turns: { '*': [{ tools: ['bash'] }, { end: 'it is done' }] }, runTools: () => held };
  const metrics = createMetrics('worker', '0');
  const traceLog = createTraceLog({ dir, process: 'worker', metrics, log, scrub: (text) => text });
  const recordTrace = createRecordTrace({ traceLog, metrics });
  const started = await runWorkers(temporal, { ...scriptedActivities(script).activities, recordTrace });
  workers = {
    stop: async () => {
      await started.stop();
      traceLog.close();
    },
  };
};
const eventsIn = (dir: string, traceId: string): TraceEvent[] =>
  traceFiles(dir)
    .flatMap((file) => readTraceLines(file, 0).lines)
    .map((line) => TraceEvent.parse(JSON.parse(line)))
    .filter((event) => event.trace_id === traceId);
const idsOf = (events: readonly { event_id: string }[]): string[] => [
  ...new Set(events.map(({ event_id }) => event_id)),
];
const accepted = async (client: EdgeClient, utteranceId: string): Promise<AcceptedReply> => {
  const answer = await client.answer(utteranceId);
  expect(answer).toMatchObject({ type: 'ack', status: 202, reply: { status: 'accepted' } });
  return (answer as LinkAck).reply as AcceptedReply;
};
const runsOf = async (session: string): Promise<number> =>
  (await engine.list(`WorkflowType = 'voiceTask' AND SessionId = '${session}'`, { limit: 100 })).runs.length;

describe('a sentence over the link', () => {
  it('becomes a task, and everything that happens to it comes back, the end last', async () => {
    const traces = join(gateway.dir, 'traces');
    await play(traces);
    const client = await edge(gateway.url, { session: 'kitchen' });
    client.say('both', 'sentence');
    const { trace_id } = await accepted(client, 'sentence');
    const end = await client.end(trace_id, 30_000);
    expect(end.payload).toMatchObject({ outcome: 'succeeded' });
    const phases = client.phases(trace_id);
    expect(phases.slice(0, 4)).toEqual(['received', 'routed', 'submitted', 'submitted']);
    expect(phases.slice(4).sort()).toEqual(['completed', 'succeeded', 'succeeded']);
    expect(phases.at(-1)).toBe('completed');
    expect(idsOf(client.events(trace_id))).toEqual(client.events(trace_id).map(({ event_id }) => event_id));
    expect(idsOf(client.events(trace_id)).sort()).toEqual(idsOf(eventsIn(traces, trace_id)).sort());
  }, 60_000);

  it('is the same sentence over HTTP: one reply, one workflow; with another text a conflict', async () => {
    const client = await edge(gateway.url, { session: 'twice' });
    const over = (text: string, utteranceId: string): Promise<Response> =>
      gateway.call('/transcript', { text, is_final: true, utterance_id: utteranceId, session_id: 'twice' });
    client.say('both', 'first-link');
    const linked = await accepted(client, 'first-link');
    const posted = await over('both', 'first-link');
    expect([posted.status, await posted.json()]).toEqual([202, linked]);

    const http = (await (await over('both', 'first-http')).json()) as AcceptedReply;
    client.say('both', 'first-http');
    expect(await accepted(client, 'first-http')).toEqual(http);

    for (let n = 0; n < 10; n++) {
      client.say('both', `race-${n}`);
      const answer = over('both', `race-${n}`);
      expect(await (await answer).json()).toEqual(await accepted(client, `race-${n}`));
    }
    await until(async () => ((await runsOf('twice')) === 12 ? true : undefined));
    client.say('both', 'first-http', { text: 'something else', utterance_id: 'first-http' });
    await until(() => (client.heard.some((one) => one.type === 'error' && one.status === 409) ? true : undefined));
    expect(await (await over('something else', 'first-link')).json()).toMatchObject({ status: 409 });
    client.say('hello', 'no-order');
    const declined = (await client.answer('no-order')) as LinkAck;
    expect([declined.status, declined.reply]).toEqual([200, await (await over('hello', 'no-order')).json()]);
    expect(await runsOf('twice')).toBe(12);
    const { runs } = await engine.list(`WorkflowType = 'voiceTask' AND SessionId = 'twice'`, { limit: 100 });
    for (const { workflowId } of runs) await temporal.client.workflow.getHandle(workflowId).terminate();
  }, 60_000);

  it('that was posted over HTTP is heard of on the session’s link', async () => {
    await play(join(gateway.dir, 'traces'));
    const client = await edge(gateway.url, { session: 'fallback' });
    const stranger = await edge(gateway.url, { session: 'stranger' });
    const reply = (await (
      await gateway.call('/transcript', { text: 'both', is_final: true, session_id: 'fallback' })
    ).json()) as AcceptedReply;
    await client.end(reply.trace_id, 30_000);
    expect(stranger.heard).toEqual([]);
  }, 60_000);

  it('whose task is terminated in Temporal ends as failed, when its jobs are over', async () => {
    const traces = join(gateway.dir, 'traces');
    await play(traces, new Promise(() => undefined));
    const client = await edge(gateway.url, { session: 'terminated' });
    client.say('both', 'doomed');
    const { trace_id } = await accepted(client, 'doomed');
    await until(async () => {
      const { jobs } = (await (await gateway.call(`/trace/${trace_id}`)).json()) as { jobs: { status: string }[] };
      return jobs.every(({ status }) => status === 'running') ? true : undefined;
    });
    await temporal.client.workflow.getHandle(voiceTaskId(trace_id)).terminate('by hand');
    await client.end(trace_id, 30_000);
    expect(client.phases(trace_id).slice(-3)).toEqual(['cancelled', 'cancelled', 'failed']);
    await gateway.gateway.reconciler.pass();
    expect(eventsIn(traces, trace_id).filter(({ phase }) => phase === 'failed')).toHaveLength(1);
  }, 60_000);
});

describe('while Temporal is away', () => {
  it('finals are told when to come back, and partials are heard', async () => {
    const own = connectTo(CLOSED_PORT);
    const lone = await openGateway({ temporal: own, router });
    try {
      const client = await edge(lone.url, { session: 'alone' });
      client.say('both', 'refused');
      client.say('bo', 'refused', { is_final: false });
      expect(await client.answer('refused')).toMatchObject({
        type: 'error',
        status: 503,
        retry_after_ms: 2_000,
        problem: { type: 'urn:dual:problem:unavailable' },
      });
      client.say('hello', 'small-talk');
      expect(await client.answer('small-talk')).toMatchObject({ status: 200, reply: { status: 'declined' } });
    } finally {
      await lone.close();
      await own.close();
    }
  }, 60_000);
});

describe('a gateway that is killed', () => {
  let dir: string;
  let running: TestProcess;
  const launch = async (): Promise<string> => {
    running = await startProcess(['gateway/main.ts'], {
      DUAL_ENV_FILE: '/dev/null',
      TEMPORAL_ADDRESS: temporal.address,
      WSL_GATEWAY_PORT: '0',
      DATA_DIR: join(dir, 'data'),
      TRACE_DIR: join(dir, 'traces'),
      GATEWAY_TOKEN_FILE: join(dir, 'token'),
      STAGING_URL: 'http://127.0.0.1:9/',
    });
    return String(running.announced['listening']);
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edge-link-'));
  });
  afterAll(async () => {
    await running.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('tells the rest when it is back, nothing omitted and each event once: its session’s, and what it brought for an earlier one', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const traces = join(dir, 'traces');
    await play(traces, held);
    let url = await launch();
    const token = (await readFile(join(dir, 'token'), 'utf8')).trim();

    const before = await edge(url, { session: 'now', token });
    const say = (text: string, utteranceId: string, session: string): Promise<AcceptedReply> => {
      before.say(text, utteranceId, { session_id: session });
      return accepted(before, utteranceId);
    };
    const own = await say('refactor the API', 'own', 'now');
    const former = await say('run the tests', 'former', 'yesterday');
    const stranger = await fetch(`${url}/transcript`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'refactor the API', is_final: true, session_id: 'somebody-else' }),
    });
    expect(stranger.status).toBe(202);
    for (const { trace_id } of [own, former])
      await until(() => (before.phases(trace_id).includes('submitted') ? true : undefined));
    await until(() => (before.events().length >= 6 ? true : undefined));
    const after = before.events().at(-1)?.event_id ?? null;
    running.kill('SIGKILL');
    expect((await before.closed).code).toBe(1006);

    url = await launch();
    const back = await edge(url, { session: 'now', token, after });
    // What was never acknowledged comes again; what was is the same.
    back.say('refactor the API', 'own');
    expect(await accepted(back, 'own')).toEqual(own);
    release();
    for (const { trace_id } of [own, former]) {
      const end = await back.end(trace_id, 60_000);
      expect(end.phase).toBe('completed');
      const heard = [...before.events(trace_id), ...back.events(trace_id)];
      expect(idsOf(heard).sort()).toEqual(idsOf(eventsIn(traces, trace_id)).sort());
      expect(idsOf(back.events(trace_id))).toHaveLength(back.events(trace_id).length);
      expect(back.phases(trace_id).at(-1)).toBe('completed');
      expectOneEnd(eventsIn(traces, trace_id));
    }
    const { trace_id: strange } = (await stranger.json()) as AcceptedReply;
    expect(back.events(strange)).toEqual([]);

    // All is told: a further link hears nothing but the tasks around the event it saw last.
    const last = back.events(own.trace_id).at(-1)?.event_id ?? null;
    const again = await edge(url, { session: 'now', token, after: last });
    await again.end(own.trace_id, 30_000);
    expect(idsOf(again.events(own.trace_id)).sort()).toEqual(idsOf(eventsIn(traces, own.trace_id)).sort());
  }, 120_000);

  it('ends on SIGTERM although an edge is linked, and says so to it', async () => {
    const token = (await readFile(join(dir, 'token'), 'utf8')).trim();
    const client = await edge(String(running.announced['listening']), { session: 'last', token });
    running.kill('SIGTERM');
    expect((await client.closed).code).toBe(1001);
    expect(await running.exited).toBe(0);
    expect(running.output()).not.toContain(token);
  }, 30_000);
});
