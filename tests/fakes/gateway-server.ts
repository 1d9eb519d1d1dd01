import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobResult, TaskResult } from '../../contracts/task.ts';
import type { TraceEvent } from '../../contracts/trace-event.ts';

/** One request as the gateway saw it. `path` holds the query. */
export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown> | null;
}

export type Reply = (response: ServerResponse, asked: Asked) => void;

export interface FakeGateway {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** A JSON reply. */
export const reply =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

/** An error as RFC 9457 wants it. */
export const problem = (status: number, name: string, detail: string, headers: Record<string, string> = {}): Reply =>
  reply({ type: `urn:dual:problem:${name}`, title: name, status, detail }, status, headers);

/** Text on an event stream; then it ends, stays open, or is cut. */
export const stream =
  (text: string, then: 'end' | 'hang' | 'cut' = 'end'): Reply =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => {
      if (then === 'end') response.end();
      if (then === 'cut') response.destroy();
    });
  };

/** Breaks the connection instead of answering. */
export const hangUp: Reply = (response) => void response.destroy();

/**
 * A gateway in whose place a test speaks its HTTP contract. `routes`: `METHOD /path` (without query) to its replies, used up in
 * order, the last one for ever. Anything else fails the request with 418 and says what was asked.
 */
export const startFakeGateway = async (routes: Record<string, Reply | Reply[]>): Promise<FakeGateway> => {
  const asked: Asked[] = [];
  const used = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const one: Asked = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: text ? (JSON.parse(text) as Record<string, unknown>) : null,
      };
      asked.push(one);
      const key = `${one.method} ${one.path.split('?')[0] ?? ''}`;
      const replies = [routes[key] ?? []].flat();
      const count = used.get(key) ?? 0;
      used.set(key, count + 1);
      const chosen = replies[Math.min(count, replies.length - 1)];
      (chosen ?? problem(418, 'not-scripted', `nothing is scripted for ${key}`))(response, one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export const TRACE_ID = '0123456789abcdef0123456789abcdef';
export const JOB_ID = `${TRACE_ID}-1`;

export const jobResult = (change: Partial<JobResult> = {}): JobResult => ({
  job_id: JOB_ID,
  trace_id: TRACE_ID,
  agent: 'coding',
  skill: 'run-tests',
  status: 'succeeded',
  instruction: 'run the tests',
  summary: 'All 12 tests pass.',
  error: null,
  waiting: null,
  branch: null,
  artifacts: [],
  verification: null,
  turns: 2,
  input_tokens: 1200,
  output_tokens: 80,
  cost_usd: 0,
  cost_source: 'rehearsal',
  rehearsal: true,
  started_at: '2026-11-25T10:00:00.000Z',
  completed_at: '2026-11-25T10:00:04.000Z',
  ...change,
});

export const taskResult = (change: Partial<TaskResult> = {}): TaskResult => ({
  trace_id: TRACE_ID,
  status: 'succeeded',
  utterance: 'run the tests',
  summary: 'All 12 tests pass.',
  jobs: [jobResult()],
  input_tokens: 1200,
  output_tokens: 80,
  cost_usd: 0,
  artifacts: [],
  started_at: '2026-11-25T10:00:00.000Z',
  completed_at: '2026-11-25T10:00:04.000Z',
  ...change,
});

export const accepted = {
  status: 'accepted',
  trace_id: TRACE_ID,
  workflow_id: `voice-${TRACE_ID}`,
  jobs: [{ job_id: JOB_ID, agent: 'coding', skill: 'run-tests', instruction: 'run the tests', depends_on: [] }],
  links: {
    trace: `/trace/${TRACE_ID}`,
    events: `/trace/${TRACE_ID}/events`,
    temporal_ui: `http://127.0.0.1:8233/namespaces/default/workflows/voice-${TRACE_ID}`,
  },
};

/** A whole trace event; `n` tells events apart. */
export const traceEvent = (n: number, change: Partial<TraceEvent> = {}): TraceEvent => ({
  v: 1,
  event_id: n.toString(16).padStart(32, '0'),
  ts: new Date(Date.UTC(2026, 10, 25, 10, 0, 0, n)).toISOString(),
  seq: n,
  trace_id: TRACE_ID,
  span_id: 'a'.repeat(16),
  parent_span_id: null,
  job_id: JOB_ID,
  workflow_id: null,
  run_id: null,
  attempt: null,
  phase: 'tool_call',
  agent: 'coding',
  skill: 'run-tests',
  provider: null,
  model: null,
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  cost_usd: null,
  cost_source: null,
  price_version: null,
  duration_ms: null,
  error_type: null,
  payload: { turn: 1, summary: `step ${n}` },
  ...change,
});

/** Events as the stream sends them. */
export const eventText = (...list: TraceEvent[]): string =>
  list.map((event) => `id: at-${event.seq}\ndata: ${JSON.stringify(event)}\n\n`).join('');

export const doneText = `event: done\ndata: ${JSON.stringify(taskResult())}\n\n`;
