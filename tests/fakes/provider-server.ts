import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the provider saw it. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
  /** Resolves when the connection of this request is gone. */
  closed: Promise<unknown>;
}

/** How the far side answers one request. */
export type Answer = (response: ServerResponse) => void;

/** A whole JSON answer. */
export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const eventText = (data: { type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

/** Server-sent events. `then`: end as usual, leave the connection open, or destroy it. */
export const events =
  (list: readonly { type: string }[], then: 'end' | 'hang' | 'cut' = 'end'): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(list.map(eventText).join(''), () => {
      if (then === 'end') response.end();
      if (then === 'cut') response.destroy();
    });
  };

/** Never answers. */
export const silence: Answer = () => undefined;

/** Destroys the connection in the middle of a JSON answer. */
export const cutJson: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"candidates": [', () => response.destroy());
};

export interface ProviderServer {
  url: string;
  requests: Received[];
  /** Resolves with the nth request (from 1) once it is here. */
  received(n: number): Promise<Received>;
  /** Adds answers for the requests to come, in order. */
  answer(...answers: Answer[]): void;
  /** Drops every connection that is open now. */
  hangUp(): void;
  close(): Promise<void>;
}

/** A provider on a loopback port that answers what it was told to, and complains about a request nobody expected. */
export const startProvider = async (...answers: Answer[]): Promise<ProviderServer> => {
  const waiting = [...answers];
  const requests: Received[] = [];
  const arrivals: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
        closed: once(response, 'close'),
      });
      for (const wake of arrivals.splice(0)) wake();
      const answer = waiting.shift();
      if (answer) answer(response);
      else json({ error: { message: `ProviderServer: no answer left for request ${requests.length}` } }, 418)(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (...more) => void waiting.push(...more),
    received: async (n) => {
      for (;;) {
        const request = requests[n - 1];
        if (request) return request;
        await new Promise<void>((resolve) => arrivals.push(resolve));
      }
    },
    hangUp: () => server.closeAllConnections(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
