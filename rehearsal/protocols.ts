import type { IncomingHttpHeaders } from 'node:http';
import type { Provider } from '../contracts/agent.ts';
import { answerAnthropic, readAnthropic } from './anthropic.ts';
import { streamAnthropic } from './anthropic-stream.ts';
import { RequestProblem } from './conversation.ts';
import type { Conversation, Reply } from './conversation.ts';
import type { Fault, FaultKind } from './faults.ts';
import { answerGemini, readGemini } from './gemini.ts';
import type { PrefixCache } from './prefix-cache.ts';

/** A request that was understood. */
export interface Reading {
  conversation: Conversation;
  /** true: the answer is an event stream. */
  stream: boolean;
  /** The bytes of the answer, in the pieces they are sent. */
  answer(reply: Reply, fault: Fault | null): string[];
}

/** One provider's way of speaking HTTP. */
export interface Protocol {
  provider: Provider;
  accepts(path: string): boolean;
  modelOf(path: string, body: unknown): string;
  /** @throws RequestProblem when no key was sent; any key will do. */
  authorise(headers: IncomingHttpHeaders, url: URL): void;
  /** @throws RequestProblem as the provider would refuse the body. */
  read(path: string, headers: IncomingHttpHeaders, body: unknown, bodyHash: string): Reading;
  /** Body of an error answer. */
  problemBody(problem: RequestProblem, requestId: string): unknown;
  /** The error an injected fault stands for; null: it is not answered with an error. */
  faultProblem(fault: Fault): RequestProblem | null;
}

type ErrorFaults = Partial<Record<FaultKind, [number, string, string]>>;

const ANTHROPIC_FAULTS: ErrorFaults = {
  rate_limited: [429, 'rate_limit_error', "This request would exceed your organization's rate limit."],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  stream_error: [529, 'overloaded_error', 'Overloaded'],
  unauthorized: [401, 'authentication_error', 'invalid x-api-key'],
  bad_request: [400, 'invalid_request_error', 'A rehearsed bad request.'],
  too_large: [413, 'request_too_large', 'Request exceeds the maximum size'],
  server_error: [500, 'api_error', 'Internal server error'],
};
const GEMINI_FAULTS: ErrorFaults = {
  rate_limited: [
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  overloaded: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  stream_error: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  unauthorized: [401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  bad_request: [400, 'INVALID_ARGUMENT', 'A rehearsed bad request.'],
  too_large: [413, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.'],
  server_error: [500, 'INTERNAL', 'An internal error has occurred.'],
};

/** The providers' words for what the server itself finds wrong. */
const ANTHROPIC_WORDS: Record<number, string> = { 404: 'not_found_error', 413: 'request_too_large' };
const GEMINI_WORDS: Record<number, string> = { 404: 'NOT_FOUND' };

const problemFor = (faults: ErrorFaults, fault: Fault, details?: unknown): RequestProblem | null => {
  const known = faults[fault.kind];
  return known ? new RequestProblem(...known, { details, retryAfterS: fault.retry_after_s }) : null;
};

/** Anthropic Messages: `POST /v1/messages`, plain or as an event stream. */
export const createAnthropicProtocol = (cache: PrefixCache): Protocol => ({
  provider: 'anthropic',
  accepts: (path) => path === '/v1/messages',
  modelOf: (_path, body) =>
    typeof body === 'object' && body !== null && 'model' in body && typeof body.model === 'string' ? body.model : '',
  authorise: (headers) => {
    const bearer = /^Bearer\s+\S/i.test(headers.authorization ?? '');
    if (!bearer && !headers['x-api-key'])
      throw new RequestProblem(401, 'authentication_error', 'x-api-key header is required');
  },
  read: (_path, headers, body, bodyHash) => {
    if (!headers['anthropic-version'])
      throw new RequestProblem(400, 'invalid_request_error', 'anthropic-version: header is required');
    const { request, conversation } = readAnthropic(body);
    const stream = request.stream === true;
    return {
      conversation,
      stream,
      answer: (reply, fault) => {
        const message = answerAnthropic(request, reply, fault, cache, bodyHash);
        return stream ? streamAnthropic(message) : [JSON.stringify(message)];
      },
    };
  },
  problemBody: ({ status, type, message }, requestId) => ({
    type: 'error',
    error: { type: type ?? ANTHROPIC_WORDS[status] ?? 'invalid_request_error', message },
    request_id: requestId,
  }),
  faultProblem: (fault) => problemFor(ANTHROPIC_FAULTS, fault),
});

const GEMINI_PATH = /^\/v1(?:beta)?\/(?:models|tunedModels)\/([^/:]+):generateContent$/;

/** Gemini: `POST /v1beta/models/{model}:generateContent`. */
export const createGeminiProtocol = (cache: PrefixCache): Protocol => {
  const modelOf = (path: string): string => decodeURIComponent(GEMINI_PATH.exec(path)?.[1] ?? '');
  return {
    provider: 'gemini',
    accepts: (path) => GEMINI_PATH.test(path),
    modelOf,
    authorise: (headers, url) => {
      if (!headers['x-goog-api-key'] && !url.searchParams.get('key'))
        throw new RequestProblem(
          403,
          'PERMISSION_DENIED',
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
        );
    },
    read: (path, _headers, body, bodyHash) => {
      const model = modelOf(path);
      const { request, conversation } = readGemini(model, body);
      return {
        conversation,
        stream: false,
        answer: (reply, fault) => [
          JSON.stringify(answerGemini(model, request, reply, fault, cache, bodyHash), null, 2),
        ],
      };
    },
    problemBody: ({ status, type, message, details }) => ({
      error: {
        code: status,
        message,
        status: type ?? GEMINI_WORDS[status] ?? 'INVALID_ARGUMENT',
        ...(details ? { details } : {}),
      },
    }),
    faultProblem: (fault) => {
      const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${fault.retry_after_s ?? 0}s` };
      return problemFor(GEMINI_FAULTS, fault, fault.retry_after_s === undefined ? undefined : [retry]);
    },
  };
};
