import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createBrowserEnvironment } from '../../activities/browser/index.ts';
import type { BrowserEnvironmentOptions } from '../../activities/browser/index.ts';
import type { Control, Environment, OpenedSession, ToolBatch } from '../../activities/environment.ts';
import type { ToolCall, ToolResult } from '../../activities/models/model.ts';
import { JobPlan } from '../../contracts/agent.ts';
import { createArtifactStore } from '../../platform/artifacts.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { createLog } from '../../platform/log.ts';

/** The machine's Chromium: `CHROMIUM_PATH`, or the first of the usual names on PATH. */
export const chromiumPath = (): string => {
  const named = process.env['CHROMIUM_PATH'];
  if (named) return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])
      if (existsSync(join(folder, name))) return join(folder, name);
  throw new Error('no Chromium: set CHROMIUM_PATH');
};

export interface Site {
  url: string;
  port: number;
  /** `METHOD path` of everything that was asked for. */
  requests: string[];
  /** Connections made, whatever was asked on them. */
  connections: number;
  close(): Promise<void>;
}

/** A site on a free loopback port. `upgrade` gives the bytes that answer a WebSocket's key. */
export const startSite = async (answer: RequestListener, upgrade?: (key: string) => Buffer): Promise<Site> => {
  const sockets = new Set<Socket>();
  const site: Site = {
    url: '',
    port: 0,
    requests: [],
    connections: 0,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    site.requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  if (upgrade)
    server.on('upgrade', (request, socket) => {
      site.requests.push(`UPGRADE ${request.url}`);
      socket.write(upgrade(request.headers['sec-websocket-key'] ?? ''));
    });
  server.on('connection', (socket) => {
    site.connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  site.port = (server.address() as AddressInfo).port;
  site.url = `http://127.0.0.1:${site.port}`;
  return site;
};

/** Answers `pages[path]` as HTML, anything else with 404. */
export const pages =
  (html: Record<string, string>): RequestListener =>
  (request, response) => {
    const body = html[new URL(request.url ?? '/', 'http://site').pathname];
    response
      .writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
      .end(body ?? '<title>Not here</title>');
  };

export const JOB = `${'a'.repeat(32)}-1`;

export const planFor = (...urls: string[]): JobPlan =>
  JobPlan.parse({
    v: 1,
    skill: { name: 'browser', version: 1, description: '' },
    agent: {
      name: 'browser',
      version: 1,
      environment: 'browser',
      model: { provider: 'gemini', name: null, max_output_tokens: 1000 },
      instructions: ['agents/browser.md'],
      tools: ['computer', 'page'],
      limits: { max_turns: 10, max_cost_usd: 1, timeout_ms: 60_000 },
    },
    instructions: '',
    utterance: '',
    instruction: '',
    parameters: {},
    targets: urls.map((url, n) => ({ name: `site ${n}`, url })),
    context: '',
  });

export const control = (about: Partial<Control> = {}): Control => ({
  signal: new AbortController().signal,
  attempt: 1,
  progress: () => undefined,
  ...about,
});

let calls = 0;
export const call = (name: string, input: Record<string, unknown> = {}, about: Partial<ToolCall> = {}): ToolCall => ({
  id: `call-${(calls += 1)}`,
  name,
  input,
  confirm: null,
  ...about,
});

export const textOf = (result: ToolResult | undefined): string =>
  (result?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('\n');

export interface Bench {
  environment: Environment;
  artifacts: ArtifactStore;
  open(plan: JobPlan, about?: { jobId?: string; generation?: number; checkpoint?: string }): Promise<OpenedSession>;
  /** One batch as a new turn. */
  run(session: OpenedSession, ...calls: ToolCall[]): Promise<ToolResult[]>;
  batch(session: OpenedSession, calls: ToolCall[], about?: Partial<ToolBatch>): ToolBatch;
  close(session: OpenedSession): ReturnType<Environment['close']>;
  dispose(): Promise<void>;
}

/** A browser environment with its artifacts in a temporary folder. */
export const createBench = async (options: Partial<BrowserEnvironmentOptions> = {}): Promise<Bench> => {
  const folder = await mkdtemp(join(tmpdir(), 'browser-test-'));
  const artifacts = createArtifactStore(folder);
  const log = createLog('test', (text) => text, 'silent');
  const environment = await createBrowserEnvironment({ chromiumPath: chromiumPath(), artifacts, log, ...options });
  let turn = 0;
  const batch: Bench['batch'] = (session, given, about = {}) => ({
    sessionId: session.sessionId,
    jobId: JOB,
    turn: (turn += 1),
    calls: given,
    confirmed: [],
    checkpoint: session.checkpoint,
    ...about,
  });
  return {
    environment,
    artifacts,
    batch,
    open: (plan, about = {}) =>
      environment.open(
        { traceId: 'a'.repeat(32), jobId: JOB, plan, generation: 1, checkpoint: null, baseCommits: [], ...about },
        control(),
      ),
    run: async (session, ...given) => (await environment.runTools(batch(session, given), control())).results,
    close: (session) =>
      environment.close(
        { sessionId: session.sessionId, jobId: JOB, plan: planFor(), checkpoint: null, outcome: 'succeeded' },
        control(),
      ),
    dispose: async () => {
      await environment.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
