import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** What Node saw of a request that a vendor SDK made through its own fetch. */
export interface Tap {
  /** Its head went out on a connection: from then on the provider may be working on it. */
  sent: boolean;
  /** A header of the answer; null before there is one. */
  header(name: string): string | null;
}

interface OpenTap extends Tap {
  answer: Map<string, string>;
}

const current = new AsyncLocalStorage<OpenTap>();
const taps = new WeakMap<object, OpenTap>();
let listening = false;

/**
 * Node's fetch reports its requests on diagnostics channels: created in the caller's async context, the rest in the
 * connection's. The Gemini SDK shows neither response headers (Retry-After) nor why a connection failed.
 */
const listen = (): void => {
  if (listening) return;
  listening = true;
  subscribe('undici:request:create', (message) => {
    const tap = current.getStore();
    const { request } = message as { request: object };
    if (tap) taps.set(request, tap);
  });
  subscribe('undici:client:sendHeaders', (message) => {
    const tap = taps.get((message as { request: object }).request);
    if (tap) tap.sent = true;
  });
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as { request: object; response: { headers: Uint8Array[] } };
    const tap = taps.get(request);
    const { headers } = response;
    for (let at = 0; tap && at + 1 < headers.length; at += 2)
      tap.answer.set(String(headers[at]).toLowerCase(), String(headers[at + 1]));
  });
};

/** Runs `work`, which makes one request through `fetch`, and hands it what is seen of that request. */
export const tapRequest = <T>(work: (tap: Tap) => Promise<T>): Promise<T> => {
  listen();
  const answer = new Map<string, string>();
  const tap: OpenTap = { sent: false, answer, header: (name) => answer.get(name.toLowerCase()) ?? null };
  return current.run(tap, () => work(tap));
};
