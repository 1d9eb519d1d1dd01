import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { TaskResult, TraceId } from '../contracts/task.ts';
import { TraceEvent } from '../contracts/trace-event.ts';
import { OperationError, messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import { readServerEvents } from '../platform/server-events.ts';

/** What the demo asks of a gateway, over HTTP like any other caller. */
export interface GatewayClient {
  /** Submits a final transcript. @throws OperationError BadInput when it was not accepted as a task. */
  submit(text: string): Promise<string>;
  /** Trace events as they happen, until the task is over; a cut connection is taken up again. */
  events(traceId: string): AsyncGenerator<TraceEvent>;
  result(traceId: string): Promise<TaskResult>;
  artifact(sha256: string): Promise<string>;
  /** A whole address that logs one browser in, once, within five minutes. */
  loginLink(): Promise<string>;
}

const Login = z.looseObject({ path: z.string().startsWith('/login?code=') });
const Accepted = z.looseObject({ status: z.literal('accepted'), trace_id: TraceId });

/** A cut event stream is opened again this often in a row before it counts as an error. */
const MAX_RECONNECTS = 20;

/** `base`: the gateway's address; `reconnectAfterMs`: the pause before a cut event stream is opened again. */
export const createGatewayClient = (
  base: string,
  token: string,
  signal: AbortSignal,
  reconnectAfterMs = 250,
): GatewayClient => {
  const request = async (path: string, init: { body?: unknown; headers?: Record<string, string> } = {}) => {
    const reply = await fetch(new URL(path, base), {
      method: init.body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      signal,
    });
    if (reply.ok) return reply;
    throw new OperationError('Internal', `${path} answered ${reply.status}: ${(await reply.text()).slice(0, 500)}`);
  };

  return {
    submit: async (text) => {
      const body = { text, is_final: true, utterance_id: `demo-${randomUUID()}` };
      const answer: unknown = await (await request('/transcript', { body })).json();
      const accepted = Accepted.safeParse(answer);
      if (!accepted.success)
        throw new OperationError('BadInput', `the sentence was not accepted: ${JSON.stringify(answer).slice(0, 500)}`);
      return accepted.data.trace_id;
    },
    events: async function* (traceId) {
      let last: string | null = null;
      const seen = new Set<string>();
      for (let cuts = 0; ; cuts += 1) {
        try {
          const headers: Record<string, string> = { accept: 'text/event-stream' };
          if (last !== null) headers['last-event-id'] = last;
          const { body } = await request(`/trace/${traceId}/events`, { headers });
          for await (const { id, event, data } of readServerEvents(body ?? new Blob([]).stream())) {
            cuts = 0;
            last = id ?? last;
            if (event === 'done') return;
            const parsed = TraceEvent.safeParse(JSON.parse(data));
            // After a reconnect some may come twice.
            if (!parsed.success || seen.has(parsed.data.event_id)) continue;
            seen.add(parsed.data.event_id);
            yield parsed.data;
          }
        } catch (error) {
          if (signal.aborted || cuts >= MAX_RECONNECTS)
            throw new OperationError('Internal', `the event stream broke: ${messageOf(error)}`, { cause: error });
        }
        await delay(reconnectAfterMs, signal);
      }
    },
    result: async (traceId) => TaskResult.parse(await (await request(`/trace/${traceId}`)).json()),
    loginLink: async () => {
      const { path } = Login.parse(await (await request('/login', { body: {} })).json());
      return new URL(path, base).href;
    },
    artifact: async (sha256) => (await request(`/artifacts/${sha256}`)).text(),
  };
};
