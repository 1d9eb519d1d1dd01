import { createServer } from 'node:net';
import { codeOf, OperationError } from './errors.ts';

/** Whether nobody listens there. @throws what else stands in the way: a host that is not ours, a forbidden port. */
export const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * Where a port is looked for: below every system's range for outgoing connections (Linux from 32768, others from
 * 49152), because a port of that range is gone as soon as any connection happens to get it, and above the ports that
 * services are known by.
 */
const FIRST = 12_000;
const LAST = 31_000;
/** With half of all ports taken, one call in 10^15 gives up. */
const TRIES = 50;

const freePort = async (host: string, offset: number, besides: ReadonlySet<number>): Promise<number> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (besides.has(port) || !(await isFree(port, host))) continue;
    if (offset === 0 || (await isFree(port + offset, host))) return port;
  }
  throw new OperationError('EnvironmentBusy', `found no free port on ${host} between ${FIRST} and ${LAST}`);
};

/** `count` different ports that were free a moment ago. @throws OperationError EnvironmentBusy when there are none. */
export const freePorts = async (count: number, host: string): Promise<number[]> => {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(host, 0, ports));
  return [...ports];
};

/**
 * A port whose neighbour at `port + offset` (at most 30000) is free as well: the Web UI sits 1000 above Temporal's own.
 * @throws OperationError EnvironmentBusy when there is none.
 */
export const freePortWithNeighbour = (offset: number, host: string): Promise<number> =>
  freePort(host, offset, new Set());
