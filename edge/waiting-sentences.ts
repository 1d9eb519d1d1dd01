import type { Sentence, Urgency } from './sentence.ts';

/** Sentences that wait; beyond that the oldest notes go, then the oldest results. */
const MAX_WAITING = 16;
/** Questions and failures alone may fill so many places; beyond that the oldest stands on the terminal only. */
const MAX_URGENT = 32;
const DROPPED_FIRST: readonly Urgency[] = ['note', 'result'];
const SAID_FIRST: readonly Urgency[] = ['question', 'failure', 'result', 'note'];

/** A sentence that is due. */
export interface Due {
  readonly sentence: Sentence;
  /** It was cut off once already, and is said for the second and last time. */
  readonly again: boolean;
  /** What became of it was told; only its sound is due. */
  told: boolean;
}

/** What waits to be said: bounded, the urgent first, and nothing that newer words made stale. */
export interface WaitingSentences {
  /** Answers with those that will not be said any more. */
  add(due: Due): Due[];
  take(): Due | undefined;
  /** Takes away those that `stale` names, and answers with them. */
  remove(stale: (due: Due) => boolean): Due[];
  readonly size: number;
}

/** Whether words about a task make an older sentence stale: what was only progress, and everything once it is over. */
export const isStale = (older: Sentence, newer: Sentence): boolean =>
  older.traceId !== null &&
  older.traceId === newer.traceId &&
  older !== newer &&
  (older.urgency === 'note' || (newer.final && older.urgency !== 'failure'));

/** A question that is asked again comes behind everything new. */
const rankOf = ({ sentence, again }: Due): number => (again ? SAID_FIRST.length : SAID_FIRST.indexOf(sentence.urgency));

export const createWaitingSentences = (): WaitingSentences => {
  let waiting: Due[] = [];

  const remove = (stale: (due: Due) => boolean): Due[] => {
    const gone = waiting.filter(stale);
    waiting = waiting.filter((due) => !gone.includes(due));
    return gone;
  };
  const crowdedOut = (): Due | undefined => {
    if (waiting.length <= MAX_WAITING) return undefined;
    for (const urgency of DROPPED_FIRST) {
      const oldest = waiting.find(({ sentence }) => sentence.urgency === urgency);
      if (oldest) return oldest;
    }
    return waiting.length > MAX_URGENT
      ? (waiting.find(({ sentence }) => sentence.urgency === 'failure') ?? waiting[0])
      : undefined;
  };

  return {
    add: (due) => {
      const gone = remove((older) => isStale(older.sentence, due.sentence));
      waiting.push(due);
      for (let out = crowdedOut(); out; out = crowdedOut()) gone.push(...remove((older) => older === out));
      return gone;
    },
    take: () => {
      const first = waiting.reduce<Due | undefined>(
        (best, due) => (best === undefined || rankOf(due) < rankOf(best) ? due : best),
        undefined,
      );
      waiting = waiting.filter((due) => due !== first);
      return first;
    },
    remove,
    get size() {
      return waiting.length;
    },
  };
};
