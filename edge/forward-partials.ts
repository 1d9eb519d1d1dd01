import { MAX_TEXT } from '../contracts/transcript.ts';
import type { PartialTranscript } from './forwarder.ts';
import type { GatewayLink } from './gateway-link.ts';

/** Milliseconds between two partials: ten a second are more than anybody reads. */
const EVERY_MS = 100;
/** Bytes that may wait in the connection; behind more, a partial would be old when it arrives, and delay finals. */
const MAX_BUFFERED_BYTES = 16 * 1024;
/** Utterances of which a partial may wait. */
const MAX_WAITING = 8;
/** Utterances that are remembered to be over. */
const MAX_OVER = 1_000;

export interface PartialCounts {
  sent: number;
  /** Overtaken, or there was no way. */
  dropped: number;
}

export interface PartialSender {
  readonly counts: Readonly<PartialCounts>;
  /** Sends it, soon or never. */
  offer(partial: PartialTranscript): void;
  /** Its final is there: no partial follows. */
  over(utteranceId: string): void;
  close(): void;
}

/** Sentences that are still being spoken: the newest of each, at most ten a second, over an idle link or not at all. */
export const createPartialSender = (
  link: () => Pick<GatewayLink, 'up' | 'bufferedBytes' | 'send'>,
  sessionId: string,
): PartialSender => {
  const counts: PartialCounts = { sent: 0, dropped: 0 };
  const waiting = new Map<string, PartialTranscript>();
  const ended = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const send = ({ utteranceId, text, revision }: PartialTranscript): boolean =>
    link().up &&
    link().bufferedBytes <= MAX_BUFFERED_BYTES &&
    link().send({
      type: 'transcript',
      is_final: false,
      utterance_id: utteranceId,
      session_id: sessionId,
      revision,
      text,
    });

  /** One now, the next in a moment. */
  const flush = (): void => {
    timer = undefined;
    const [next] = waiting.values();
    if (!next) return;
    waiting.delete(next.utteranceId);
    if (send(next)) counts.sent += 1;
    else counts.dropped += 1;
    timer = setTimeout(flush, EVERY_MS);
  };

  return {
    counts,
    offer: (partial) => {
      const { utteranceId, text } = partial;
      const newer = waiting.get(utteranceId);
      if (ended.has(utteranceId) || text.length > MAX_TEXT || (newer && newer.revision >= partial.revision)) {
        counts.dropped += 1;
        return;
      }
      if (newer) counts.dropped += 1;
      waiting.delete(utteranceId);
      waiting.set(utteranceId, partial);
      const [oldest] = waiting.keys();
      if (waiting.size > MAX_WAITING && oldest !== undefined) {
        waiting.delete(oldest);
        counts.dropped += 1;
      }
      if (!timer) flush();
    },
    over: (utteranceId) => {
      if (waiting.delete(utteranceId)) counts.dropped += 1;
      ended.add(utteranceId);
      const [oldest] = ended;
      if (ended.size > MAX_OVER && oldest !== undefined) ended.delete(oldest);
    },
    close: () => {
      clearTimeout(timer);
      timer = undefined;
      waiting.clear();
    },
  };
};
