import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { createGatewaySocket } from '../../../../edge/adapters/gateway-socket.ts';
import type { GatewaySocketOptions } from '../../../../edge/adapters/gateway-socket.ts';
import type { GatewaySocket, SocketEnd } from '../../../../edge/gateway-link.ts';
import { until } from '../../../fakes/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Far {
  url: string;
  requests: IncomingMessage[];
  got: string[];
  /** Open connections. */
  links: WebSocket[];
}

/** `refuse`: answers the upgrade itself. */
const far = async (refuse?: (socket: Socket) => void, autoPong = true): Promise<Far> => {
  const server = createServer();
  const upgrades = new WebSocketServer({ noServer: true, autoPong });
  const one: Far = { url: '', requests: [], got: [], links: [] };
  server.on('upgrade', (request, socket: Socket, head) => {
    one.requests.push(request);
    closers.push(() => socket.destroy());
    socket.on('error', () => undefined);
    if (refuse) return refuse(socket);
    upgrades.handleUpgrade(request, socket, head, (link) => {
      one.links.push(link);
      link.on('message', (data) => one.got.push(Buffer.isBuffer(data) ? data.toString() : '?'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  one.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return one;
};

interface Near {
  socket: GatewaySocket;
  opened: number;
  messages: string[];
  ends: SocketEnd[];
}
const connect = (url: string, options: Partial<GatewaySocketOptions> = {}): Near => {
  const near: Omit<Near, 'socket'> = { opened: 0, messages: [], ends: [] };
  const open = createGatewaySocket({ url, token: () => 'secret', ...options });
  const socket = open({
    opened: () => (near.opened += 1),
    message: (text) => near.messages.push(text),
    closed: (end) => near.ends.push(end),
  });
  closers.push(() => socket.drop('the test is over'));
  return Object.assign(near, { socket });
};
const opened = (near: Near): Promise<true> => until(() => (near.opened === 1 ? true : undefined));
const ended = (near: Near): Promise<SocketEnd> => until(() => near.ends[0]);

describe('a connection to the gateway', () => {
  it('opens on /ws/edge with the token, without compression, and carries text both ways', async () => {
    const there = await far();
    const near = connect(there.url);
    near.socket.send('too early');
    await opened(near);
    near.socket.send('hello');
    await until(() => (there.got.length > 0 ? true : undefined));
    expect(there.got).toEqual(['hello']);
    there.links[0]?.send('welcome');
    there.links[0]?.send('größer');
    await until(() => (near.messages.length === 2 ? true : undefined));
    expect(near.messages).toEqual(['welcome', 'größer']);
    expect(there.requests[0]?.url).toBe('/ws/edge');
    expect(there.requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(there.requests[0]?.headers['sec-websocket-extensions']).toBeUndefined();
    expect(near.socket.bufferedBytes).toBe(0);
    near.socket.end();
    expect(await ended(near)).toEqual({ reason: 'ended by the edge', status: null, retryAfterMs: null });
    near.socket.send('too late');
    expect(there.got).toEqual(['hello']);
  });

  it('keeps a path of the address', async () => {
    const there = await far();
    await opened(connect(`${there.url}/dual/`));
    expect(there.requests[0]?.url).toBe('/dual/ws/edge');
  });

  it('tells a binary message as one that cannot be read', async () => {
    const there = await far();
    const near = connect(there.url);
    await opened(near);
    there.links[0]?.send(Buffer.from('{}'));
    expect(await until(() => (near.messages.length > 0 ? near.messages : undefined))).toEqual(['']);
  });

  it.each([
    ['HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n', 401, null],
    ['HTTP/1.1 503 No\r\nretry-after: 2\r\ncontent-length: 2\r\n\r\nno', 503, 2_000],
    ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 200, null],
  ])('is refused: %j', async (answer, status, retryAfterMs) => {
    const there = await far((socket) => socket.end(answer));
    const near = connect(there.url);
    expect(await ended(near)).toEqual({
      reason: `the gateway refused the connection (${status})`,
      status,
      retryAfterMs,
    });
    expect(near.opened).toBe(0);
  });

  it('ends where nothing listens, or no token is, once and not before it was begun', async () => {
    const there = await far();
    const [first] = closers.splice(0);
    await first?.();
    const near = connect(there.url);
    expect(near.ends).toEqual([]);
    expect((await ended(near)).reason).toBe(`no gateway answers at ${there.url} (ECONNREFUSED)`);
    const tokenless = connect(there.url, {
      token: () => {
        throw new Error('there is no token: copy it');
      },
    });
    expect(tokenless.ends).toEqual([]);
    expect(await ended(tokenless)).toEqual({ reason: 'there is no token: copy it', status: null, retryAfterMs: null });
    tokenless.socket.end();
    expect(near.ends).toHaveLength(1);
    expect(tokenless.ends).toHaveLength(1);
  });

  it.each([
    ['is silent', () => undefined],
    [
      'drips',
      (socket: Socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n');
        const drip = setInterval(() => socket.write('x-more: 1\r\n'), 20);
        socket.once('close', () => clearInterval(drip));
      },
    ],
  ])('does not wait for ever for one that %s', async (_name, refuse) => {
    const near = connect((await far(refuse)).url, { handshakeMs: 200 });
    expect((await ended(near)).reason).toBe('no connection within 200 ms');
    expect(near.opened).toBe(0);
  });

  it('ends when two pings are met with silence', async () => {
    const there = await far(undefined, false);
    const near = connect(there.url, { pingMs: 40 });
    await opened(near);
    expect((await ended(near)).reason).toBe('the gateway fell silent');
  });

  it('lives as long as anything is heard: an answer to a ping, a ping, a message', async () => {
    for (const keepAlive of [null, (link: WebSocket) => link.ping(), (link: WebSocket) => link.send('x')]) {
      const there = await far(undefined, keepAlive === null);
      const near = connect(there.url, { pingMs: 40 });
      await opened(near);
      const beat = setInterval(() => there.links.forEach((link) => keepAlive?.(link)), 20);
      await new Promise((resolve) => setTimeout(resolve, 400));
      clearInterval(beat);
      expect(near.ends).toEqual([]);
      near.socket.drop('enough');
      await ended(near);
    }
  });

  it('survives what is no WebSocket any more, and what is too long', async () => {
    const there = await far();
    const near = connect(there.url);
    await opened(near);
    there.links[0]?.send('x'.repeat(2 * 1024 * 1024));
    expect((await ended(near)).reason).toContain('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    const garbled = await far((socket) => socket.end('nonsense\r\n\r\n'));
    expect((await ended(connect(garbled.url))).reason).toContain('no gateway answers');
  });

  it('does not wait for ever for a goodbye', async () => {
    const there = await far();
    const near = connect(there.url);
    await opened(near);
    there.links[0]?.pause();
    near.socket.end();
    near.socket.end();
    expect((await ended(near)).reason).toBe('ended by the edge');
    const never = connect((await far(() => undefined)).url);
    never.socket.end();
    expect((await ended(never)).reason).toBe('ended by the edge');
    expect(never.ends).toHaveLength(1);
  });

  it('drops at once, with the reason', async () => {
    const there = await far();
    const near = connect(there.url);
    await opened(near);
    near.socket.drop('deaf');
    near.socket.drop('again');
    expect((await ended(near)).reason).toBe('deaf');
    expect(near.ends).toHaveLength(1);
  });
});
