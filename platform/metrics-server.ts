import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { codeOf, ConfigError } from './errors.ts';

export interface MetricsServer {
  url: string;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  /** 0: any free one. */
  port: number;
  /** The setting the port comes from, for the error. */
  variable: string;
  registry: Registry;
  /** Where Temporal's SDK exposes its own, which follow ours on the page. */
  coreUrl?: string;
}

/**
 * `GET /metrics` on loopback.
 * @throws ConfigError naming `variable` when the port is in use.
 */
export const serveMetrics = async (options: MetricsServerOptions): Promise<MetricsServer> => {
  const { port, variable, registry, coreUrl } = options;
  const server = createServer((request, response) => {
    // A name other than loopback's is a web page that resolved its own name to us.
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
      response.writeHead(403).end();
      return;
    }
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    const core =
      coreUrl === undefined
        ? ''
        : fetch(coreUrl, { signal: AbortSignal.timeout(2_000) }).then(
            (answer) => answer.text(),
            () => '# Temporal core metrics did not answer\n',
          );
    void Promise.all([registry.metrics(), core]).then(
      ([own, theirs]) => response.writeHead(200, { 'content-type': registry.contentType }).end(`${own}\n${theirs}`),
      () => response.writeHead(500).end(),
    );
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(codeOf(error) === 'EADDRINUSE' ? new ConfigError(variable, `port ${port} is in use`) : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actual}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
