import type { Earcon } from './earcons.ts';

/** How much it matters that it is heard: the first two are never dropped for others, and go first. */
export type Urgency = 'question' | 'failure' | 'result' | 'note';

/** Something short to be said. */
export interface Sentence {
  /** Speakable: no addresses, no ids, no money. */
  text: string;
  /** null: about no task. */
  traceId: string | null;
  urgency: Urgency;
  /** Sounds before it, and also where nothing is spoken. */
  earcon: Earcon | null;
  /** Of a question: what its answer settles. A question is asked once under its key. */
  key: string | null;
  /** Said instead of `text` when its turn comes after `afterMs` (`performance.now()`). */
  later?: { afterMs: number; text: string };
  /** The last word about its task: what waits to be said about it is stale. */
  final: boolean;
  /** false: as text alone. Default: true. */
  aloud?: boolean;
}
