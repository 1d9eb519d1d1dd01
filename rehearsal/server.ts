import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { answerRequest } from './answer-request.ts';
import { RequestProblem } from './conversation.ts';
import type { Conversation, Reply } from './conversation.ts';
import { Fault, createFaultQueue } from './faults.ts';
import type { FaultInput } from './faults.ts';
import { parseJson, readBody, sendJson } from './http.ts';
import { createPrefixCache } from './prefix-cache.ts';
import { think } from './program.ts';
import type { Scenario } from './program.ts';
import { createAnthropicProtocol, createGeminiProtocol } from './protocols.ts';
import { createRequestLog } from './request-log.ts';
import type { LoggedRequest } from './request-log.ts';
import { SCENARIOS } from './scenarios/index.ts';

export interface RehearsalOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Milliseconds before every answer. Default 0. */
  delayMs?: number;
  /** Programs asked before the shipped ones. */
  scenarios?: readonly Scenario[];
  /** Instead of programs: the answers, by number of turns the conversation already has; beyond the last one is a 400. */
  script?: readonly Partial<Reply>[] | ((conversation: Conversation) => Partial<Reply>);
  log?: Log;
  /** For tests of the prompt cache; milliseconds since the epoch. */
  now?: () => number;
}

export interface Rehearsal {
  /** `http://127.0.0.1:<port>`: the base URL for both SDKs. */
  url: string;
  /** Every provider request so far, oldest first. */
  requests(): LoggedRequest[];
  inject(fault: FaultInput): void;
  /** Ends at once; requests under way are cut. */
  close(): Promise<void>;
}

/** Longer than any pause between two turns, so that a client's kept socket is not closed under its next request. */
const KEEP_ALIVE_MS = 120_000;

const scripted = (script: NonNullable<RehearsalOptions['script']>, conversation: Conversation): Reply => {
  const turn = conversation.exchanges.length;
  const reply = typeof script === 'function' ? script(conversation) : script[turn];
  if (!reply) throw new Error(`the script has no answer for turn ${turn + 1}`);
  return { text: '', calls: [], ...reply };
};

/** Starts the loopback models on 127.0.0.1. What the server remembers (log, faults, prompt cache) ends with it; the programs remember nothing. */
export const startRehearsal = async (options: RehearsalOptions = {}): Promise<Rehearsal> => {
  const faults = createFaultQueue();
  const requestLog = createRequestLog(options.now);
  const cache = createPrefixCache(options.now);
  const anthropic = createAnthropicProtocol(cache);
  const gemini = createGeminiProtocol(cache);
  const scenarios = [...(options.scenarios ?? []), ...SCENARIOS];
  const closing = new AbortController();

  const answerOf = (conversation: Conversation): Reply & { scenario: string } => {
    try {
      if (options.script) return { ...scripted(options.script, conversation), scenario: 'script' };
      return think(conversation, scenarios);
    } catch (error) {
      options.log?.error(
        { error: messageOf(error), stack: error instanceof Error ? error.stack : '' },
        'program broke',
      );
      throw new RequestProblem(400, null, `rehearsal: the program broke: ${messageOf(error)}`);
    }
  };

  const addFaults = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parsed = z.union([Fault, z.array(Fault)]).safeParse(parseJson(await readBody(request)));
    if (!parsed.success) {
      sendJson(response, 400, { error: z.prettifyError(parsed.error) });
      return;
    }
    for (const fault of [parsed.data].flat()) faults.add(fault);
    sendJson(response, 200, { faults: faults.list() });
  };

  const control = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const route = `${request.method} ${url.pathname}`;
    switch (route) {
      case 'GET /health':
        sendJson(response, 200, { status: 'ok', rehearsal: true });
        return;
      case 'DELETE /rehearsal/requests':
        requestLog.clear();
        sendJson(response, 200, requestLog.list());
        return;
      case 'GET /rehearsal/requests':
        sendJson(response, 200, requestLog.list());
        return;
      case 'POST /rehearsal/faults':
        await addFaults(request, response);
        return;
      case 'DELETE /rehearsal/faults':
        faults.clear();
        sendJson(response, 200, { faults: faults.list() });
        return;
      case 'GET /rehearsal/faults':
        sendJson(response, 200, { faults: faults.list() });
        return;
      default: {
        const problem = new RequestProblem(404, null, `rehearsal does not speak ${route}`);
        sendJson(response, 404, (url.pathname.startsWith('/v1beta/') ? gemini : anthropic).problemBody(problem, ''));
      }
    }
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const protocol = [anthropic, gemini].find(
      (candidate) => request.method === 'POST' && candidate.accepts(url.pathname),
    );
    const work = protocol
      ? answerRequest(
          { faults, requestLog, delayMs: options.delayMs ?? 0, answerOf },
          protocol,
          request,
          response,
          url,
          closing.signal,
        )
      : control(request, response, url);
    work.catch((error: unknown) => {
      if (error instanceof RequestProblem && !response.headersSent) {
        sendJson(response, error.status, { error: error.message });
        return;
      }
      options.log?.warn({ error: messageOf(error) }, 'request broke off');
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requestLog.list().requests,
    inject: (fault) => faults.add(fault),
    close: async () => {
      closing.abort(new Error('rehearsal is closing'));
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
