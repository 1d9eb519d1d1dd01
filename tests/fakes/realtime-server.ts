import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { FakeReply } from './realtime-reply.ts';
import { FakeSession } from './realtime-session.ts';
import type { Turn } from './realtime-session.ts';

export interface Handshake {
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
}

/** How a handshake is answered: taken, refused, or never. */
export type Welcome = 'take' | 'ignore' | { status: number; headers?: Record<string, string>; body?: string };

/**
 * A Realtime service on a loopback port, as documented for GA: it checks the order of what it is sent, notes every
 * breach in `complaints`, and answers what a test tells it to. Left alone it writes down what `speech` says.
 */
export class FakeRealtime {
  url = '';
  readonly handshakes: Handshake[] = [];
  readonly sessions: FakeSession[] = [];
  readonly turns: Turn[] = [];
  readonly complaints: string[] = [];
  /** Names the lifetime of sessions; null: none is said. */
  livesMs: number | null = 3_600_000;
  /** Answers `session.update` with this error. */
  refuseSettings: string | null = null;
  answersSettings = true;
  deafToResponses = false;
  /** Says that another response is active. */
  refuseResponses: () => boolean = () => false;
  /** `n`: handshakes so far, from 1. */
  welcome: (n: number) => Welcome = () => 'take';
  onAppend: (session: FakeSession) => void = () => undefined;
  onCommit: (turn: Turn) => void = (turn) => {
    turn.confirm();
    const [word = '', ...rest] = turn.heard.split(' ');
    turn.delta(word);
    turn.delta(` ${rest.join(' ')}`);
    turn.complete();
  };
  onResponse: (reply: FakeReply) => void | Promise<void> = (reply) => reply.done();
  readonly #server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #wild = new Set<Duplex>();
  #names = 0;

  readonly name = (kind: string): string => `${kind}_${(this.#names += 1)}`;

  /** `port` 0: any. */
  async start(port = 0): Promise<this> {
    this.#server.on('connection', (socket) => {
      this.#wild.add(socket);
      socket.once('close', () => this.#wild.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '', 'http://127.0.0.1');
      const handshake: Handshake = {
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
      };
      this.handshakes.push(handshake);
      const welcome = this.welcome(this.handshakes.length);
      if (welcome === 'ignore') return;
      if (welcome === 'take') {
        this.#sockets.handleUpgrade(
          request,
          socket,
          head,
          (ws) => void this.sessions.push(new FakeSession(this, ws, handshake)),
        );
        return;
      }
      const { status, headers = {}, body = '' } = welcome;
      const lines = Object.entries({
        ...headers,
        'content-length': String(Buffer.byteLength(body)),
        connection: 'close',
      });
      socket.end(
        `HTTP/1.1 ${status} No\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
      );
    });
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/realtime`;
    return this;
  }

  /** The session opened last. @throws Error without one */
  get last(): FakeSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('FakeRealtime: nobody has connected');
    return session;
  }

  async close(): Promise<void> {
    for (const socket of this.#wild) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export const startFakeRealtime = (port = 0): Promise<FakeRealtime> => new FakeRealtime().start(port);
