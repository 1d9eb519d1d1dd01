import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** @throws Error EADDRINUSE and the like, as the system says it. */
export const listen = async (app: RequestListener, host: string, port: number): Promise<Listening> => {
  let underWay = 0;
  let onIdle = (): void => undefined;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
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
      await Promise.race([idle, delay(DRAIN_MS, patience.signal).catch(() => undefined)]);
      patience.abort();
      // Those left are kept alive by their callers, or have not said anything yet.
      server.closeAllConnections();
      await closed;
    },
  };
};
