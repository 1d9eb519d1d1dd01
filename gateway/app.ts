import express from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { Log } from '../platform/log.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { BrowserLogin } from './browser-login.ts';
import { answerProblems } from './middleware/answer-problems.ts';
import { guardOrigin } from './middleware/guard-origin.ts';
import { limitInFlight } from './middleware/limit-in-flight.ts';
import type { InFlight } from './middleware/limit-in-flight.ts';
import { readJson } from './middleware/read-json.ts';
import { requireToken } from './middleware/require-token.ts';
import { parsed, scrubbed } from './parsed.ts';
import { ProblemError } from './problems.ts';
import type { Reply, Route } from './route.ts';

export interface AppDeps {
  routes: readonly Route[];
  hosts: ReadonlySet<string>;
  token: string;
  login: Pick<BrowserLogin, 'admits'>;
  log: Log;
  /** What people send may end in Temporal, on disk and with a model: secrets of ours are taken out at the door. */
  scrub: Scrub;
  /** Aborted when the process ends: streams end then. */
  stopping: AbortSignal;
  inFlight: InFlight;
}

const answer = async (reply: Reply, response: Response, stopping: AbortSignal): Promise<void> => {
  if ('stream' in reply) {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the reader went away')));
    response.emit('stream');
    response.writeHead(reply.status, reply.headers);
    response.flushHeaders();
    const signal = AbortSignal.any([gone.signal, stopping]);
    try {
      await reply.stream(response, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    response.end();
    return;
  }
  const body = 'json' in reply ? JSON.stringify(reply.json) : 'text' in reply ? reply.text : reply.bytes;
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...reply.headers,
  });
  response.end(body);
};

const serve =
  (route: Route, { scrub, stopping }: AppDeps): RequestHandler =>
  async (request: Request, response: Response) => {
    const params = parsed(route.params, request.params, 'not-found');
    const query = parsed(route.query, request.query, 'bad-request');
    let body: unknown;
    if (route.body) {
      const json = await readJson(request);
      const given = json === undefined ? (route.bodyOptional ? {} : json) : scrubbed(json, scrub);
      body = parsed(route.body, given, 'bad-request');
    }
    const reply = await route.handle({ params, query, body, header: (name) => request.get(name) });
    await answer(reply, response, stopping);
  };

const setSafeHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  next();
};

/** The gateway's HTTP side: checks, then routes; it listens nowhere by itself. */
export const createApp = (deps: AppDeps): Express => {
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', 'simple');
  app.use(setSafeHeaders, guardOrigin(deps.hosts));
  const mount = (auth: Route['auth']): void => {
    for (const route of deps.routes.filter((one) => one.auth === auth))
      app[route.method](route.path.replace(/\{(\w+)\}/g, ':$1'), serve(route, deps));
  };
  mount('none');
  app.use(requireToken(deps.token, deps.login), limitInFlight(deps.inFlight));
  mount('token');
  app.use(() => {
    throw new ProblemError('not-found', 'no such route; see /openapi.json');
  });
  app.use(answerProblems(deps.log));
  return app;
};
