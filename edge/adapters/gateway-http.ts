import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { FinalReply, PartialReply, Problem } from '../../contracts/replies.ts';
import { TaskResult } from '../../contracts/task.ts';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { localFailure, Received, retryAfterMs } from '../gateway-calls.ts';
import type { CallFailure, CallResult, GatewayCalls } from '../gateway-calls.ts';

/** Milliseconds for one request and its answer; the gateway waits up to 2 s for a gap, and again for a worker. */
export const REQUEST_MS = 10_000;
/** Connections at once: the finals under way and a few commands. */
const MAX_CONNECTIONS = 16;
/** Bytes of an answer; a task of sixteen jobs stays far below. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface GatewayHttpOptions {
  /** Where the gateway is, as `WSL_GATEWAY_URL` says. */
  url: string;
  /** Asked before every request, so that a token put right counts at once. @throws Error for people when there is none */
  token: () => string;
  /** Default `REQUEST_MS`. */
  requestMs?: number;
}

interface Answer {
  status: number;
  retryAfter: string | undefined;
  text: string;
}

/** The reason hides one level down where several addresses were tried. */
const reasonOf = (error: unknown): string => {
  const first = (error as { errors?: unknown[] } | null)?.errors?.[0];
  return codeOf(error) || codeOf(first) || messageOf(error);
};

const textOf = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const failureOf = ({ status, retryAfter, text }: Answer): CallFailure => {
  const said = Problem.safeParse(jsonOf(text)).data;
  const failure = localFailure('stranger', `an answer ${status} that is not a gateway's`, status);
  return { ...failure, ...(said && { problem: said }), retryAfterMs: retryAfterMs(retryAfter) };
};

/**
 * The gateway over HTTP: a connection a request, since one that was kept may have died with the gateway, and a deadline
 * for each from the connection to the last byte.
 */
export const createGatewayHttp = ({ url, token, requestMs = REQUEST_MS }: GatewayHttpOptions): GatewayCalls => {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: false, maxSockets: MAX_CONNECTIONS });

  const exchange = (method: string, path: string, headers: Record<string, string>, body: string, signal: AbortSignal) =>
    new Promise<Answer>((resolve, reject) => {
      const options = { method, headers, agent, signal };
      const sent = (secure ? httpsRequest : httpRequest)(new URL(path, base), options, (response) => {
        textOf(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], text }),
          reject,
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });

  const call = async <T>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<CallResult<T>> => {
    const headers: Record<string, string> = { accept: 'application/json', connection: 'close' };
    try {
      headers['authorization'] = `Bearer ${token()}`;
    } catch (error) {
      return localFailure('noToken', messageOf(error), 401);
    }
    const text = body === undefined ? '' : JSON.stringify(body);
    if (text !== '') {
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(text));
    }
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), requestMs);
    let answer: Answer;
    try {
      answer = await exchange(method, path, headers, text, AbortSignal.any([late.signal, ...(signal ? [signal] : [])]));
    } catch (error) {
      const reason = late.signal.aborted ? `no answer within ${requestMs} ms` : reasonOf(error);
      return localFailure('unreachable', `no gateway answers at ${url} (${reason})`);
    } finally {
      clearTimeout(timer);
    }
    if (answer.status < 200 || answer.status > 299) return failureOf(answer);
    const reply = schema.safeParse(jsonOf(answer.text));
    if (reply.success) return { ok: true, status: answer.status, reply: reply.data };
    return localFailure('stranger', `an answer ${answer.status} that cannot be read`, answer.status);
  };

  return {
    url,
    submit: (final, signal) => call(FinalReply, 'POST', 'transcript', final, signal),
    partial: (partial, signal) => call(PartialReply, 'POST', 'transcript', partial, signal),
    task: (traceId, signal) => call(TaskResult, 'GET', `trace/${encodeURIComponent(traceId)}`, undefined, signal),
    cancel: (traceId, reason, signal) =>
      call(Received, 'POST', `trace/${encodeURIComponent(traceId)}/cancel`, { ...(reason && { reason }) }, signal),
    answerApproval: (jobId, { approvalId, decision, note }, signal) =>
      call(
        Received,
        'POST',
        `jobs/${encodeURIComponent(jobId)}/approval`,
        { approval_id: approvalId, decision, ...(note !== undefined && { note }) },
        signal,
      ),
    alive: (signal) => call(z.looseObject({ status: z.literal('ok') }), 'GET', 'health', undefined, signal),
  };
};
