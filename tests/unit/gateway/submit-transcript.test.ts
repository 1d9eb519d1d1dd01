import { afterEach, describe, expect, it } from '@jest/globals';
import type {
  AcceptedReply,
  ClarifyReply,
  ControlReply,
  DeclinedReply,
  FinalReply,
} from '../../../contracts/replies.ts';
import type { JobPlan } from '../../../contracts/agent.ts';
import { voiceTaskId } from '../../../contracts/names.ts';
import { traceIdOf } from '../../../gateway/identity.ts';
import { fromRoot } from '../../../platform/env.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGateway, TOKEN } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';

let gateway: TestGateway;
afterEach(() => gateway.close());

const post = async <T = FinalReply>(body: Record<string, unknown>): Promise<{ status: number; body: T }> => {
  const response = await gateway.call('/transcript', { is_final: true, ...body });
  return { status: response.status, body: (await response.json()) as T };
};
const phases = (traceId: string): string[] => gateway.events(traceId).map(({ phase }) => phase);

describe('a secret of ours in what is said', () => {
  it('reaches neither Temporal, nor a plan, nor a trace', async () => {
    gateway = await openGateway({
      router: createScriptedRouter({ 'refactor with [secret]': routeOf('dispatch', [clauseOf('use [secret]')]) }),
    });
    const { status, body } = await post<AcceptedReply>({ text: `refactor with ${TOKEN}`, utterance_id: 'u-1' });
    expect(status).toBe(202);
    await gateway.call('/task', {
      utterance: 'refactor with [secret]',
      context: `it is ${TOKEN}`,
      metadata: { k: TOKEN },
    });
    gateway.engine.runs.set(`job-${body.jobs[0]?.job_id ?? ''}`, {
      ...gateway.engine.runs.get(body.workflow_id),
    } as never);
    await gateway.call(`/jobs/${body.jobs[0]?.job_id ?? ''}/steer`, { text: `try ${TOKEN}` });
    expect(JSON.stringify([gateway.engine.starts, gateway.engine.signals])).not.toContain(TOKEN);
    expect(gateway.engine.signals).toMatchObject([{ argument: { text: 'try [secret]' } }]);
    const files = readdirSync(gateway.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(2);
    for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain(TOKEN);
  });
});

describe('a final transcript', () => {
  it('becomes a task before it is answered, with everything the agents need', async () => {
    const understood = routeOf('dispatch', [
      clauseOf('refactor'),
      clauseOf('check', {
        skill: 'validate-site',
        agent: 'browser',
        parameters: { target: 'staging' },
        depends_on: [{ clause: 0, when: 'succeeded' }],
      }),
    ]);
    gateway = await openGateway({
      router: createScriptedRouter({ 'refactor and check': understood }),
    });
    const { status, body } = await post<AcceptedReply>({
      text: 'refactor and check',
      utterance_id: 'u-1',
      session_id: 's',
    });
    const traceId = traceIdOf('u-1');
    expect(status).toBe(202);
    expect(body).toEqual({
      status: 'accepted',
      trace_id: traceId,
      workflow_id: `voice-${traceId}`,
      jobs: [
        { job_id: `${traceId}-1`, agent: 'coding', skill: 'coding', instruction: 'refactor', depends_on: [] },
        {
          job_id: `${traceId}-2`,
          agent: 'browser',
          skill: 'validate-site',
          instruction: 'check',
          depends_on: [{ job_id: `${traceId}-1`, when: 'succeeded' }],
        },
      ],
      links: {
        trace: `/trace/${traceId}`,
        events: `/trace/${traceId}/events`,
        temporal_ui: `http://127.0.0.1:8233/namespaces/default/workflows/voice-${traceId}`,
      },
    });
    const [start] = gateway.engine.starts;
    expect(start).toMatchObject({
      summary: 'refactor and check',
      input: { trace_id: traceId, session_id: 's', utterance: 'refactor and check', approval_timeout_ms: 60_000 },
    });
    const plan = (await gateway.artifacts.getJson(start?.input.jobs[1]?.plan ?? '')) as JobPlan;
    expect(plan).toMatchObject({
      utterance: 'refactor and check',
      instruction: 'check',
      targets: [{ name: 'staging', url: 'http://127.0.0.1:4000' }],
    });
    expect(phases(traceId)).toEqual(['received', 'routed', 'submitted', 'submitted']);
    const [, routed, ...submitted] = gateway.events(traceId);
    expect(routed?.payload).toEqual(understood);
    expect(submitted.map(({ job_id, agent }) => [job_id, agent])).toEqual([
      [`${traceId}-1`, 'coding'],
      [`${traceId}-2`, 'browser'],
    ]);
  });

  it('has its plans on disk when the start is under way', async () => {
    gateway = await openGateway();
    const seen: unknown[] = [];
    const { engine } = gateway;
    const start = engine.start.bind(engine);
    engine.start = async (task) => {
      seen.push(await gateway.artifacts.getJson(task.input.jobs[0]?.plan ?? ''));
      return start(task);
    };
    await post({ text: 'refactor the API' });
    expect(seen).toEqual([expect.objectContaining({ instruction: 'refactor the API' })]);
  });

  it('starts nothing when its plan cannot be stored', async () => {
    gateway = await openGateway({ config: { artifactDir: fromRoot('package.json/nowhere') } });
    const response = await gateway.call('/transcript', { text: 'refactor the API', is_final: true });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ type: 'urn:dual:problem:storage-unavailable' });
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('declines what is no order, and a blank one, and starts nothing', async () => {
    gateway = await openGateway();
    const small = await post<DeclinedReply>({ text: 'how are you' });
    expect(small).toEqual({
      status: 200,
      body: { status: 'declined', trace_id: small.body.trace_id, reason: 'no skill fits' },
    });
    expect((await post<DeclinedReply>({ text: '   ' })).body).toMatchObject({
      status: 'declined',
      reason: 'nothing was said',
    });
    expect(gateway.engine.starts).toHaveLength(0);
    expect(phases(small.body.trace_id)).toEqual(['received', 'routed', 'declined']);
  });

  it('asks which ones come first when there are too many', async () => {
    const many = Array.from({ length: 9 }, (_, n) => clauseOf(`job ${n}`));
    gateway = await openGateway({ router: createScriptedRouter({ lots: routeOf('dispatch', many) }) });
    const { status, body } = await post<ClarifyReply>({ text: 'lots' });
    expect([status, body.status, body.question]).toEqual([
      200,
      'clarify',
      'Those are 9 orders, and at most 8 go at once. Which ones come first?',
    ]);
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('is refused when it is older than a week: its run may be forgotten', async () => {
    gateway = await openGateway();
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    expect(await post({ text: 'refactor', timestamp: daysAgo(7.01) })).toMatchObject({
      status: 400,
      body: { type: 'urn:dual:problem:too-old' },
    });
    expect(await post({ text: 'refactor', timestamp: daysAgo(6.9) })).toMatchObject({ status: 202 });
    expect(await post({ text: 'refactor', timestamp: daysAgo(-1) })).toMatchObject({ status: 202 });
  });

  it('is answered 503 while Temporal is away, and accepted when it is back, once', async () => {
    gateway = await openGateway();
    gateway.engine.away = true;
    const said = { text: 'refactor the API', is_final: true, utterance_id: 'u' };
    const refused = await gateway.call('/transcript', said);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(gateway.events()).toEqual([]);
    gateway.engine.away = false;
    expect((await post(said)).status).toBe(202);
    expect((await post(said)).status).toBe(202);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('declines small talk also while Temporal is away', async () => {
    gateway = await openGateway();
    gateway.engine.away = true;
    expect(await post({ text: 'hello', utterance_id: 'u' })).toMatchObject({
      status: 200,
      body: { status: 'declined' },
    });
  });

  it('declines an order whose skill was taken away in between', async () => {
    const router = createScriptedRouter({ go: routeOf('dispatch', [clauseOf('go', { skill: 'gone' })]) });
    gateway = await openGateway({ router });
    expect((await post<DeclinedReply>({ text: 'go' })).body).toMatchObject({
      status: 'declined',
      reason: 'skill gone is not served any more',
    });
  });

  it('tells summaries what was done before', async () => {
    const order = clauseOf('summarize', { skill: 'summarize', agent: 'summarize' });
    gateway = await openGateway({ router: createScriptedRouter({ summarize: routeOf('dispatch', [order]) }) });
    gateway.engine.add({
      workflowId: voiceTaskId('e'.repeat(32)),
      status: 'terminated',
      attributes: {
        traceId: 'e'.repeat(32),
        sessionId: null,
        agent: null,
        outcome: null,
        utterance: 'an earlier order',
        costUsd: null,
      },
    });
    await post({ text: 'summarize' });
    const plan = (await gateway.artifacts.getJson(gateway.engine.starts[0]?.input.jobs[0]?.plan ?? '')) as JobPlan;
    expect(plan.context).toContain('"an earlier order": terminated');
  });
});

describe('POST /task', () => {
  it('is a final transcript with words for the agents', async () => {
    gateway = await openGateway();
    const response = await gateway.call('/task', {
      utterance: 'refactor it',
      context: 'mind the tests',
      metadata: { a: 'b' },
    });
    expect(response.status).toBe(202);
    const { trace_id } = (await response.json()) as AcceptedReply;
    const plan = (await gateway.artifacts.getJson(gateway.engine.starts[0]?.input.jobs[0]?.plan ?? '')) as JobPlan;
    expect(plan.context).toBe('mind the tests');
    expect(gateway.events(trace_id)[0]?.payload).toEqual({ text: 'refactor it', metadata: { a: 'b' } });
  });
});

describe('the same utterance again', () => {
  const said = { text: 'refactor the API', utterance_id: 'u-2', session_id: 's' };

  it('gets the first reply and starts nothing, also from many at once', async () => {
    gateway = await openGateway();
    const replies = await Promise.all(Array.from({ length: 10 }, () => post(said)));
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(replies.every(({ status }) => status === 202)).toBe(true);
    expect(gateway.engine.starts).toHaveLength(1);
    expect(gateway.events()).toHaveLength(3);
  });

  it('gets it from another gateway as well, running or closed, and nothing is traced after the end', async () => {
    gateway = await openGateway();
    const first = await post(said);
    gateway = await gateway.restart();
    expect(await post(said)).toEqual(first);
    // The earlier gateway may have died before it told: while the task runs it is told again, as the same events.
    expect(new Set(gateway.events().map(({ event_id }) => event_id)).size).toBe(3);
    const told = gateway.events().length;
    gateway.engine.close(voiceTaskId(first.body.trace_id), {});
    gateway = await gateway.restart();
    expect(await post(said)).toEqual(first);
    expect(gateway.engine.starts).toHaveLength(1);
    expect(gateway.events()).toHaveLength(told);
  });

  it('gets it even when routing would now say something else', async () => {
    gateway = await openGateway();
    const first = await post(said);
    gateway = await gateway.restart();
    const other = await openGateway({
      dir: gateway.dir,
      engine: gateway.engine,
      router: createScriptedRouter({ [said.text]: routeOf('decline', [clauseOf(said.text)]) }),
    });
    const again = await other.call('/transcript', { ...said, is_final: true });
    expect([again.status, await again.json()]).toEqual([202, first.body]);
    const changed = await other.call('/transcript', { ...said, text: 'hello', is_final: true });
    expect(changed.status).toBe(409);
    await gateway.close();
    gateway = other;
  });

  it.each([
    ['another text', { text: 'refactor the tests' }],
    ['another session', { session_id: 't' }],
    ['no session', { session_id: undefined }],
  ])('is a conflict with %s: at once, and from another gateway', async (_what, change) => {
    gateway = await openGateway();
    await post(said);
    expect(await post({ ...said, ...change })).toMatchObject({
      status: 409,
      body: { type: 'urn:dual:problem:utterance-conflict' },
    });
    gateway = await gateway.restart();
    expect((await post({ ...said, ...change })).status).toBe(409);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('has one winner when two bodies race on two gateways', async () => {
    gateway = await openGateway();
    const other = await openGateway({ engine: gateway.engine });
    for (let n = 0; n < 10; n++) {
      const replies = await Promise.all([
        gateway.call('/transcript', { text: 'refactor one', is_final: true, utterance_id: `race-${n}` }),
        other.call('/transcript', { text: 'refactor two', is_final: true, utterance_id: `race-${n}` }),
      ]);
      expect(replies.map(({ status }) => status).sort()).toEqual([202, 409]);
    }
    expect(gateway.engine.starts).toHaveLength(10);
    await other.close();
  });

  it('remembers what was declined', async () => {
    gateway = await openGateway();
    const first = await post({ text: 'hello', utterance_id: 'u-3' });
    expect(await post({ text: 'hello', utterance_id: 'u-3' })).toEqual(first);
    expect((await post({ text: 'refactor', utterance_id: 'u-3' })).status).toBe(409);
  });

  it('without an id every post is new', async () => {
    gateway = await openGateway();
    const ids = await Promise.all([post({ text: 'refactor' }), post({ text: 'refactor' })]);
    expect(new Set(ids.map(({ body }) => body.trace_id)).size).toBe(2);
    expect(gateway.engine.starts).toHaveLength(2);
  });
});

describe('partials', () => {
  it('are traced and start nothing', async () => {
    gateway = await openGateway();
    const partial = { text: 'refac', is_final: false, utterance_id: 'u' };
    for (const revision of [1, 2, 2]) {
      const response = await gateway.call('/transcript', { ...partial, revision });
      expect([response.status, await response.json()]).toEqual([202, { status: 'partial_received' }]);
    }
    const events = gateway.events(traceIdOf('u'));
    expect(events.map(({ phase }) => phase)).toEqual(['partial', 'partial', 'partial']);
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(2);
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('that come behind their final are not traced: nothing happens after the end', async () => {
    gateway = await openGateway();
    await post({ text: 'refactor', utterance_id: 'u' });
    const before = gateway.events().length;
    expect((await gateway.call('/transcript', { text: 'ref', is_final: false, utterance_id: 'u' })).status).toBe(202);
    expect(gateway.events()).toHaveLength(before);
  });
});

describe('one session', () => {
  it('is routed in spoken order, whatever order it came in', async () => {
    const router = createScriptedRouter();
    gateway = await openGateway({ router });
    await post({ text: 'refactor 1', session_id: 's', sequence: 1 });
    await Promise.all([4, 2, 3].map((n) => post({ text: `refactor ${n}`, session_id: 's', sequence: n })));
    expect(router.heard).toEqual([1, 2, 3, 4].map((n) => `refactor ${n}`));
    expect(gateway.engine.starts.map(({ summary }) => summary)).toEqual(router.heard);
  });
});

const sites = (text: string) =>
  routeOf('clarify', [
    clauseOf('refactor'),
    clauseOf(text, { skill: 'validate-site', agent: 'browser', ask: true, missing: ['target'] }),
  ]);

describe('clarification', () => {
  const router = createScriptedRouter({
    'refactor and check the site': sites('check the site'),
    stop: routeOf('control', [], { action: 'cancel', target: 'last' }),
  });
  const question = { text: 'refactor and check the site', utterance_id: 'q', session_id: 's' };

  it('parks the whole transcript; the answer completes it under its own trace', async () => {
    gateway = await openGateway({ router });
    const asked = await post<ClarifyReply>(question);
    expect([asked.status, asked.body]).toEqual([
      200,
      {
        status: 'clarify',
        trace_id: traceIdOf('q'),
        question: 'Which site, staging or production?',
        candidates: [expect.objectContaining({ skill: 'validate-site' })],
        missing: ['target'],
      },
    ]);
    const answer = { text: 'production', utterance_id: 'a', session_id: 's' };
    const completed = await post<AcceptedReply>(answer);
    expect(completed.status).toBe(202);
    expect(completed.body.trace_id).toBe(traceIdOf('q'));
    expect(completed.body.jobs.map(({ skill }) => skill)).toEqual(['coding', 'validate-site']);
    expect(gateway.engine.starts[0]?.summary).toBe(question.text);
    expect(phases(traceIdOf('q'))).toEqual([
      'received',
      'routed',
      'clarify',
      'received',
      'routed',
      'submitted',
      'submitted',
    ]);
    expect(phases(traceIdOf('a'))).toEqual([]);
    expect(await post(answer)).toEqual(completed);
    expect((await post(question)).body).toEqual(asked.body);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('survives a restart, before and after the answer', async () => {
    gateway = await openGateway({ router });
    await post(question);
    gateway = await gateway.restart();
    const completed = await post({ text: 'staging', utterance_id: 'a', session_id: 's' });
    expect(completed).toMatchObject({ status: 202, body: { trace_id: traceIdOf('q') } });
    gateway = await gateway.restart();
    expect(await post({ text: 'staging', utterance_id: 'a', session_id: 's' })).toEqual(completed);
    expect((await post({ text: 'other', utterance_id: 'a', session_id: 's' })).status).toBe(409);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('keeps the question through small talk, and drops it for a new order', async () => {
    gateway = await openGateway({ router });
    await post(question);
    expect((await post({ text: 'hm', session_id: 's' })).body.status).toBe('declined');
    const other = await post<AcceptedReply>({ text: 'refactor the tests', session_id: 's' });
    expect(other.body.jobs).toHaveLength(1);
    expect((await post({ text: 'staging', session_id: 's' })).body.status).toBe('declined');
  });

  it.each(['no', 'never mind', 'no, don’t'])('drops the question after a plain no: %s', async (text) => {
    gateway = await openGateway({ router });
    await post(question);
    expect((await post({ text, session_id: 's' })).body.status).toBe('declined');
    expect((await post({ text: 'staging', session_id: 's' })).body.status).toBe('declined');
    expect(gateway.engine.starts).toEqual([]);
  });

  it('is another session’s business only there, and nobody’s without a session', async () => {
    gateway = await openGateway({ router });
    await post(question);
    expect((await post({ text: 'staging', session_id: 't' })).body.status).toBe('declined');
    expect((await post({ text: 'staging' })).body.status).toBe('declined');
    expect((await post({ ...question, utterance_id: undefined, session_id: undefined })).body.status).toBe('clarify');
    expect((await post({ text: 'staging' })).body.status).toBe('declined');
  });

  it('drops the question when the speaker says stop', async () => {
    gateway = await openGateway({ router });
    await post(question);
    expect((await post<ControlReply>({ text: 'stop', session_id: 's' })).body).toMatchObject({
      outcome: 'done',
      message: 'the question is dropped',
    });
    expect((await post({ text: 'staging', session_id: 's' })).body.status).toBe('declined');
  });

  it('does not take the repetition of an accepted order for the answer', async () => {
    gateway = await openGateway({ router });
    const order = { text: 'refactor first', utterance_id: 'o', session_id: 's' };
    const first = await post(order);
    await post(question);
    gateway = await gateway.restart();
    expect(await post(order)).toEqual(first);
    expect((await post({ text: 'staging', session_id: 's' })).status).toBe(202);
  });
});

describe('control words', () => {
  const router = createScriptedRouter({
    stop: routeOf('control', [], { action: 'cancel', target: 'last' }),
    'stop all': routeOf('control', [], { action: 'cancel', target: 'all' }),
    dance: routeOf('control', [], { action: 'dance', target: null }),
  });
  const say = async (text: string, session_id?: string): Promise<ControlReply> =>
    (await post<ControlReply>({ text, session_id })).body;
  const stopped = (): string[] => gateway.engine.signals.map(({ workflowId }) => workflowId);

  it('stop what the session asked for last', async () => {
    gateway = await openGateway({ router });
    const mine = await post({ text: 'refactor 1', session_id: 's' });
    await post({ text: 'refactor 2', session_id: 't' });
    const reply = await say('stop', 's');
    expect(reply).toMatchObject({ status: 'control', action: 'cancel', target: 'last', outcome: 'done' });
    expect(stopped()).toEqual([voiceTaskId(mine.body.trace_id)]);
    expect(phases(reply.trace_id)).toEqual(['received', 'routed', 'control']);
  });

  it('reach the one before when the last is over', async () => {
    gateway = await openGateway({ router });
    const first = await post({ text: 'refactor 1', session_id: 's' });
    const last = await post({ text: 'refactor 2', session_id: 's' });
    gateway.engine.close(voiceTaskId(last.body.trace_id), {});
    expect(await say('stop', 's')).toMatchObject({ outcome: 'done' });
    expect(stopped()).toEqual([voiceTaskId(first.body.trace_id)]);
  });

  it('stop all of a session, and say when there is nothing', async () => {
    gateway = await openGateway({ router });
    await post({ text: 'refactor 1', session_id: 's' });
    await post({ text: 'refactor 2', session_id: 's' });
    expect(await say('stop all', 's')).toMatchObject({ outcome: 'done', message: '2 being stopped' });
    expect(await say('stop all', 'u')).toMatchObject({ outcome: 'nothing' });
    expect(await say('stop', 'u')).toMatchObject({ outcome: 'nothing' });
    expect(new Set(stopped()).size).toBe(2);
  });

  it('without a session need to be clear', async () => {
    gateway = await openGateway({ router });
    expect(await say('stop')).toMatchObject({ outcome: 'nothing' });
    await post({ text: 'refactor 1' });
    await post({ text: 'refactor 2' });
    expect(await say('stop')).toMatchObject({ outcome: 'ambiguous' });
    expect(stopped()).toEqual([]);
  });

  it('that nobody knows do nothing', async () => {
    gateway = await openGateway({ router });
    expect(await say('dance', 's')).toMatchObject({
      outcome: 'nothing',
      message: 'the gateway does not know how to dance',
    });
  });
});

describe('an address that nobody may open', () => {
  const said = clauseOf('check ten dot zero dot zero dot five', { skill: 'validate-site', agent: 'browser' });

  it('is declined with the reason; nothing starts, not even what was said beside it', async () => {
    const text = 'refactor and check ten dot zero dot zero dot five';
    gateway = await openGateway({
      router: createScriptedRouter({ [text]: routeOf('dispatch', [clauseOf('refactor'), said]) }),
    });
    const { status, body } = await post<DeclinedReply>({ text, utterance_id: 'u-private' });
    expect([status, body.status, body.reason]).toEqual([
      200,
      'declined',
      '10.0.0.5 is a private address; list it in TARGETS_FILE to allow it',
    ]);
    expect(gateway.engine.starts).toEqual([]);
    expect(phases(body.trace_id)).toEqual(['received', 'routed', 'declined']);
  });

  it('is declined as the answer to a question too, and the question is over', async () => {
    const open = clauseOf('check the site', {
      skill: 'validate-site',
      agent: 'browser',
      ask: true,
      missing: ['target'],
    });
    gateway = await openGateway({
      router: createScriptedRouter({ 'check the site': routeOf('clarify', [open]) }),
    });
    const asked = await post<ClarifyReply>({ text: 'check the site', session_id: 's' });
    expect(asked.body.status).toBe('clarify');
    const refused = await post<DeclinedReply>({ text: 'localhost port three thousand', session_id: 's' });
    expect(refused.body).toMatchObject({ status: 'declined', trace_id: asked.body.trace_id });
    expect((await post({ text: 'staging', session_id: 's' })).body.status).toBe('declined');
    expect(gateway.engine.starts).toEqual([]);
  });

  it('opens for its job alone when it is public, or listed', async () => {
    const open = clauseOf('check the site', {
      skill: 'validate-site',
      agent: 'browser',
      ask: true,
      missing: ['target'],
    });
    gateway = await openGateway({
      router: createScriptedRouter({ 'check the site': routeOf('clarify', [open]) }),
    });
    for (const [answer, target] of [
      ['staging dot example dot com', { name: 'staging.example.com', url: 'https://staging.example.com/' }],
      ['one two seven dot zero dot zero dot one port four thousand', { name: 'staging', url: 'http://127.0.0.1:4000' }],
    ] as const) {
      await post({ text: 'check the site', session_id: 's' });
      const { body } = await post<AcceptedReply>({ text: answer, session_id: 's' });
      expect(body.status).toBe('accepted');
      const plan = await gateway.artifacts.getJson(gateway.engine.starts.at(-1)?.input.jobs[0]?.plan ?? '');
      expect((plan as JobPlan).targets).toEqual([target]);
    }
  });
});
