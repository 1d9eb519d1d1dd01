import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import { EDGE_LINK_PATH, LinkDown } from '../../contracts/edge-link.ts';
import type { LinkAck, LinkError, LinkEvent } from '../../contracts/edge-link.ts';
import { TOKEN } from './gateway.ts';
import { until } from './until.ts';

/** The far end of `/ws/edge`: keeps what it hears, and refuses to hear anything that is not of the contract. */
export interface EdgeClient {
  readonly socket: WebSocket;
  readonly heard: readonly LinkDown[];
  /** Events, of one trace if it is named, in the order they came. */
  events(traceId?: string): LinkEvent[];
  phases(traceId?: string): string[];
  send(message: unknown): void;
  /** A final; further fields of the transcript in `more`. */
  say(text: string, utteranceId: string, more?: Record<string, unknown>): void;
  /** What a final was answered. @throws when that does not come in time. */
  answer(utteranceId: string, withinMs?: number): Promise<LinkAck | LinkError>;
  /** Waits for the terminal event of a trace. */
  end(traceId: string, withinMs?: number): Promise<LinkEvent>;
  /** Code and reason, when it is closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Ends it in order. */
  close(): Promise<void>;
}

export interface EdgeClientOptions {
  /** null: no hello. */
  session?: string | null;
  after?: string | null;
  token?: string;
  headers?: Record<string, string>;
}

const ENDS = new Set(['completed', 'failed', 'cancelled']);
const isEnd = (message: LinkDown): message is LinkEvent =>
  message.type === 'event' && message.job_id === null && ENDS.has(message.phase);

/** Connects to a gateway and says hello. @throws when the upgrade is refused. */
export const openEdge = async (url: string, options: EdgeClientOptions = {}): Promise<EdgeClient> => {
  const { session = 'kitchen', after = null, token = TOKEN, headers = {} } = options;
  const socket = new WebSocket(url.replace(/^http/, 'ws') + EDGE_LINK_PATH, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  const heard: LinkDown[] = [];
  socket.on('message', (data, isBinary) => {
    if (isBinary || !Buffer.isBuffer(data)) throw new Error('EdgeClient: a binary message came');
    heard.push(LinkDown.parse(JSON.parse(data.toString('utf8'))));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  const send = (message: unknown): void => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  if (session !== null) send({ type: 'hello', session_id: session, after });
  const events = (traceId?: string): LinkEvent[] =>
    heard.filter((message) => message.type === 'event').filter((event) => !traceId || event.trace_id === traceId);
  return {
    socket,
    heard,
    events,
    phases: (traceId) => events(traceId).map(({ phase }) => phase),
    send,
    say: (text, utteranceId, more = {}) =>
      send({
        type: 'transcript',
        text,
        is_final: true,
        utterance_id: utteranceId,
        ...(session !== null && { session_id: session }),
        ...more,
      }),
    answer: (utteranceId, withinMs) =>
      until(() => heard.find((one) => one.type !== 'event' && one.utterance_id === utteranceId), withinMs).then(
        (found) => found as LinkAck | LinkError,
      ),
    end: (traceId, withinMs) => until(() => events(traceId).find(isEnd), withinMs),
    closed,
    close: async () => {
      socket.close();
      await closed;
    },
  };
};

/** An upgrade with any head at all: how it was answered. 101 is cut off at once. */
export const tryUpgrade = (
  url: string,
  headers: OutgoingHttpHeaders,
  path = EDGE_LINK_PATH,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(url);
    const sent = request({
      hostname,
      port,
      path,
      agent: false,
      headers: {
        host,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    sent.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.once('error', reject);
    sent.end();
  });
