import type { FailureType } from '../../contracts/names.ts';
import { messageOf } from '../../platform/errors.ts';
import { oneLine } from '../../platform/text.ts';
import { ModelError } from './model.ts';

/** What an adapter can say about a request that failed, in no SDK's terms. */
export interface ProviderFault {
  /** For people: `Anthropic`, `Gemini`. */
  provider: string;
  /** HTTP status; null when there was no answer, or it broke off. */
  status: number | null;
  /** The provider's own words, or what went wrong on the way. Must hold no secret. */
  message: string;
  retryAfterMs: number | null;
  /** The request left this machine. */
  sent: boolean;
}

/** Final answers. Every other 4xx is `BadInput`. */
const FINAL: Readonly<Record<number, FailureType>> = {
  400: 'BadInput',
  401: 'Forbidden',
  402: 'Forbidden', // no credit: a person must act
  403: 'Forbidden',
  404: 'NotFound',
  413: 'PayloadTooLarge',
  422: 'BadInput',
};
/** Answers that another try may change: time-out, conflict, too early, too many. So may every 5xx, 529 (overloaded) included. */
const PASSING: Readonly<Record<number, FailureType>> = {
  408: 'ProviderUnavailable',
  409: 'ProviderUnavailable',
  425: 'ProviderUnavailable',
  429: 'RateLimited',
};

const MAX_MESSAGE = 500;

const causeOf = (error: unknown): object | null =>
  typeof error === 'object' && error !== null && 'cause' in error && typeof error.cause === 'object'
    ? error.cause
    : null;

/** The innermost words of a chain of causes: `connect ECONNREFUSED …` says more than `Connection error.` */
export const innermostWords = (error: unknown): string => {
  let words = messageOf(error);
  for (let at = causeOf(error); at; at = causeOf(at))
    if ('message' in at && typeof at.message === 'string') words = at.message || words;
  return words;
};

/**
 * The one place where a foreign error becomes ours. No answer at all, or one cut off, may be tried again; since the
 * provider may have worked on it, it may also be billed.
 */
export const classifyFault = (fault: ProviderFault): ModelError => {
  const { provider, status, retryAfterMs } = fault;
  const words = oneLine(fault.message, MAX_MESSAGE);
  if (status === null)
    return new ModelError('ProviderUnavailable', `${provider} gave no whole answer: ${words}`, {
      retryable: true,
      retryAfterMs,
      mayBeBilled: fault.sent,
    });
  const passing = PASSING[status] ?? (status >= 500 ? 'ProviderUnavailable' : undefined);
  return new ModelError(passing ?? FINAL[status] ?? 'BadInput', `${provider} answered ${status}: ${words}`, {
    retryable: passing !== undefined,
    retryAfterMs: passing === undefined ? null : retryAfterMs,
    status,
  });
};

/** Nobody waits longer because a header says so: a later try may find another answer. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

const capped = (ms: number): number | null =>
  Number.isFinite(ms) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.ceil(ms))) : null;

/** From `retry-after-ms` (milliseconds) or `retry-after` (seconds or an HTTP date); null: not said, or not readable. */
export const retryAfterOf = (header: (name: string) => string | null, now = Date.now()): number | null => {
  const ms = header('retry-after-ms')?.trim();
  if (ms && capped(Number(ms)) !== null) return capped(Number(ms));
  const value = header('retry-after')?.trim();
  if (!value) return null;
  return capped(/^[\d.]+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now);
};

/** From Google's error details: `{"@type": "…google.rpc.RetryInfo", "retryDelay": "13.5s"}`. */
export const retryInfoOf = (details: readonly unknown[]): number | null => {
  for (const detail of details) {
    if (typeof detail !== 'object' || detail === null || !('retryDelay' in detail)) continue;
    const seconds = /^([\d.]+)s$/.exec(String(detail.retryDelay))?.[1];
    if (seconds) return capped(Number(seconds) * 1_000);
  }
  return null;
};
