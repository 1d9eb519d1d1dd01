import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { delay } from '../platform/lifecycle.ts';

/** A head, and a whole request, must have come within these; else the connection is closed (slow bodies). */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const CHECK_EVERY_MS = 1_000;
/** What is under way when the process ends may take this long. */
const DRAIN_MS = 4_000;

export interface Listening {
  /** `http://host:port` as it came to be. */
  url: string;
  /** Takes nothing more on, lets what is under way finish, then closes every connection. */
  close(): Promise<void>;
}

/** Who takes connections that ask to become WebSockets; other upgrades nobody wants, they are plain requests. */
export interface Upgrades {
  /** The connection is theirs from here on, to answer and to close. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes nothing more on; resolves when every connection it was given is closed. */
  close(): Promise<void>;
}

/** @throws Error EADDRINUSE and the like, as the system says it. */
export const listen = async (
  app: RequestListener,
  host: string,
  port: number,
  upgrades?: Upgrades,
): Promise<Listening> => {
  let underWay = 0;
  let onIdle = (): void => undefined;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      shouldUpgradeCallback: ({ headers }) => upgrades !== undefined && headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      underWay += 1;
      response.once('close', () => {
        underWay -= 1;
        if (underWay === 0) onIdle();
      });
      app(request, response);
    },
  );
  if (upgrades) server.on('upgrade', (request, socket, head) => upgrades.accept(request, socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: actual } = server.address() as AddressInfo;
  const shown = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  return {
    url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${actual}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const idle = new Promise<void>((resolve) => (underWay === 0 ? resolve() : (onIdle = resolve)));
      const patience = new AbortController();
      const late = delay(DRAIN_MS, patience.signal).catch(() => undefined);
      await Promise.all([Promise.race([idle, late]), upgrades?.close()]);
      patience.abort();
      // Those left are kept alive by their callers, or have not said anything yet.
      server.closeAllConnections();
      await closed;
    },
  };
};
