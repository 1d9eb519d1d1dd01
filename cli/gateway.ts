import { Problem } from '../contracts/replies.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Context } from './command.ts';

/** Milliseconds for one request that is no stream; the gateway itself waits up to 2 s for a worker. */
const REQUEST_MS = 15_000;

/** The gateway did not answer at all; `refused`: nothing listens, so the request was certainly not received. */
export class Unreachable extends CommandError {
  override readonly name = 'Unreachable';
  readonly refused: boolean;
  constructor(url: string, cause: unknown) {
    const reason = causeOf(cause);
    super(
      EXIT.unreachable,
      `no gateway answers at ${url} (${reason})\nstart one with: make dev      or say where it is: WSL_GATEWAY_URL`,
      { cause },
    );
    this.refused = reason === 'ECONNREFUSED';
  }
}

/** The gateway answered with an error (RFC 9457). */
export class Refused extends CommandError {
  override readonly name = 'Refused';
  readonly status: number;
  /** The stable `type` of the problem; empty when the answer was none. */
  readonly type: string;
  /** null: the gateway does not ask to wait. */
  readonly retryAfterMs: number | null;
  constructor(status: number, problem: Problem | null, retryAfterMs: number | null, advice: string) {
    const detail = problem?.detail ?? problem?.title ?? 'no further words';
    super(status === 503 || status === 429 ? EXIT.unreachable : EXIT.failed, `${detail} (${status})${advice}`);
    this.status = status;
    this.type = problem?.type ?? '';
    this.retryAfterMs = retryAfterMs;
  }
}

/** Node's fetch hides the reason one level down, and several attempts (IPv4, IPv6) one further. */
const causeOf = (error: unknown): string => {
  for (let at: unknown = error, depth = 0; depth < 4 && typeof at === 'object' && at !== null; depth++) {
    if (codeOf(at) && codeOf(at) !== 'ABORT_ERR') return codeOf(at);
    at = (at as { errors?: unknown[] }).errors?.[0] ?? (at as { cause?: unknown }).cause;
  }
  return messageOf(error);
};

/** Retry-After in seconds or as a date. */
export const retryAfterMs = (header: string | null, now = Date.now()): number | null => {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 600_000) : null;
};

export interface Gateway {
  readonly url: string;
  /** @throws Unreachable, Refused */
  get(path: string): Promise<unknown>;
  /** `once`: a key under which a repeated request counts once. @throws Unreachable, Refused */
  post(path: string, body: unknown, once?: string): Promise<unknown>;
  /** An event stream, open until `signal` aborts. @throws Unreachable, Refused */
  events(path: string, lastEventId: string | null, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

const parseProblem = (text: string): Problem | null => {
  try {
    return Problem.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

const adviceFor = (status: number, tokenFile: string, hasToken: boolean): string => {
  if (status === 401)
    return hasToken
      ? '\nthe gateway does not know this token: is GATEWAY_TOKEN, or GATEWAY_TOKEN_FILE, that of the running gateway?'
      : `\nthere is no token: the gateway writes it to ${tokenFile} at its first start, or set GATEWAY_TOKEN`;
  if (status === 503) return '\ntry again in a moment; dual doctor looks for the reason';
  return '';
};

/** A gateway over HTTP. */
export const createGateway = ({ settings, signal }: Pick<Context, 'settings' | 'signal'>): Gateway => {
  const { gatewayUrl: url, tokenFile } = settings;
  const token = settings.token();
  const request = async (
    path: string,
    init: { method?: string; body?: string; headers?: Record<string, string>; signal: AbortSignal },
  ): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        ...init,
        headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new Unreachable(url, error);
    }
    if (response.ok) return response;
    const text = await response.text().catch(() => '');
    throw new Refused(
      response.status,
      parseProblem(text),
      retryAfterMs(response.headers.get('retry-after')),
      adviceFor(response.status, tokenFile, token !== null),
    );
  };
  const json = async (response: Response): Promise<unknown> => {
    try {
      return await response.json();
    } catch (error) {
      signal.throwIfAborted();
      throw new Unreachable(url, error);
    }
  };
  const brief = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);

  return {
    url,
    get: async (path) => json(await request(path, { signal: brief() })),
    post: async (path, body, once) =>
      json(
        await request(path, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json', ...(once !== undefined && { 'idempotency-key': once }) },
          signal: brief(),
        }),
      ),
    events: async (path, lastEventId, streamSignal) => {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastEventId !== null) headers['last-event-id'] = lastEventId;
      const response = await request(path, { headers, signal: streamSignal });
      return response.body ?? new Blob([]).stream();
    },
  };
};
