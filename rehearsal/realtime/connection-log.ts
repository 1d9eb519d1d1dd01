import type { RealtimeFaultKind } from './faults.ts';

/** One connection to the Realtime service. Counts are of what the client asked for and got. */
export interface LoggedConnection {
  n: number;
  provider: 'openai';
  path: string;
  /** null: it came to have speech written down, without a model. */
  model: string | null;
  /** ISO 8601. */
  at: string;
  /** Of the handshake; null: it is not answered yet, or the client went before. */
  status: number | null;
  outcome: 'handshake' | 'open' | 'ended' | 'refused';
  faults: RealtimeFaultKind[];
  appends: number;
  /** Milliseconds of sound that came in. */
  audio_ms: number;
  commits: number;
  /** Utterances whose text was sent. */
  transcripts: number;
  responses: number;
  /** `error` events that were sent. */
  errors: number;
}

export interface ConnectionLog {
  open(about: Pick<LoggedConnection, 'path' | 'model'>): LoggedConnection;
  list(): LoggedConnection[];
  clear(): void;
}

/** Connections kept; older ones are dropped. */
const MAX_KEPT = 2_000;

/** The connections of this process's life, oldest first. */
export const createConnectionLog = (now: () => number): ConnectionLog => {
  let kept: LoggedConnection[] = [];
  let n = 0;
  return {
    open: (about) => {
      n += 1;
      const entry: LoggedConnection = {
        n,
        provider: 'openai',
        ...about,
        at: new Date(now()).toISOString(),
        status: null,
        outcome: 'handshake',
        faults: [],
        appends: 0,
        audio_ms: 0,
        commits: 0,
        transcripts: 0,
        responses: 0,
        errors: 0,
      };
      kept.push(entry);
      if (kept.length > MAX_KEPT) kept.shift();
      return entry;
    },
    list: () => kept.map((entry) => ({ ...entry, faults: [...entry.faults] })),
    clear: () => {
      kept = [];
    },
  };
};
