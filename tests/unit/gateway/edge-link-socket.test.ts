import { afterEach, describe, expect, it } from '@jest/globals';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { EDGE_LINK_PATH, MAX_LINK_MESSAGE_BYTES } from '../../../contracts/edge-link.ts';
import { voiceTaskId } from '../../../contracts/names.ts';
import type { AcceptedReply } from '../../../contracts/replies.ts';
import { LINK_CLOSE } from '../../../gateway/edge-conversation.ts';
import { MAX_LINKS } from '../../../gateway/edge-link.ts';
import { traceIdOf } from '../../../gateway/identity.ts';
import { PROBLEMS, problemType } from '../../../gateway/problems.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createTraceLog } from '../../../platform/trace-log.ts';
import type { TraceLog } from '../../../platform/trace-log.ts';
import { openEdge, tryUpgrade } from '../../fakes/edge-client.ts';
import type { EdgeClient } from '../../fakes/edge-client.ts';
import { openGateway, TOKEN } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { until } from '../../fakes/until.ts';

let gateway: TestGateway;
const good = { authorization: `Bearer ${TOKEN}` };
const edges: EdgeClient[] = [];
const logs: TraceLog[] = [];

const start = async (options: Parameters<typeof openGateway>[0] = {}): Promise<void> => {
  gateway = await openGateway(options);
};
const edge = async (options: Parameters<typeof openEdge>[1] = {}): Promise<EdgeClient> => {
  const opened = await openEdge(gateway.url, options);
  edges.push(opened);
  return opened;
};
/** Another process that writes trace files. */
const workerLog = (): TraceLog => {
  const log = createTraceLog({
    dir: join(gateway.dir, 'traces'),
    process: 'worker',
    metrics: createMetrics('test', '0'),
    log: createLog('test', (text) => text, 'error'),
    scrub: (text) => text,
  });
  logs.push(log);
  return log;
};
const refused = (name: keyof typeof PROBLEMS) => ({ status: PROBLEMS[name].status, type: problemType(name) });
const upgrade = async (
  headers: OutgoingHttpHeaders,
  path?: string,
): Promise<{ status: number; type: string | undefined; headers: Record<string, unknown> }> => {
  const { status, body, headers: answered } = await tryUpgrade(gateway.url, headers, path);
  if (status === 101) return { status, type: undefined, headers: answered };
  expect(answered['content-type']).toBe('application/problem+json');
  return { status, type: (JSON.parse(body) as { type: string }).type, headers: answered };
};
const linked = (count: number): Promise<true> => until(() => (gateway.gateway.links.size === count ? true : undefined));

afterEach(async () => {
  for (const { socket } of edges.splice(0)) socket.terminate();
  for (const log of logs.splice(0)) log.close();
  await gateway.close();
});

