import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createGatewayHttp } from '../../../../edge/adapters/gateway-http.ts';
import { LOCAL_PROBLEMS, retryAfterMs } from '../../../../edge/gateway-calls.ts';
import type { GatewayCalls } from '../../../../edge/gateway-calls.ts';
import {
  accepted,
  JOB_ID,
  problem,
  reply,
  startFakeGateway,
  taskResult,
  TRACE_ID,
} from '../../../fakes/gateway-server.ts';
import type { FakeGateway, Reply } from '../../../fakes/gateway-server.ts';

const FINAL = { is_final: true, text: 'run the tests', utterance_id: 'u-1', session_id: 'edge-1', sequence: 1 };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const serve = async (
  routes: Record<string, Reply | Reply[]>,
  options: { token?: () => string; requestMs?: number } = {},
): Promise<{ gateway: FakeGateway; calls: GatewayCalls }> => {
  const gateway = await startFakeGateway(routes);
  closers.push(() => gateway.close());
  return { gateway, calls: createGatewayHttp({ url: gateway.url, token: () => 'secret', ...options }) };
};

/** A server that speaks as raw as the test wants. */
const raw = async (onSocket: (socket: Socket) => void): Promise<string> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('the gateway over HTTP', () => {
  it('submits a final, with the token, and reads the answer', async () => {
    const { gateway, calls } = await serve({ 'POST /transcript': reply(accepted, 202) });
    expect(await calls.submit(FINAL)).toEqual({ ok: true, status: 202, reply: accepted });
    expect(gateway.asked[0]).toMatchObject({
      method: 'POST',
      path: '/transcript',
      body: FINAL,
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json', connection: 'close' },
    });
  });

  it('makes every call of the edge', async () => {
    const { gateway, calls } = await serve({
      'POST /transcript': reply({ status: 'partial_received' }, 202),
      [`GET /trace/${TRACE_ID}`]: reply(taskResult()),
      [`POST /trace/${TRACE_ID}/cancel`]: reply({ status: 'received' }, 202),
      [`POST /jobs/${JOB_ID}/approval`]: reply({ status: 'received' }, 202),
      'GET /health': reply({ status: 'ok' }),
    });
    expect(await calls.partial({ is_final: false, text: '' })).toMatchObject({ ok: true });
    expect(await calls.task(TRACE_ID)).toEqual({ ok: true, status: 200, reply: taskResult() });
    expect(await calls.cancel(TRACE_ID)).toMatchObject({ ok: true, status: 202 });
    expect(await calls.cancel(TRACE_ID, 'enough')).toMatchObject({ ok: true });
    expect(await calls.answerApproval(JOB_ID, { approvalId: 'a-1', decision: 'approve' })).toMatchObject({ ok: true });
    await calls.answerApproval(JOB_ID, { approvalId: 'a-1', decision: 'reject', note: 'no' });
    expect(await calls.alive()).toMatchObject({ ok: true });
    expect(gateway.asked.map(({ body }) => body)).toEqual([
      { is_final: false, text: '' },
      null,
      {},
      { reason: 'enough' },
      { approval_id: 'a-1', decision: 'approve' },
      { approval_id: 'a-1', decision: 'reject', note: 'no' },
      null,
    ]);
  });

  it('keeps a path of the address', async () => {
    const { gateway } = await serve({ 'GET /dual/health': reply({ status: 'ok' }) });
    const calls = createGatewayHttp({ url: `${gateway.url}/dual`, token: () => 't' });
    expect(await calls.alive()).toMatchObject({ ok: true });
  });

  it('hands on what the gateway says is wrong, and when to come back', async () => {
    const { calls } = await serve({
      'POST /transcript': problem(503, 'unavailable', 'Temporal is away', { 'retry-after': '2' }),
    });
    expect(await calls.submit(FINAL)).toEqual({
      ok: false,
      status: 503,
      problem: { type: 'urn:dual:problem:unavailable', title: 'unavailable', status: 503, detail: 'Temporal is away' },
      retryAfterMs: 2_000,
    });
  });

  it.each([
    ['no JSON', 404, '<html>'],
    ['no problem', 400, '{"error":"no"}'],
    ['a redirect', 302, ''],
    ['a success that cannot be read', 200, '{"status":"maybe"}'],
  ])('knows that it is not a gateway: %s', async (_name, status, text) => {
    const { calls } = await serve({
      'POST /transcript': (response) => void response.writeHead(status, { location: '/elsewhere' }).end(text),
    });
    expect(await calls.submit(FINAL)).toMatchObject({
      ok: false,
      status,
      problem: { type: LOCAL_PROBLEMS.stranger },
    });
  });

  it('says that nothing listens', async () => {
    const { gateway, calls } = await serve({});
    await gateway.close();
    closers.length = 0;
    expect(await calls.submit(FINAL)).toMatchObject({
      ok: false,
      status: null,
      problem: { title: `no gateway answers at ${gateway.url} (ECONNREFUSED)` },
    });
  });

  it.each([
    ['accepts and is silent', () => undefined],
    [
      'drips its answer',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
        const drip = setInterval(() => socket.write(' '), 20);
        socket.once('close', () => clearInterval(drip));
      },
    ],
  ])('gives up at its deadline on one that %s', async (_name, onSocket) => {
    const calls = createGatewayHttp({ url: await raw(onSocket), token: () => 't', requestMs: 200 });
    expect(await calls.submit(FINAL)).toMatchObject({
      status: null,
      problem: { type: LOCAL_PROBLEMS.unreachable, title: expect.stringContaining('no answer within 200 ms') },
    });
  });

  it.each([
    ['hangs up', (socket: Socket) => socket.destroy()],
    ['cuts its answer', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{')],
    ['speaks something else', (socket: Socket) => socket.end('SSH-2.0-x\r\n')],
  ])('is no answer: one that %s', async (_name, onSocket) => {
    const calls = createGatewayHttp({ url: await raw(onSocket), token: () => 't', requestMs: 10_000 });
    expect(await calls.submit(FINAL)).toMatchObject({ ok: false, status: null });
  });

  it('reads only so much of an answer that never ends', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const flood = (): void => {
        if (!socket.destroyed) socket.write(Buffer.alloc(65_536, 32), () => setImmediate(flood));
      };
      flood();
    });
    expect(await createGatewayHttp({ url, token: () => 't' }).submit(FINAL)).toMatchObject({
      status: null,
      problem: { title: `no gateway answers at ${url} (the answer is too long)` },
    });
  });

  it('ends at once when it is no longer wanted', async () => {
    const calls = createGatewayHttp({ url: await raw(() => undefined), token: () => 't' });
    const given = new AbortController();
    const result = calls.submit(FINAL, given.signal);
    setTimeout(() => given.abort(), 20);
    expect(await result).toMatchObject({ ok: false, status: null });
    expect(await calls.submit(FINAL, AbortSignal.abort())).toMatchObject({ ok: false, status: null });
  });

  it('reads the token anew each time, and says when there is none', async () => {
    const tokens = ['one', 'two'];
    const { gateway, calls } = await serve(
      { 'GET /health': reply({ status: 'ok' }) },
      {
        token: () => {
          const token = tokens.shift();
          if (token === undefined) throw new Error('there is no token: copy it');
          return token;
        },
      },
    );
    await calls.alive();
    await calls.alive();
    expect(gateway.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
    expect(await calls.alive()).toMatchObject({
      ok: false,
      status: 401,
      problem: { type: LOCAL_PROBLEMS.noToken, title: 'there is no token: copy it' },
    });
  });

  it('believes a Retry-After in seconds, up to ten minutes', () => {
    expect(
      ['0', '2', ' 1.5 ', '99999', 'soon', '-1', '', 'Thu, 26 Nov 2026 10:00:00 GMT', undefined].map(retryAfterMs),
    ).toEqual([0, 2_000, 1_500, 600_000, null, null, null, null, null]);
  });
});
