import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { EDGE_LINK_PATH, LINK_PING_MS, MAX_LINK_MESSAGE_BYTES } from '../../contracts/edge-link.ts';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { retryAfterMs } from '../gateway-calls.ts';
import type { GatewaySocket, OpenSocket, SocketEnd, SocketEvents } from '../gateway-link.ts';

/** Milliseconds from the attempt to the open connection. */
export const HANDSHAKE_MS = 5_000;
/** A goodbye that is not returned within this is none, milliseconds. */
const GOODBYE_MS = 500;
/** Sixteen messages' worth: one that is too long should be counted, not end a connection that would bring it again. */
const MAX_PAYLOAD_BYTES = 16 * MAX_LINK_MESSAGE_BYTES;

export interface GatewaySocketOptions {
  /** Where the gateway is, as `WSL_GATEWAY_URL` says (http or https). */
  url: string;
  /** Asked at every attempt, so that a token put right counts. @throws Error for people when there is none */
  token: () => string;
  handshakeMs?: number;
  pingMs?: number;
}

const addressOf = (url: string): URL => {
  const address = new URL(EDGE_LINK_PATH.slice(1), url.endsWith('/') ? url : `${url}/`);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return address;
};

const stringOf = (data: RawData): string =>
  Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data as Buffer).toString('utf8');

/** A connection that ended before it began. */
const stillborn = (events: SocketEvents, end: SocketEnd): GatewaySocket => {
  setImmediate(() => events.closed(end));
  return { send: () => undefined, bufferedBytes: 0, end: () => undefined, drop: () => undefined };
};

/** Connections to the gateway's `/ws/edge`: no compression (short texts on loopback), dead after two silent pings. */
export const createGatewaySocket = (options: GatewaySocketOptions): OpenSocket => {
  const { url, token, handshakeMs = HANDSHAKE_MS, pingMs = LINK_PING_MS } = options;
  const address = addressOf(url);

  return (events) => {
    let authorization: string;
    try {
      authorization = `Bearer ${token()}`;
    } catch (error) {
      return stillborn(events, { reason: messageOf(error), status: null, retryAfterMs: null });
    }
    const socket = new WebSocket(address, {
      headers: { authorization },
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      followRedirects: false,
    });
    let end: SocketEnd | undefined;
    /** Only the first reason counts: what follows are its consequences. */
    const because = (reason: string, status: number | null = null, retryAfter: number | null = null): void => {
      end ??= { reason, status, retryAfterMs: retryAfter };
    };
    const drop = (reason: string): void => {
      because(reason);
      socket.terminate();
    };
    // The option of the library watches for idleness, not for the end: a server that drips would hold the attempt open.
    const handshake = setTimeout(() => drop(`no connection within ${handshakeMs} ms`), handshakeMs);
    let silentPings = 0;
    const ping = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (silentPings >= 2) return drop('the gateway fell silent');
      silentPings += 1;
      socket.ping();
    }, pingMs);
    let goodbye: NodeJS.Timeout | undefined;
    const heard = (): void => {
      silentPings = 0;
    };

    socket.on('open', () => {
      clearTimeout(handshake);
      events.opened();
    });
    socket.on('message', (data, isBinary) => {
      heard();
      // Not ours, but for the link to count.
      events.message(isBinary ? '' : stringOf(data));
    });
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      because(`the gateway refused the connection (${status})`, status, retryAfterMs(response.headers['retry-after']));
      socket.terminate();
    });
    socket.on('error', (error) => because(`no gateway answers at ${url} (${codeOf(error) || messageOf(error)})`));
    socket.once('close', (code) => {
      clearTimeout(handshake);
      clearTimeout(goodbye);
      clearInterval(ping);
      because(`the gateway ended the connection (${code})`);
      if (end) events.closed(end);
    });

    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text, (error) => error && because(messageOf(error)));
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      end: () => {
        because('ended by the edge');
        socket.close(1000);
        goodbye ??= setTimeout(() => socket.terminate(), GOODBYE_MS);
      },
      drop,
    };
  };
};
