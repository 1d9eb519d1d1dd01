import { LinkDown } from '../contracts/edge-link.ts';
import type { LinkAck, LinkError, LinkHello, LinkTranscript } from '../contracts/edge-link.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { backoffMs } from './backoff.ts';

/** Why a connection ended, or never came to be. */
export interface SocketEnd {
  /** For people. */
  reason: string;
  /** With which status the upgrade was refused; null when it was not. */
  status: number | null;
  retryAfterMs: number | null;
}

/** Nothing of this is called before `open` has returned. */
export interface SocketEvents {
  opened(): void;
  message(text: string): void;
  /** Once, whatever came before it; nothing follows. */
  closed(end: SocketEnd): void;
}

/** One connection to the gateway, from the attempt to its end. */
export interface GatewaySocket {
  send(text: string): void;
  /** Bytes that are not on the wire yet. */
  readonly bufferedBytes: number;
  /** Says goodbye; `closed` follows soon, also when the other side is deaf. */
  end(): void;
  /** Ends at once. */
  drop(reason: string): void;
}

export type OpenSocket = (events: SocketEvents) => GatewaySocket;

export interface LinkEvents {
  up(): void;
  /** `wasUp`: it was a connection that ended, not an attempt. */
  down(end: SocketEnd, wasUp: boolean): void;
  ack(ack: LinkAck): void;
  refused(error: LinkError): void;
  /** Each event once. */
  task(event: TraceEvent): void;
}

/** What the link counted since it was made. */
export interface LinkCounts {
  /** Attempts after the first. */
  reconnects: number;
  /** Messages that were none of the contract's, and dropped. */
  malformed: number;
  /** Events that had come before. */
  repeated: number;
}

export interface GatewayLink {
  readonly up: boolean;
  /** 0 while it is down. */
  readonly bufferedBytes: number;
  readonly counts: Readonly<LinkCounts>;
  /** False: it is down, and nothing was sent. */
  send(message: LinkTranscript): boolean;
  /** Ends this connection, for a new one. */
  drop(reason: string): void;
  close(): Promise<void>;
}

export interface GatewayLinkOptions {
  open: OpenSocket;
  sessionId: string;
  events: LinkEvents;
  /** 0 to 1; default `Math.random`. */
  random?: () => number;
}

/** Waits between attempts, milliseconds. */
const RECONNECT = { firstMs: 250, mostMs: 15_000 };
/** One that says "not you" or "no such place" is asked again only this often; somebody must mend something first. */
const REFUSED_MS = 15_000;
/** A connection that held for this long is a good one: the next wait is a short one again. */
const STEADY_MS = 5_000;
/** Ids of events that are remembered; a reconnect repeats far fewer. */
const MAX_REMEMBERED = 10_000;

/** The connection of this start of the edge to its gateway: opened anew for ever, resumed behind the last event. */
export const createGatewayLink = ({ open, sessionId, events, random }: GatewayLinkOptions): GatewayLink => {
  const counts: LinkCounts = { reconnects: 0, malformed: 0, repeated: 0 };
  const seen = new Set<string>();
  let after: string | null = null;
  let socket: GatewaySocket | null = null;
  let up = false;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let steady: NodeJS.Timeout | undefined;
  let closing: PromiseWithResolvers<void> | undefined;

  const task = (event: TraceEvent): void => {
    if (seen.has(event.event_id)) {
      counts.repeated += 1;
      return;
    }
    seen.add(event.event_id);
    if (seen.size > MAX_REMEMBERED) seen.delete(seen.values().next().value ?? '');
    after = event.event_id;
    events.task(event);
  };

  const receive = (text: string): void => {
    const message = parse(text);
    if (!message) {
      counts.malformed += 1;
      return;
    }
    switch (message.type) {
      case 'ack':
        return events.ack(message);
      case 'error':
        return events.refused(message);
      case 'event': {
        const { type: _type, ...event } = message;
        return task(event);
      }
    }
  };

  const waitMs = ({ status, retryAfterMs }: SocketEnd): number => {
    const own = backoffMs(failures, { ...RECONNECT, ...(random && { random }) });
    const refused = status !== null && status >= 400 && status < 500 && status !== 429 ? REFUSED_MS : 0;
    return Math.max(own, refused, retryAfterMs ?? 0);
  };

  const ended = (end: SocketEnd): void => {
    clearTimeout(steady);
    const wasUp = up;
    up = false;
    socket = null;
    if (closing) {
      closing.resolve();
      return;
    }
    retry = setTimeout(reconnect, waitMs(end));
    failures += 1;
    events.down(end, wasUp);
  };

  const connect = (): void => {
    const current = open({
      opened: () => {
        up = true;
        steady = setTimeout(() => (failures = 0), STEADY_MS);
        current.send(JSON.stringify({ type: 'hello', session_id: sessionId, after } satisfies LinkHello));
        events.up();
      },
      message: receive,
      closed: ended,
    });
    socket = current;
  };
  const reconnect = (): void => {
    counts.reconnects += 1;
    connect();
  };
  connect();

  return {
    get up() {
      return up;
    },
    get bufferedBytes() {
      return socket?.bufferedBytes ?? 0;
    },
    counts,
    send: (message) => {
      if (!up || !socket) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    drop: (reason) => socket?.drop(reason),
    close: () => {
      if (!closing) {
        closing = Promise.withResolvers();
        clearTimeout(retry);
        if (socket) socket.end();
        else closing.resolve();
      }
      return closing.promise;
    },
  };
};

const parse = (text: string): LinkDown | null => {
  try {
    return LinkDown.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
};
