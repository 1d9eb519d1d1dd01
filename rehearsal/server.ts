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
import { createConnectionLog } from './realtime/connection-log.ts';
import type { LoggedConnection } from './realtime/connection-log.ts';
import { createRealtimeFaults, RealtimeFault } from './realtime/faults.ts';
import type { RealtimeFaultInput } from './realtime/faults.ts';
import type { Synthesise } from './realtime/reply.ts';
import { createRealtimeService } from './realtime/service.ts';
import type { OpenRealtimeDoor } from './realtime/service.ts';
import { createRequestLog } from './request-log.ts';
import type { LoggedRequest } from './request-log.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { SpeechRecogniser } from './speech-recogniser.ts';

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
  /** Lets WebSockets in at `/v1/realtime`; without it there is no Realtime service. */
  realtimeDoor?: OpenRealtimeDoor;
  /** Called at the first Realtime connection; closed with the server. @throws Error saying what to install */
  openRecogniser?: () => Promise<SpeechRecogniser>;
  /** The voice of spoken replies; without it they are text. */
  synthesise?: Synthesise;
  /** Milliseconds a Realtime session lasts; default 60 min. */
  realtimeSessionMs?: number;
}

export interface Rehearsal {
  /** `http://127.0.0.1:<port>`: the base URL for both SDKs. */
  url: string;
  /** Every provider request so far, oldest first. */
  requests(): LoggedRequest[];
  /** Every connection to the Realtime service so far, oldest first. */
  connections(): LoggedConnection[];
  inject(fault: FaultInput | RealtimeFaultInput): void;
  /** Ends at once; requests under way are cut. */
  close(): Promise<void>;
}

/** Longer than any pause between two turns, so that a client's kept socket is not closed under its next request. */
const KEEP_ALIVE_MS = 120_000;

const AnyFault = z.union([Fault, RealtimeFault]);

const scripted = (script: NonNullable<RehearsalOptions['script']>, conversation: Conversation): Reply => {
  const turn = conversation.exchanges.length;
  const reply = typeof script === 'function' ? script(conversation) : script[turn];
  if (!reply) throw new Error(`the script has no answer for turn ${turn + 1}`);
  return { text: '', calls: [], ...reply };
};

/** Starts the loopback models on 127.0.0.1. What the server remembers (log, faults, prompt cache) ends with it; the programs remember nothing. */
export const startRehearsal = async (options: RehearsalOptions = {}): Promise<Rehearsal> => {
  const now = options.now ?? Date.now;
  const faults = createFaultQueue();
  const realtimeFaults = createRealtimeFaults();
  const connections = createConnectionLog(now);
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

  const inject = (fault: FaultInput | RealtimeFaultInput): void => {
    if (fault.provider === 'openai') realtimeFaults.add(fault);
    else faults.add(fault);
  };
  const waitingFaults = (): { faults: (Fault | RealtimeFault)[] } => ({
    faults: [...faults.list(), ...realtimeFaults.list()],
  });
  const served = () => ({ ...requestLog.list(), connections: connections.list() });

  const addFaults = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parsed = z.union([AnyFault, z.array(AnyFault)]).safeParse(parseJson(await readBody(request)));
    if (!parsed.success) {
      sendJson(response, 400, { error: z.prettifyError(parsed.error) });
      return;
    }
    for (const fault of [parsed.data].flat()) inject(fault);
    sendJson(response, 200, waitingFaults());
  };

  const control = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const route = `${request.method} ${url.pathname}`;
    switch (route) {
      case 'GET /health':
        sendJson(response, 200, { status: 'ok', rehearsal: true });
        return;
      case 'DELETE /rehearsal/requests':
        requestLog.clear();
        connections.clear();
        sendJson(response, 200, served());
        return;
      case 'GET /rehearsal/requests':
        sendJson(response, 200, served());
        return;
      case 'POST /rehearsal/faults':
        await addFaults(request, response);
        return;
      case 'DELETE /rehearsal/faults':
        faults.clear();
        realtimeFaults.clear();
        sendJson(response, 200, waitingFaults());
        return;
      case 'GET /rehearsal/faults':
        sendJson(response, 200, waitingFaults());
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
  const door = options.realtimeDoor?.(
    createRealtimeService({
      faults: realtimeFaults,
      connections,
      openRecogniser: options.openRecogniser,
      synthesise: options.synthesise,
      sessionMs: options.realtimeSessionMs,
      now,
      log: options.log,
    }),
    options.log,
  );
  if (door) server.on('upgrade', (request, socket, head) => door.accept(request, socket, head));
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requestLog.list().requests,
    connections: () => connections.list(),
    inject,
    close: async () => {
      closing.abort(new Error('rehearsal is closing'));
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await door?.close();
      await closed;
    },
  };
};
