import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { EDGE_LINK_PATH, LinkUp } from '../../contracts/edge-link.ts';
import type { LinkAck, LinkDown, LinkHello } from '../../contracts/edge-link.ts';
import type { FinalReply } from '../../contracts/replies.ts';
import { Transcript } from '../../contracts/transcript.ts';
import type { TraceEvent } from '../../contracts/trace-event.ts';
import { traceIdOf } from '../../edge/utterance.ts';

/** What becomes of a transcript. `twice`: taken, and acknowledged twice. `refuse`: with the status and problem. */
export type Fate =
  'take' | 'twice' | 'hang' | 'close' | { delayMs: number } | { refuse: number; retryAfterMs?: number; body?: unknown };
/** What becomes of an upgrade. `close`: at once after it. */
export type UpgradeFate = 'take' | 'close' | 'hang' | { refuse: number; retryAfterS?: number };

export interface Arrival {
  way: 'link' | 'http';
  body: Transcript & { utterance_id: string };
}

export interface FakeEdgeGateway {
  readonly url: string;
  readonly port: number;
  readonly hellos: readonly LinkHello[];
  /** Everything that came and had the right form, in order, also what was refused. */
  readonly arrivals: readonly Arrival[];
  /** Ids of finals that were taken, in the order of the first time: what a gateway acts on. */
  readonly taken: readonly string[];
  /** What no edge of ours should have sent. */
  readonly complaints: readonly string[];
  /** Open links. */
  readonly links: number;
  /** Chooses for each transcript; default: take. `nth` counts the arrivals of that utterance from 1. */
  fate: (arrival: Arrival, nth: number) => Fate;
  upgrade: () => UpgradeFate;
  send(message: LinkDown | string): void;
  sendEvent(event: TraceEvent): void;
  closeLinks(): void;
  /** Ends at once, like a process that was killed. Repeatable. */
  stop(): Promise<void>;
  /** Stands still: connections open, nothing is read or answered. */
  freeze(): void;
  thaw(): void;
}

export interface FakeEdgeGatewayOptions {
  /** 0: any free one. */
  port?: number;
  token?: string;
  /** Taken in an earlier life. */
  taken?: readonly string[];
}

const replyTo = (utteranceId: string): FinalReply => ({
  status: 'declined',
  trace_id: traceIdOf(utteranceId),
  reason: 'not an order',
});
const problemOf = (status: number): { type: string; title: string; status: number } => ({
  type: `urn:dual:problem:scripted-${status}`,
  title: `scripted ${status}`,
  status,
});

/** A gateway by the contract of `/ws/edge` and `POST /transcript`, on real sockets, with the faults a test scripts. */
export const startFakeEdgeGateway = async (options: FakeEdgeGatewayOptions = {}): Promise<FakeEdgeGateway> => {
  const token = options.token ?? 'edge-token';
  const hellos: LinkHello[] = [];
  const arrivals: Arrival[] = [];
  const taken = new Set<string>(options.taken);
  const complaints: string[] = [];
  const links = new Set<WebSocket>();
  const sockets = new Set<Socket>();
  const times = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let frozen = false;

  const arrive = (arrival: Arrival): Fate => {
    arrivals.push(arrival);
    const { utterance_id: id } = arrival.body;
    if (!arrival.body.is_final) return 'take';
    const nth = (times.get(id) ?? 0) + 1;
    times.set(id, nth);
    const fate = gateway.fate(arrival, nth);
    if (fate === 'take' || fate === 'twice' || (typeof fate === 'object' && 'delayMs' in fate)) taken.add(id);
    return fate;
  };
  const afterDelay = (fate: Fate, work: () => void): void => {
    if (typeof fate !== 'object' || !('delayMs' in fate)) return work();
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, fate.delayMs);
    timers.add(timer);
  };

  const overLink = (link: WebSocket, text: string): void => {
    const up = LinkUp.safeParse(JSON.parse(text));
    if (!up.success) {
      complaints.push(`not of the contract: ${text.slice(0, 200)}`);
      return;
    }
    if (up.data.type === 'hello') {
      hellos.push(up.data);
      return;
    }
    const { type: _type, ...body } = up.data;
    const fate = arrive({ way: 'link', body });
    if (!body.is_final || fate === 'hang') return;
    if (fate === 'close') return link.terminate();
    const say = (message: LinkDown): void => link.send(JSON.stringify(message));
    if (typeof fate === 'object' && 'refuse' in fate) {
      const { refuse: status, retryAfterMs } = fate;
      say({
        type: 'error',
        utterance_id: body.utterance_id,
        status,
        ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
        problem: problemOf(status),
      });
      return;
    }
    const ack: LinkAck = {
      type: 'ack',
      utterance_id: body.utterance_id,
      status: 200,
      reply: replyTo(body.utterance_id),
    };
    afterDelay(fate, () => {
      say(ack);
      if (fate === 'twice') say(ack);
    });
  };

  const overHttp = (request: IncomingMessage, response: ServerResponse, text: string): void => {
    const json = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return json(401, problemOf(401));
    const body = request.method === 'POST' && request.url === '/transcript' && Transcript.safeParse(JSON.parse(text));
    if (!body || !body.success || body.data.utterance_id === undefined) {
      complaints.push(`not of the contract: ${request.method} ${request.url} ${text.slice(0, 200)}`);
      return json(400, problemOf(400));
    }
    const { utterance_id: id } = body.data;
    const fate = arrive({ way: 'http', body: { ...body.data, utterance_id: id } });
    if (fate === 'hang') return;
    if (fate === 'close') return void response.destroy();
    if (typeof fate === 'object' && 'refuse' in fate) {
      const after: Record<string, string> =
        fate.retryAfterMs === undefined ? {} : { 'retry-after': String(fate.retryAfterMs / 1_000) };
      return json(fate.refuse, 'body' in fate ? fate.body : problemOf(fate.refuse), after);
    }
    if (!body.data.is_final) return json(202, { status: 'partial_received' });
    afterDelay(fate, () => json(200, replyTo(id)));
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!frozen) overHttp(request, response, Buffer.concat(chunks).toString('utf8'));
    });
  });
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (frozen) socket.pause();
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const fate: UpgradeFate = request.headers.authorization === `Bearer ${token}` ? gateway.upgrade() : { refuse: 401 };
    if (request.url !== EDGE_LINK_PATH) complaints.push(`an upgrade of ${request.url}`);
    if (frozen || fate === 'hang') return;
    if (typeof fate === 'object') {
      const after = fate.retryAfterS === undefined ? '' : `retry-after: ${fate.retryAfterS}\r\n`;
      socket.end(`HTTP/1.1 ${fate.refuse} No\r\n${after}content-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (link) => {
      if (fate === 'close') return link.terminate();
      links.add(link);
      link.on('message', (data) => {
        if (Buffer.isBuffer(data)) overLink(link, data.toString('utf8'));
      });
      link.on('error', () => undefined);
      link.once('close', () => links.delete(link));
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const gateway: FakeEdgeGateway = {
    url: `http://127.0.0.1:${port}`,
    port,
    hellos,
    arrivals,
    complaints,
    get taken() {
      return [...taken];
    },
    get links() {
      return links.size;
    },
    fate: () => 'take',
    upgrade: () => 'take',
    send: (message) => {
      if (links.size === 0) throw new Error('FakeEdgeGateway: there is no link to send over');
      for (const link of links) link.send(typeof message === 'string' ? message : JSON.stringify(message));
    },
    sendEvent: (event) => gateway.send({ type: 'event', ...event }),
    closeLinks: () => {
      for (const link of links) link.close(1001);
    },
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  return gateway;
};
