import { isIP } from 'node:net';
import { plainHost } from '../../platform/addresses.ts';

const portOf = (url: URL): number =>
  Number(url.port || (url.protocol === 'https:' || url.protocol === 'wss:' ? 443 : 80));

/** The addresses one job may reach: the origins of its targets and nothing else. */
export interface AllowList {
  /** Addresses to start from, in order. */
  readonly targets: readonly string[];
  readonly origins: readonly string[];
  /** Whether a page, sub-resource or socket with this address may be asked for. `ws:` counts as `http:`. */
  permits(url: string | URL): boolean;
  /** Whether the proxy may connect to this host and port at all. */
  permitsEndpoint(host: string, port: number): boolean;
  /** Whether the host, as a target names it, is itself a private address (or `localhost`). */
  mayBePrivate(host: string): boolean;
}

const parse = (url: string | URL): URL | null => (typeof url === 'string' ? URL.parse(url) : url);

/** Targets that are no http or https address are left out. */
export const allowListOf = (targets: readonly { url: string }[]): AllowList => {
  const urls = targets
    .map((target) => URL.parse(target.url))
    .filter((url): url is URL => url !== null && (url.protocol === 'http:' || url.protocol === 'https:'));
  const origins = new Set(urls.map((url) => url.origin));
  const endpoints = new Set(urls.map((url) => `${plainHost(url.hostname)} ${portOf(url)}`));
  return {
    targets: urls.map((url) => url.href),
    origins: [...origins],
    permits: (given) => {
      const url = parse(given);
      if (!url) return false;
      if (url.protocol === 'ws:' || url.protocol === 'wss:')
        return origins.has(`${url.protocol === 'ws:' ? 'http' : 'https'}://${url.host}`);
      // A blob belongs to the page that made it: URL.origin is that page's.
      if (url.protocol === 'http:' || url.protocol === 'https:' || url.protocol === 'blob:')
        return origins.has(url.origin);
      return false;
    },
    permitsEndpoint: (host, port) => endpoints.has(`${plainHost(host)} ${port}`),
    mayBePrivate: (host) => {
      const name = plainHost(host);
      return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
    },
  };
};
