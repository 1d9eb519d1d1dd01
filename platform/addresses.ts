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
