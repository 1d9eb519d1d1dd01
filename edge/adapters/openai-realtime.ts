import { connect as connectTcp } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ConfigError, messageOf } from '../../platform/errors.ts';
import { createScrub } from '../../platform/secrets.ts';
import { oneLine } from '../../platform/text.ts';
import type { ConnectionEnd, ConnectRealtime, RealtimeConnection } from '../realtime-connection.ts';
import { judgeClose, judgeHandshake, retryAfterMs } from '../realtime-failures.ts';

export interface OpenaiRealtimeOptions {
  /** Of the service, with or without `/realtime` at its end; null: the provider itself. */
  url: string | null;
  apiKey: string;
  /** What the connection is for; its own name travels only where a model speaks. */
  session: { mode: 'transcribe' } | { mode: 'converse'; model: string };
  /** Default 10 s. */
  handshakeTimeoutMs?: number;
  /** Time between two pings, default 15 s; a side that says nothing in as long is gone. */
  pingMs?: number;
}

const PROVIDER_URL = 'wss://api.openai.com/v1';
/** A piece of speech is some kilobytes; nothing the service says is near this. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** How much of a refusal is read. */
const MAX_BODY_BYTES = 16 * 1024;
const USER_AGENT = 'dual-edge';
/** How long a refusal's body may take. */
const BODY_MS = 1_000;
/** How long a close may take before the socket is torn down. */
const CLOSE_MS = 1_000;

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

/** Where the service is, in the form the SDK wants; `plain`: the TCP address behind a ws:// URL. */
const addressOf = (url: string): { baseUrl: string; plain: { host: string; port: number } | null } => {
  const given = URL.canParse(url) ? new URL(url) : null;
  if (!given || !/^(wss?|https?):$/.test(given.protocol))
    throw new ConfigError('OPENAI_REALTIME_URL', 'no WebSocket URL');
  const secure = /^(wss|https):$/.test(given.protocol);
  // Sound and key in the clear, never over a network.
  if (!secure && !isLoopback(given.hostname))
    throw new ConfigError('OPENAI_REALTIME_URL', 'ws:// is for this machine alone; elsewhere it has to be wss://');
  const path = given.pathname.replace(/\/+$/, '').replace(/\/realtime$/, '');
  const port = given.port || (secure ? '443' : '80');
  return {
    baseUrl: `https://${given.hostname}:${port}${given.pathname === '/' ? '/v1' : path}`,
    plain: secure ? null : { host: given.hostname.replace(/^\[|\]$/g, ''), port: Number(port) },
  };
};

/** The beginning of a refusal's body, or what has come of it when it takes too long. */
const bodyOf = (response: IncomingMessage, then: (body: string) => void): void => {
  let body = '';
  const late = setTimeout(() => response.destroy(), BODY_MS);
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    if (body.length < MAX_BODY_BYTES) body += chunk;
  });
  response.on('error', () => undefined);
  response.on('close', () => {
    clearTimeout(late);
    then(body);
  });
};

/**
 * Opens connections through OpenAI's SDK. Its own reconnect stays off: it knows nothing of what was said meanwhile.
 * The SDK only speaks wss://; a ws:// URL of this machine gets a plain socket underneath.
 * @throws ConfigError for a URL it must not use, or a key that is none
 */
export const createOpenaiRealtime = (options: OpenaiRealtimeOptions): ConnectRealtime => {
  const { apiKey, session, handshakeTimeoutMs = 10_000, pingMs = 15_000 } = options;
  const { baseUrl, plain } = addressOf(options.url ?? PROVIDER_URL);
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new ConfigError('OPENAI_API_KEY', 'holds characters that are in no key');
  const scrub = createScrub([apiKey]);
  // Not the SDK's whole client: that one asks the environment for headers, an organisation and more.
  const client = { apiKey, baseURL: baseUrl };
  const purpose = session.mode === 'converse' ? { model: session.model } : { intent: 'transcription' as const };

  return (events): RealtimeConnection => {
    let over = false;
    let heard = true;
    let trouble: string | null = null;
    const rt = new OpenAIRealtimeWS(
      {
        ...purpose,
        options: {
          headers: { 'User-Agent': USER_AGENT },
          maxPayload: MAX_MESSAGE_BYTES,
          followRedirects: false,
          ...(plain && { createConnection: () => connectTcp(plain) }),
        },
      },
      client,
    );
    const { socket } = rt;
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));

    const end = (why: ConnectionEnd): void => {
      if (over) return;
      over = true;
      clearTimeout(handshake);
      clearInterval(keepAlive);
      socket.terminate();
      events.ended({ ...why, message: oneLine(scrub(why.message), 400) });
    };
    const handshake = setTimeout(
      () => end({ fatal: false, message: 'The speech service did not answer the handshake.', retryAfterMs: null }),
      handshakeTimeoutMs,
    );
    const keepAlive = setInterval(() => {
      if (socket.readyState !== socket.OPEN) return;
      if (!heard)
        end({ fatal: false, message: 'The connection to the speech service went silent.', retryAfterMs: null });
      else {
        heard = false;
        socket.ping();
      }
    }, pingMs);

    socket.on('open', () => {
      clearTimeout(handshake);
      if (!over) events.open();
    });
    socket.on('pong', () => {
      heard = true;
    });
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      const rest = retryAfterMs(response.headers['retry-after'], Date.now());
      bodyOf(response, (body) => end(judgeHandshake(response.statusCode ?? 0, body, rest)));
    });
    rt.on('event', (event) => {
      heard = true;
      if (!over) events.event(event);
    });
    // Error events come as events, too; without a listener each would end the process.
    rt.on('error', () => undefined);
    socket.on('error', (error) => {
      trouble = messageOf(error);
    });
    socket.on('close', (code, reason) => {
      const why = judgeClose(code, reason.toString('utf8'));
      end(trouble === null || why.fatal ? why : { ...why, message: `${why.message.replace(/\.$/, '')}: ${trouble}` });
    });

    return {
      send: (event) => {
        if (over || socket.readyState !== socket.OPEN) return false;
        rt.send(event);
        return true;
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      close: async () => {
        over = true;
        clearTimeout(handshake);
        clearInterval(keepAlive);
        rt.close();
        const impatient = setTimeout(() => socket.terminate(), CLOSE_MS);
        await gone;
        clearTimeout(impatient);
      },
    };
  };
};
