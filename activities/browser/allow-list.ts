import { BlockList, isIP } from 'node:net';

/** Networks that a name may not lead to: only a target that names such an address itself may use it. */
const PRIVATE = ((): BlockList => {
  const list = new BlockList();
  const ranges: [string, number, 'ipv4' | 'ipv6'][] = [
    ['0.0.0.0', 8, 'ipv4'],
    ['10.0.0.0', 8, 'ipv4'],
    ['100.64.0.0', 10, 'ipv4'], // carrier-grade NAT
    ['127.0.0.0', 8, 'ipv4'],
    ['169.254.0.0', 16, 'ipv4'], // link-local, and the metadata service of every large cloud
    ['172.16.0.0', 12, 'ipv4'],
    ['192.0.0.0', 24, 'ipv4'],
    ['192.168.0.0', 16, 'ipv4'],
    ['198.18.0.0', 15, 'ipv4'], // benchmarking
    ['224.0.0.0', 3, 'ipv4'], // multicast, reserved, broadcast
    ['::', 127, 'ipv6'], // unspecified and loopback
    ['64:ff9b::', 96, 'ipv6'], // NAT64: an IPv4 address in disguise
    ['2002::', 16, 'ipv6'], // 6to4: likewise
    ['fc00::', 7, 'ipv6'],
    ['fe80::', 10, 'ipv6'],
    ['ff00::', 8, 'ipv6'],
  ];
  for (const [address, prefix, family] of ranges) list.addSubnet(address, prefix, family);
  return list;
})();

/** True for loopback, private, link-local, metadata and multicast addresses; IPv4 inside IPv6 is seen through. */
export const isPrivateAddress = (address: string): boolean => {
  const family = isIP(address);
  if (family === 0) return true; // not an address at all: nothing to dial
  return PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
};

/** Lower case, no brackets around IPv6, no closing dot. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

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
