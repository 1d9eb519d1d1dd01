import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { messageOf } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import type { Log } from '../../platform/log.ts';
import { MAX_MESSAGE_BYTES } from '../realtime/service.ts';
import type { Admission, OpenRealtimeDoor, Refusal } from '../realtime/service.ts';

/** A client that does not close its side, or does not take a refusal, is cut off after this. */
const FAREWELL_MS = 500;

/** Answers an upgrade as a request is answered, and closes. */
const refuse = (socket: Duplex, { status, headers, body }: Refusal): void => {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`);
  // Read to its end: a connection closed on unread bytes is reset, and the answer lost.
  socket.resume();
  setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
};

/** Text frames, uncompressed; ends when the socket has. */
const serve = (socket: WebSocket, admission: Admission, log: Log | undefined): void => {
  const session = admission.open({
    send: (text) => socket.send(text, () => undefined),
    get waitingBytes() {
      return socket.bufferedAmount;
    },
    close: (code, reason) => socket.close(code, reason),
    drop: () => socket.terminate(),
  });
  socket.on('message', (data, isBinary) => {
    session.message(isBinary || !Buffer.isBuffer(data) ? null : data.toString('utf8'));
  });
  socket.on('error', (error) => log?.debug({ error: messageOf(error) }, 'a realtime client broke the protocol'));
  socket.once('close', () => session.closed());
};

/** The Realtime service on rehearsal's HTTP server. */
export const createRealtimeSocket: OpenRealtimeDoor = (service, log) => {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // One message a turn of the event loop: a flood leaves room for everybody else.
    allowSynchronousEvents: false,
    closeTimeout: FAREWELL_MS,
  };
  const server = new WebSocketServer(options);
  const sockets = new Set<Duplex>();
  server.on('wsClientError', (error, socket) => {
    const problem = { message: messageOf(error), type: 'invalid_request_error', param: null, code: null };
    refuse(socket, { status: 400, headers: {}, body: { error: problem } });
  });

  const take = async (request: IncomingMessage, socket: Duplex, head: Buffer, admission: Admission): Promise<void> => {
    let opened = false;
    const gone = new AbortController();
    socket.once('close', () => {
      gone.abort(new Error('the client went'));
      if (!opened) admission.abandon();
    });
    if (admission.waitMs > 0) {
      // Read, so that a client that goes is noticed; before the handshake's answer it has nothing to say.
      const leave = (): void => void socket.destroy();
      socket.once('end', leave).resume();
      await delay(admission.waitMs, gone.signal);
      socket.off('end', leave);
    }
    server.handleUpgrade(request, socket, head, (upgraded) => {
      opened = true;
      serve(upgraded, admission, log);
    });
  };

  return {
    accept: (request, socket, head) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      const base = 'http://127.0.0.1';
      const url = URL.canParse(request.url ?? '', base) ? new URL(request.url ?? '', base) : new URL(base);
      const answer = service.admit(url, request.headers.authorization);
      if ('refusal' in answer) refuse(socket, answer.refusal);
      else take(request, socket, head, answer.admission).catch(() => socket.destroy());
    },
    close: async () => {
      const gone = Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      const patience = new AbortController();
      const said = service.close();
      await Promise.race([gone, delay(FAREWELL_MS, patience.signal).catch(() => undefined)]);
      patience.abort();
      for (const socket of sockets) socket.destroy();
      await gone;
      await said;
    },
  };
};
