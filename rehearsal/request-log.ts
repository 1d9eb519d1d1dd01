import type { Provider } from '../contracts/agent.ts';
import type { FaultKind } from './faults.ts';

/**
 * One logical request. `answered`: the whole answer left this process and the client was still there; `cut`: it was
 * not; `refused`: an error status; `open`: nothing was sent yet.
 */
export interface LoggedRequest {
  n: number;
  provider: Provider;
  model: string;
  /** Of the canonical body: the same turn asked twice has the same hash. */
  sha256: string;
  /** ISO 8601. */
  at: string;
  /** Assistant turns the conversation already had. null: the body could not be read. */
  turn: number | null;
  status: number | null;
  outcome: 'open' | 'answered' | 'cut' | 'refused';
  fault: FaultKind | null;
  /** Which program answered. */
  scenario: string | null;
}

export interface RequestLog {
  open(about: Pick<LoggedRequest, 'provider' | 'model' | 'sha256'>): LoggedRequest;
  list(): { requests: LoggedRequest[]; dropped: number; answered_by_sha256: Record<string, number> };
  clear(): void;
}

/** Requests kept; older ones are dropped and counted. */
const MAX_KEPT = 20_000;

/** The requests of this process's life, oldest first. */
export const createRequestLog = (now: () => number = Date.now): RequestLog => {
  let kept: LoggedRequest[] = [];
  let dropped = 0;
  let n = 0;
  return {
    open: (about) => {
      n += 1;
      const entry: LoggedRequest = {
        n,
        ...about,
        at: new Date(now()).toISOString(),
        turn: null,
        status: null,
        outcome: 'open',
        fault: null,
        scenario: null,
      };
      kept.push(entry);
      if (kept.length > MAX_KEPT) {
        kept.shift();
        dropped += 1;
      }
      return entry;
    },
    list: () => {
      const answered: Record<string, number> = {};
      for (const entry of kept)
        if (entry.outcome === 'answered') answered[entry.sha256] = (answered[entry.sha256] ?? 0) + 1;
      return { requests: kept.map((entry) => ({ ...entry })), dropped, answered_by_sha256: answered };
    },
    clear: () => {
      kept = [];
      dropped = 0;
    },
  };
};
