import { OperationError, codeOf, messageOf } from '../platform/errors.ts';
import { isFree } from '../platform/ports.ts';
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
