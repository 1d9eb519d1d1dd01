import { ProblemError } from './problems.ts';

/** How long a final waits for one with a smaller `sequence` that has not come; then it goes on. */
export const GAP_MS = 2_000;
/** Finals of one session that may wait; a speaker does not talk faster than this. */
export const MAX_WAITING = 64;
/** Sessions remembered; the one unused longest goes first. */
const MAX_SESSIONS = 1_000;
/** Numbers kept of what came early. */
const MAX_AHEAD = 256;

interface Turn {
  sequence: number | undefined;
  since: number;
  start(): void;
}

interface Session {
  waiting: Turn[];
  busy: boolean;
  /** The smallest number not seen yet; undefined before the first. */
  next: number | undefined;
  ahead: Set<number>;
  timer: NodeJS.Timeout | undefined;
}

export interface SessionOrder {
  /**
   * Runs `work` when all earlier finals of the session are through: by `sequence` where there is one, else by arrival.
   * @throws ProblemError too-many when too many wait already.
   */
  run<T>(sessionId: string, sequence: number | undefined, work: () => Promise<T>): Promise<T>;
  /** A number that was used for something that needs no turn: it is no gap. */
  pass(sessionId: string, sequence: number): void;
  /** Finals that wait or run now, over all sessions. */
  readonly size: number;
}

/** Finals of one session, one after the other, in spoken order; sessions do not wait for each other. */
export const createSessionOrder = (gapMs = GAP_MS): SessionOrder => {
  const sessions = new Map<string, Session>();
  let size = 0;

  const sessionOf = (id: string): Session => {
    const session = sessions.get(id) ?? {
      waiting: [],
      busy: false,
      next: undefined,
      ahead: new Set<number>(),
      timer: undefined,
    };
    sessions.delete(id);
    sessions.set(id, session);
    for (const [oldest, { busy, waiting }] of sessions) {
      if (sessions.size <= MAX_SESSIONS) break;
      if (!busy && waiting.length === 0) sessions.delete(oldest);
    }
    return session;
  };

  const saw = (session: Session, sequence: number): void => {
    if (session.next !== undefined && sequence > session.next) {
      if (session.ahead.size < MAX_AHEAD) session.ahead.add(sequence);
      return;
    }
    session.next = Math.max(session.next ?? 0, sequence + 1);
    while (session.ahead.delete(session.next)) session.next += 1;
  };

  /** Nothing smaller can be missing. A session that starts does so at 0 or 1. */
  const inOrder = ({ next }: Session, { sequence }: Turn): boolean => sequence === undefined || sequence <= (next ?? 1);

  const advance = (session: Session): void => {
    if (session.busy || session.waiting.length === 0) return;
    clearTimeout(session.timer);
    // One without a number goes as it comes; equals by arrival.
    const turn = session.waiting.reduce((a, b) => ((b.sequence ?? -1) < (a.sequence ?? -1) ? b : a));
    const left = inOrder(session, turn) ? 0 : turn.since + gapMs - performance.now();
    if (left > 0) {
      session.timer = setTimeout(() => advance(session), left + 1);
      return;
    }
    session.waiting.splice(session.waiting.indexOf(turn), 1);
    session.busy = true;
    if (turn.sequence !== undefined) {
      // Whatever is missing below was waited for; should it still come, it goes right on.
      session.next = Math.max(session.next ?? 0, turn.sequence);
      saw(session, turn.sequence);
    }
    turn.start();
  };

  return {
    get size() {
      return size;
    },
    pass: (id, sequence) => {
      const session = sessionOf(id);
      saw(session, sequence);
      advance(session);
    },
    run: async (id, sequence, work) => {
      const session = sessionOf(id);
      if (session.waiting.length >= MAX_WAITING)
        throw new ProblemError('too-many', 'too many transcripts of this session wait', { retryAfterS: 1 });
      size += 1;
      await new Promise<void>((resolve) => {
        session.waiting.push({ sequence, since: performance.now(), start: resolve });
        advance(session);
      });
      try {
        return await work();
      } finally {
        size -= 1;
        session.busy = false;
        advance(session);
      }
    },
  };
};
