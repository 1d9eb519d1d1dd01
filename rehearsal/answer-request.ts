import type { IncomingMessage, ServerResponse } from 'node:http';
import { aborted, delay } from '../platform/lifecycle.ts';
import { hashOf } from './canonical.ts';
import { RequestProblem } from './conversation.ts';
import type { Conversation, Reply } from './conversation.ts';
import type { Fault, FaultQueue } from './faults.ts';
import { parseJson, readBody, sendHalf, sendJson, sendPieces } from './http.ts';
import type { Protocol, Reading } from './protocols.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';

export interface AnswerDependencies {
  faults: FaultQueue;
  requestLog: RequestLog;
  /** Milliseconds before every answer. */
  delayMs: number;
  /** What the model says next, and which program said it. @throws RequestProblem when a program broke. */
  answerOf(conversation: Conversation): Reply & { scenario: string };
}

/** Waits as the fault and the options say; a stall ends only with the signal. */
const hold = async (fault: Fault | null, delayMs: number, signal: AbortSignal): Promise<void> => {
  if (fault?.kind === 'stall') {
    await aborted(signal);
    throw signal.reason as Error;
  }
  const wait = delayMs + (fault?.kind === 'slow' ? fault.delay_ms : 0);
  if (wait > 0) await delay(wait, signal);
};

/** The error a fault stands for; a broken-off stream is one only where nothing streams. */
const problemOf = (protocol: Protocol, fault: Fault | null, reading: Reading | null): RequestProblem | null => {
  if (!fault || (fault.kind === 'stream_error' && reading?.stream !== false)) return null;
  return protocol.faultProblem(fault);
};

/** Serves one provider request from its first byte to its last, and keeps the log of it true. */
export const answerRequest = async (
  deps: AnswerDependencies,
  protocol: Protocol,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  closing: AbortSignal,
): Promise<void> => {
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the client went')));
  const signal = AbortSignal.any([gone.signal, closing]);
  let entry: LoggedRequest | undefined;
  let headers: Record<string, string> = {};
  try {
    const text = await readBody(request);
    const body = parseJson(text);
    const sha256 = hashOf(body);
    entry = deps.requestLog.open({ provider: protocol.provider, model: protocol.modelOf(url.pathname, body), sha256 });
    headers = { 'request-id': `req_re${entry.n}` };
    protocol.authorise(request.headers, url);

    const fault = deps.faults.take(protocol.provider, text);
    entry.fault = fault?.kind ?? null;
    await hold(fault, deps.delayMs, signal);
    const early = problemOf(protocol, fault, null);
    if (early) throw early;
    const reading = protocol.read(url.pathname, request.headers, body, sha256);
    entry.turn = reading.conversation.exchanges.length;
    const late = problemOf(protocol, fault, reading);
    if (late) throw late;

    const reply = deps.answerOf(reading.conversation);
    entry.scenario = reply.scenario;
    entry.status = 200;
    const pieces = reading.answer(reply, fault);
    headers['content-type'] = reading.stream ? 'text/event-stream; charset=utf-8' : 'application/json';
    if (fault?.kind === 'cut') {
      await sendHalf(response, headers, pieces);
      entry.outcome = 'cut';
    } else if (fault?.kind === 'stream_error') {
      const broken = protocol.faultProblem(fault);
      const error = broken
        ? `event: error\ndata: ${JSON.stringify(protocol.problemBody(broken, headers['request-id'] ?? ''))}\n\n`
        : '';
      await sendPieces(response, headers, [...pieces.slice(0, Math.ceil(pieces.length / 2)), error]);
      entry.outcome = 'cut';
    } else {
      await sendPieces(response, headers, pieces);
      entry.outcome = 'answered';
    }
  } catch (error) {
    if (error instanceof RequestProblem) {
      if (entry) [entry.status, entry.outcome] = [error.status, 'refused'];
      const retryAfter: Record<string, string> =
        error.retryAfterS === undefined ? {} : { 'retry-after': String(error.retryAfterS) };
      sendJson(response, error.status, protocol.problemBody(error, headers['request-id'] ?? ''), {
        ...headers,
        ...retryAfter,
      });
      return;
    }
    if (entry) entry.outcome = 'cut';
    if (!signal.aborted) throw error;
  }
};
