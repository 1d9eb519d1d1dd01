import type { Problem } from '../contracts/replies.ts';
import { OperationError } from '../platform/errors.ts';
import { EngineUnavailable } from './task-engine.ts';

/** The closed catalogue of errors over HTTP (RFC 9457). Programs switch on `type`, so a name never changes its meaning. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'The request does not have the expected form' },
  'too-old': { status: 400, title: 'The transcript is more than seven days old' },
  unauthorized: { status: 401, title: 'A bearer token is needed' },
  'login-expired': { status: 401, title: 'This link was used already or has expired' },
  'forbidden-host': { status: 403, title: 'The gateway does not answer under this host name' },
  'forbidden-origin': { status: 403, title: 'Other web pages may not call the gateway' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'utterance-conflict': { status: 409, title: 'This utterance_id was used for another text or session' },
  'already-over': { status: 409, title: 'It is over already' },
  'not-waiting': { status: 409, title: 'That is not what the job waits for' },
  'too-large': { status: 413, title: 'The body is too large' },
  'not-json': { status: 415, title: 'The body must be application/json' },
  'too-many': { status: 429, title: 'Too much at once' },
  internal: { status: 500, title: 'The gateway failed' },
  unavailable: { status: 503, title: 'Temporal cannot be reached' },
  'not-confirmed': { status: 503, title: 'No worker has confirmed it yet; it may still happen' },
  'not-ready': { status: 503, title: 'The gateway is not ready' },
  'storage-unavailable': { status: 503, title: 'A file cannot be written' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemName = keyof typeof PROBLEMS;

/** Stable, and no address anybody could be sent to. */
export const problemType = (name: ProblemName): string => `urn:dual:problem:${name}`;

/** What a caller is told went wrong; never a stack, never a foreign message. `more` becomes extension members. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemName;
  /** Seconds, for the Retry-After header. */
  readonly retryAfterS: number | null;
  readonly more: Readonly<Record<string, unknown>>;
  constructor(
    problem: ProblemName,
    detail: string,
    about: { retryAfterS?: number; more?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail, { cause: about.cause });
    this.problem = problem;
    this.retryAfterS = about.retryAfterS ?? null;
    this.more = about.more ?? {};
  }
}

/** What a caller waits before it asks a Temporal that was away again. */
const AWAY_RETRY_S = 2;

/** Anything thrown, as one of ours; what we do not know is `internal`, and its message stays in the log. */
export const problemOf = (error: unknown): ProblemError => {
  if (error instanceof ProblemError) return error;
  if (error instanceof OperationError && error.type === 'NotFound') return new ProblemError('not-found', error.message);
  if (error instanceof EngineUnavailable)
    return new ProblemError('unavailable', error.message, { retryAfterS: AWAY_RETRY_S, cause: error });
  return new ProblemError('internal', 'see the log of the gateway', { cause: error });
};

/** The body of an error reply. */
export const problemBody = (error: ProblemError): Problem => {
  const { status, title } = PROBLEMS[error.problem];
  return { type: problemType(error.problem), title, status, detail: error.message, ...error.more };
};

/** The whole reply over HTTP, also to an upgrade that is refused. */
export const problemReply = (
  error: ProblemError,
): { status: number; headers: Readonly<Record<string, string>>; body: string } => {
  const { status } = PROBLEMS[error.problem];
  return {
    status,
    headers: {
      ...(error.retryAfterS !== null && { 'retry-after': String(error.retryAfterS) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      'content-type': 'application/problem+json',
    },
    body: JSON.stringify(problemBody(error)),
  };
};
