import { LOCAL_PROBLEMS } from './gateway-calls.ts';
import type { CallFailure } from './gateway-calls.ts';

/** What a failure means for the final it met and for those behind it. */
export type FailureMeaning =
  /** The gateway will never take this one; the others go on. */
  | { kind: 'refused' }
  /** This one later; the others go on. */
  | { kind: 'later' }
  /** Nobody gets through now: all wait. `leastMs`: not before that. `say`: why, and what to do, for people. */
  | { kind: 'wait'; leastMs: number; say: string };

/** What only a person can mend is tried again this often, milliseconds. */
const MEND_MS = 15_000;

const TOKEN_ADVICE =
  'the gateway refuses the token: GATEWAY_TOKEN, or the file GATEWAY_TOKEN_FILE names, must hold that of the running gateway (data/gateway-token in WSL)';
const STRANGER_ADVICE = 'what answers there is not a gateway: does WSL_GATEWAY_URL name the right address?';

const wordsOf = ({ problem }: CallFailure): string => problem.detail ?? problem.title;

/** Refusals that say something about the way, not about the sentence. */
const waitFor = (failure: CallFailure, url: string): string | null => {
  const { status, problem } = failure;
  if (problem.type === LOCAL_PROBLEMS.noToken) return wordsOf(failure);
  switch (status) {
    case 401:
      return TOKEN_ADVICE;
    case 403:
      return `the gateway refuses this edge: ${wordsOf(failure)} (WSL_GATEWAY_URL is ${url})`;
    case 404:
    case 405:
      return problem.type === LOCAL_PROBLEMS.stranger ? STRANGER_ADVICE : null;
    case 407:
      return 'a proxy stands between the edge and the gateway, and wants to know who asks';
    default:
      return status !== null && status >= 300 && status < 400 ? STRANGER_ADVICE : null;
  }
};

/**
 * Every answer that is none of success, sorted. 4xx: the sentence is set aside, except where the answer is about the
 * token, the address or the moment. 5xx and silence: again, together where they tell that nobody gets through.
 */
export const meaningOf = (failure: CallFailure, url: string): FailureMeaning => {
  const { status, retryAfterMs } = failure;
  const mend = waitFor(failure, url);
  if (mend !== null) return { kind: 'wait', leastMs: Math.max(MEND_MS, retryAfterMs ?? 0), say: mend };
  const leastMs = retryAfterMs ?? 0;
  if (status === null) return { kind: 'wait', leastMs, say: wordsOf(failure) };
  if ([408, 425, 429, 502, 503, 504].includes(status))
    return { kind: 'wait', leastMs, say: `the gateway asks to wait: ${wordsOf(failure)} (${status})` };
  return status >= 400 && status < 500 ? { kind: 'refused' } : { kind: 'later' };
};
