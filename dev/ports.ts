import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { OperationError, codeOf, messageOf } from '../platform/errors.ts';
import { portHolder } from './processes.ts';

/** A port somebody chose (or a default), and how to choose another one. */
export interface PortClaim {
  port: number;
  host: string;
  /** Who wants it, in a person's words: `gateway`, `Temporal Web UI`. */
  purpose: string;
  /** What to change when it is taken, e.g. `WSL_GATEWAY_PORT`. */
  change: string;
}

const listenOn = (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new OperationError('Internal', 'no TCP address');
  return address.port;
};

/** Whether nobody listens there. @throws what else stands in the way: a host that is not ours, a forbidden port. */
export const isFree = async (port: number, host: string): Promise<boolean> => {
  try {
    await closed(await listenOn(port, host));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return false;
    throw error;
  }
};

/** `count` different ports that were free a moment ago. */
export const freePorts = async (count: number, host: string): Promise<number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOn(0, host)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(closed));
  return ports;
};

/** A port whose neighbour at `port + offset` is free as well: the Web UI sits 1000 above Temporal's own. */
export const freePortWithNeighbour = async (offset: number, host: string): Promise<number> => {
  // Twenty tries: on a machine where each neighbour is taken with probability 1/2, one in a million fails.
  for (let tries = 0; tries < 20; tries += 1) {
    const [port] = await freePorts(1, host);
    if (port !== undefined && port + offset <= 65_535 && (await isFree(port + offset, host))) return port;
  }
  throw new OperationError('EnvironmentBusy', `found no free port with a free neighbour ${offset} above it`);
};

const blame = (claim: PortClaim): string => {
  const holder = portHolder(claim.port);
  const who = holder ? `process ${holder.pid} (${holder.command})` : 'a process that this system does not tell';
  return `port ${claim.port} (${claim.purpose}) is in use by ${who}; end it, or choose another port with ${claim.change}`;
};

const problemOf = async (claim: PortClaim): Promise<string | null> => {
  try {
    return (await isFree(claim.port, claim.host)) ? null : blame(claim);
  } catch (error) {
    const reason = codeOf(error) || messageOf(error);
    return `port ${claim.port} (${claim.purpose}) cannot be used on ${claim.host}: ${reason}; choose another with ${claim.change}`;
  }
};

/** @throws OperationError EnvironmentBusy: one line for every port that is taken, with its holder and what changes it. */
export const assertFree = async (claims: readonly PortClaim[]): Promise<void> => {
  const problems = (await Promise.all(claims.map(problemOf))).filter((problem) => problem !== null);
  if (problems.length > 0) throw new OperationError('EnvironmentBusy', problems.join('\n'), { retryable: false });
};
