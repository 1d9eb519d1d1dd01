import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A reader that takes nothing for this long while this much is waiting for it is dropped. */
const SLOW_MS = 10_000;
const WAITING_BYTES = 256 * 1024;
/** Comments that keep proxies and readers from giving up. */
const HEARTBEAT_MS = 15_000;

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const;

/** The reader takes less than happens; it may come back and resume where it was. */
export class SlowReader extends Error {
  override readonly name = 'SlowReader';
}

export interface EventStream {
  /**
   * One event; `data` is a line of JSON. Resolves when the reader keeps up. @throws SlowReader; the signal's reason.
   * Without `event` it is a plain message.
   */
  send(message: { id?: string; event?: string; data: string }): Promise<void>;
  close(): void;
}

/** Server-sent events on a response whose head is sent; never keeps more than a bounded amount for a slow reader. */
export const openEventStream = (response: ServerResponse, signal: AbortSignal): EventStream => {
  const heartbeat = setInterval(() => {
    if (response.writableLength < WAITING_BYTES) response.write(': here\n\n');
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    send: async ({ id, event, data }) => {
      signal.throwIfAborted();
      response.write(`${id ? `id: ${id}\n` : ''}${event ? `event: ${event}\n` : ''}data: ${data}\n\n`);
      if (response.writableLength < WAITING_BYTES) return;
      try {
        await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(SLOW_MS)]) });
      } catch {
        signal.throwIfAborted();
        throw new SlowReader();
      }
    },
    close: () => clearInterval(heartbeat),
  };
};
