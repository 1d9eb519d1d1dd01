import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { LINK_PING_MS, MAX_LINK_MESSAGE_BYTES } from '../../contracts/edge-link.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { LINK_CLOSE } from '../edge-conversation.ts';
import type { Link, LinkPeer } from '../edge-conversation.ts';
import type { EdgeLinks } from '../edge-link.ts';
import type { Upgrades } from '../listen.ts';
import { problemOf, ProblemError, problemReply } from '../problems.ts';

/** Pings that may go unanswered, in a row. */
const MISSED_PINGS = 2;
/** A peer that does not close its side, or does not take a refusal, is cut off after this. */
const FAREWELL_MS = 1_000;
/** Up to this a message is read and answered 413, so that its edge learns which one it was; a larger one ends the link (1009). */
const MAX_READ_BYTES = 2 * MAX_LINK_MESSAGE_BYTES;

export interface EdgeSocketOptions {
  links: Pick<EdgeLinks, 'admit' | 'open' | 'close'>;
  log: Log;
  /** Default LINK_PING_MS. */
  pingMs?: number;
}

const peerOf = (socket: WebSocket): LinkPeer => ({
  send: (text) =>
    new Promise((resolve) => {
      socket.send(text, () => resolve());
    }),
  get waitingBytes() {
    return socket.bufferedAmount;
  },
  close: (code, reason) => socket.close(code, reason),
});

/** Answers an upgrade as a request is answered, and closes. */
const refuse = (socket: Duplex, error: unknown): void => {
  const { status, headers, body } = problemReply(problemOf(error));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Read to its end: a connection closed on unread bytes is reset, and the answer lost.
  socket.resume();
  setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
};

/** Text frames only, uncompressed; a peer that answers no pings is cut off. Ends when its socket has. */
const serve = (socket: WebSocket, link: Link, pingMs: number, log: Log): void => {
  let heard = true;
  let missed = 0;
  const hearing = (): void => {
    heard = true;
  };
  // Counted in pings and not by the clock: while this process is stopped, nobody's silence counts.
  const pings = setInterval(() => {
    missed = heard ? 0 : missed + 1;
    heard = false;
    if (missed >= MISSED_PINGS) socket.terminate();
    else socket.ping();
  }, pingMs);
  socket.on('ping', hearing).on('pong', hearing);
  socket.on('message', (data, isBinary) => {
    heard = true;
    if (isBinary || !Buffer.isBuffer(data)) socket.close(LINK_CLOSE.notText, 'text only');
    else link.message(data.toString('utf8'));
  });
  socket.on('error', (error) => log.debug({ error: messageOf(error) }, 'an edge broke the protocol'));
  socket.once('close', (code) => {
    clearInterval(pings);
    link.closed();
    log.debug({ code }, 'a link to an edge is closed');
  });
};

/** `/ws/edge` on the gateway's HTTP server. */
export const createEdgeSocket = ({ links, log, pingMs = LINK_PING_MS }: EdgeSocketOptions): Upgrades => {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_READ_BYTES,
    // One message a turn of the event loop: a flood leaves room for everybody else.
    allowSynchronousEvents: false,
    handleProtocols: () => false as const,
    closeTimeout: FAREWELL_MS,
  };
  const server = new WebSocketServer(options);
  const sockets = new Set<Duplex>();
  server.on('wsClientError', (_error, socket) => {
    refuse(socket, new ProblemError('bad-request', 'this is no proper WebSocket upgrade'));
  });

  return {
    accept: (request: IncomingMessage, socket, head) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      try {
        links.admit(request);
      } catch (error) {
        refuse(socket, error);
        return;
      }
      server.handleUpgrade(request, socket, head, (upgraded) =>
        serve(upgraded, links.open(peerOf(upgraded)), pingMs, log),
      );
    },
    close: async () => {
      await links.close();
      // Each has said goodbye, and is cut off soon if the other side does not.
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    },
  };
};