describe('who may link', () => {
  it('a program with the token; nobody without, and nobody by a cookie', async () => {
    await start();
    expect((await upgrade(good)).status).toBe(101);
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`]) {
      const answer = await upgrade({ authorization });
      expect({ authorization, ...answer }).toMatchObject({ authorization, ...refused('unauthorized') });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    const { path } = (await (await gateway.call('/login', {})).json()) as { path: string };
    const entered = await fetch(gateway.url + path, { redirect: 'manual' });
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await fetch(`${gateway.url}/skills`, { headers: { cookie } })).status).toBe(200);
    expect(await upgrade({ cookie })).toMatchObject(refused('unauthorized'));
    await linked(0);
  });

  it.each([
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('no page of somebody else, even with the token: %p', async (headers) => {
    await start();
    expect(await upgrade({ ...good, ...headers })).toMatchObject(refused('forbidden-origin'));
  });

  it.each(['evil.test', '127.0.0.1.evil.test:8080'])(
    'nobody who calls us %p, as a rebinding page would',
    async (host) => {
      await start();
      expect(await upgrade({ ...good, host })).toMatchObject(refused('forbidden-host'));
    },
  );

  it('only on the one path, and only with a proper handshake', async () => {
    await start();
    for (const path of ['/', '/ws', '/ws/edge/', '/transcript', '/WS/EDGE'])
      expect(await upgrade(good, path)).toMatchObject(refused('not-found'));
    expect(await upgrade({}, '/ws')).toMatchObject(refused('unauthorized'));
    for (const bad of [{ 'sec-websocket-key': 'short' }, { 'sec-websocket-version': '7' }])
      expect(await upgrade({ ...good, ...bad })).toMatchObject(refused('bad-request'));
    // Another protocol is asked for and not wanted: a plain request, as the standard says.
    const plain = await tryUpgrade(gateway.url, { ...good, upgrade: 'h2c' }, '/health');
    expect(plain.status).toBe(200);
    expect((await gateway.call(EDGE_LINK_PATH)).status).toBe(404);
  });

  it('a bounded number, and a place comes free', async () => {
    await start();
    for (let n = 0; n < MAX_LINKS; n++) await edge({ session: `s${n}` });
    const answer = await upgrade(good);
    expect([answer.status, answer.type, answer.headers['retry-after']]).toEqual([429, problemType('too-many'), '5']);
    await edges[0]?.close();
    await linked(MAX_LINKS - 1);
    expect((await upgrade(good)).status).toBe(101);
    const { body } = await gateway.call('/metrics').then(async (response) => ({ body: await response.text() }));
    expect(body).toMatch(/^dual_orchestrator_edge_links 3[12]$/m);
  });

  it('with nothing compressed and no protocol chosen', async () => {
    await start();
    const answer = await tryUpgrade(gateway.url, {
      ...good,
      'sec-websocket-extensions': 'permessage-deflate',
      'sec-websocket-protocol': 'chat',
    });
    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-extensions']).toBeUndefined();
    expect(answer.headers['sec-websocket-protocol']).toBeUndefined();
  });

  it('not by taking its time over the head', async () => {
    await start();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.resume().on('error', () => undefined);
    socket.write(`GET ${EDGE_LINK_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`);
    const drip = setInterval(() => socket.write('x-more: 1\r\n'), 500);
    const started = performance.now();
    await closed;
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(10_000);
    await linked(0);
  }, 20_000);

  it('and says who it is in time', async () => {
    await start();
    const silent = await edge({ session: null });
    const started = performance.now();
    expect(await silent.closed).toEqual({ code: LINK_CLOSE.refused, reason: 'no hello came' });
    expect(performance.now() - started).toBeLessThan(8_000);
    await linked(0);
  }, 20_000);
});

describe('what may come in', () => {
  it('text; a binary frame ends the link', async () => {
    await start();
    const client = await edge();
    client.socket.send(Buffer.from('{"type":"hello"}'), { binary: true });
    expect((await client.closed).code).toBe(LINK_CLOSE.notText);
  });

  it('of any shape: nothing takes the gateway down', async () => {
    await start();
    const client = await edge();
    const deep = (open: string, close: string, times: number): string => open.repeat(times) + close.repeat(times);
    for (const text of [
      deep('[', ']', 60_000),
      deep('{"a":', '1}', 5_000),
      '"',
      '\u0000',
      '1e999',
      '{"type":"__proto__"}',
    ])
      client.send(text);
    await until(() => (client.heard.length === 6 ? true : undefined));
    expect(client.heard.map((one) => one.type === 'error' && one.status)).toEqual([413, 400, 400, 400, 400, 400]);
    client.say('refactor', 'u');
    expect(await client.answer('u')).toMatchObject({ status: 202 });
  });

  it('UTF-8; other bytes end the link', async () => {
    await start();
    const client = await edge();
    client.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    expect((await client.closed).code).toBe(1007);
  });

  it('not too much: 413 with its name, and far too much ends the link', async () => {
    await start();
    const client = await edge();
    client.say('x'.repeat(MAX_LINK_MESSAGE_BYTES), 'large');
    expect(await client.answer('large')).toMatchObject({ type: 'error', status: 413 });
    client.say('refactor', 'small');
    expect(await client.answer('small')).toMatchObject({ type: 'ack', status: 202 });
    client.say('x'.repeat(MAX_LINK_MESSAGE_BYTES * 2), 'huge');
    expect((await client.closed).code).toBe(1009);
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('a flood of partials: all are heard, everybody else is served meanwhile, and the next final at once', async () => {
    await start();
    const client = await edge();
    const other = await edge({ session: 'other' });
    for (let n = 0; n < 10_000; n++)
      client.send({ type: 'transcript', text: `word ${n}`, is_final: false, utterance_id: 'u', revision: n });
    const started = performance.now();
    other.say('refactor', 'elsewhere', { session_id: 'other' });
    await other.answer('elsewhere');
    expect((await gateway.call('/health')).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(5_000);
    client.say('refactor', 'u');
    expect(await client.answer('u')).toMatchObject({ type: 'ack', status: 202 });
    const metrics = await (await gateway.call('/metrics')).text();
    expect(metrics).toContain('dual_orchestrator_transcripts_total{kind="partial"} 10000');
    expect(metrics).toContain('dual_orchestrator_transcripts_total{kind="final"} 2');
  }, 60_000);
});

describe('a sentence over HTTP', () => {
  it('is heard of at once on its session’s link, without being looked for', async () => {
    await start();
    gateway.engine.list = async () => ({ runs: [], next: null });
    const client = await edge();
    const stranger = await edge({ session: 'stranger' });
    const said = { text: 'refactor', is_final: true, session_id: 'kitchen' };
    const { trace_id } = (await (await gateway.call('/transcript', said)).json()) as AcceptedReply;
    await until(() => (client.phases(trace_id).length === 3 ? true : undefined));
    expect(client.phases(trace_id)).toEqual(['received', 'routed', 'submitted']);
    expect(stranger.heard).toEqual([]);
  });
});

describe('a backlog', () => {
  it('of finals drains unaided when each comes again as it was told to, and each starts once', async () => {
    await start();
    const client = await edge();
    gateway.engine.beforeStart = () => new Promise((resolve) => setTimeout(resolve, 3));
    const count = 300;
    const unanswered = new Set(Array.from({ length: count }, (_, n) => n + 1));
    const say = (n: number): void => client.say('refactor', `u${n}`, { sequence: n });
    for (const n of unanswered) say(n);
    let rounds = 0;
    let read = 0;
    await until(() => {
      let again = 0;
      for (; read < client.heard.length; read++) {
        const one = client.heard[read];
        if (one?.type === 'event' || !one?.utterance_id) continue;
        const n = Number(one.utterance_id.slice(1));
        if (one.type === 'ack') unanswered.delete(n);
        else {
          expect([one.status, one.retry_after_ms]).toEqual([429, 1_000]);
          again += 1;
          setTimeout(() => say(n), one.retry_after_ms);
        }
      }
      rounds += again > 0 ? 1 : 0;
      return unanswered.size === 0 ? true : undefined;
    }, 60_000);
    expect(rounds).toBeGreaterThan(0);
    const started = gateway.engine.starts.map(({ input }) => input.trace_id);
    expect(started.sort()).toEqual(Array.from({ length: count }, (_, n) => traceIdOf(`u${n + 1}`)).sort());
  }, 90_000);
});

describe('a link that is dead', () => {
  it('is noticed by its silence, and one that lives is kept', async () => {
    await start({ pingMs: 100 });
    const lively = await edge({ session: 'lively' });
    const dead = await edge({ session: 'dead' });
    dead.socket.pause();
    await linked(1);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(lively.socket.readyState).toBe(lively.socket.OPEN);
    await linked(1);
    dead.socket.resume();
    expect((await dead.closed).code).toBe(1006);
  });

  it('is replaced when its edge comes back', async () => {
    await start();
    const first = await edge();
    first.say('refactor', 'one');
    await first.answer('one');
    const second = await edge();
    expect((await first.closed).code).toBe(LINK_CLOSE.replaced);
    await linked(1);
    workerLog().write({ trace_id: traceIdOf('one'), phase: 'running' });
    await until(() => (second.phases(traceIdOf('one')).includes('running') ? true : undefined));
    second.say('refactor', 'two');
    expect(await second.answer('two')).toMatchObject({ status: 202 });
    const another = await edge({ session: 'another' });
    expect([second.socket.readyState, another.socket.readyState]).toEqual([1, 1]);
  });
});

describe('an edge that does not read', () => {
  it('is dropped, and hears what it missed when it comes back', async () => {
    await start();
    const worker = workerLog();
    const deaf = await edge();
    deaf.say('refactor', 'long');
    const { reply } = (await deaf.answer('long')) as { reply: AcceptedReply };
    await until(() => (deaf.events(reply.trace_id).length >= 3 ? true : undefined));
    const after = deaf.events().at(-1)?.event_id ?? null;
    deaf.socket.pause();
    const words = 'x'.repeat(20_000);
    let written = 0;
    const writing = setInterval(() => {
      for (let n = 0; n < 50; n++, written++)
        worker.write({ trace_id: reply.trace_id, phase: 'model_turn', key: String(written), payload: { words } });
    }, 20);
    await linked(0).finally(() => clearInterval(writing));
    expect(process.memoryUsage().rss).toBeLessThan(1_500_000_000);
    worker.write({ trace_id: reply.trace_id, phase: 'completed', payload: { outcome: 'succeeded' } });
    gateway.engine.close(voiceTaskId(reply.trace_id), {});
    deaf.socket.terminate();
    const back = await edge({ after });
    await back.end(reply.trace_id, 60_000);
    const turns = back.events(reply.trace_id).filter(({ phase }) => phase === 'model_turn');
    expect(turns).toHaveLength(written);
    expect(new Set(turns.map(({ event_id }) => event_id)).size).toBe(written);
    expect(back.events().at(-1)?.phase).toBe('completed');
  }, 120_000);
});

describe('when the gateway ends', () => {
  it('what is being answered is answered, then the links are closed, in time', async () => {
    await start();
    const client = await edge();
    const idle = await edge({ session: 'idle' });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const begun = new Promise<void>((resolve) => {
      gateway.engine.beforeStart = () => {
        resolve();
        return held;
      };
    });
    client.say('refactor', 'late');
    await begun;
    const started = performance.now();
    const restarted = gateway.restart();
    setTimeout(release, 300);
    expect(await client.answer('late')).toMatchObject({ type: 'ack', status: 202 });
    expect((await client.closed).code).toBe(LINK_CLOSE.ending);
    expect((await idle.closed).code).toBe(LINK_CLOSE.ending);
    gateway = await restarted;
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  it('in time although something hangs and somebody is deaf', async () => {
    await start();
    const client = await edge();
    const deaf = await edge({ session: 'deaf' });
    deaf.socket.pause();
    gateway.engine.beforeStart = () => new Promise(() => undefined);
    client.say('refactor', 'never');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = performance.now();
    gateway = await gateway.restart();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect((await client.closed).code).toBe(LINK_CLOSE.ending);
    gateway.engine.beforeStart = () => undefined;
  }, 20_000);
});
