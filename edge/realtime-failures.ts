import type { ConnectionEnd } from './realtime-connection.ts';
import type { ServerFault } from './realtime-events.ts';

/** Longest rest the far side may ask for, milliseconds. */
const MAX_RETRY_AFTER_MS = 300_000;
/** How the service names a key, an account or a model that will not do: as an error's code, or in a reason for closing. */
const KEY = /invalid_api_key|invalid_authentication|incorrect api key|account_deactivated|invalid_organization/i;
const QUOTA = /insufficient_quota|billing_hard_limit_reached|billing_not_active|exceeded your current quota/i;
const MODEL = /model_not_found|invalid_model|unsupported_model/i;
/** Sixty minutes are over. */
const EXPIRED = /session_expired|maximum duration/i;

const fatal = (message: string): ConnectionEnd => ({ fatal: true, message, retryAfterMs: null });
const again = (message: string, retryAfterMs: number | null = null): ConnectionEnd => ({
  fatal: false,
  message,
  retryAfterMs: retryAfterMs === null ? null : Math.min(retryAfterMs, MAX_RETRY_AFTER_MS),
});

const REFUSED_KEY = (where: string): ConnectionEnd =>
  fatal(`The key was refused (${where}). Put a valid OPENAI_API_KEY into .env.local and start again.`);
const NO_QUOTA = fatal(
  "The quota of this key is used up. Add credit to the key's account, or put another OPENAI_API_KEY into .env.local, and start again.",
);
const NO_MODEL = (where: string): ConnectionEnd =>
  fatal(
    `The speech service does not know this model or address (${where}). Look at REALTIME_MODEL, TRANSCRIPTION_MODEL and OPENAI_REALTIME_URL in .env.local and start again.`,
  );

/** What words of the service are about that no retry can mend; null: nothing of that kind. */
const hopeless = (words: string, where: string): ConnectionEnd | null => {
  if (QUOTA.test(words)) return NO_QUOTA;
  if (KEY.test(words)) return REFUSED_KEY(where);
  return MODEL.test(words) ? NO_MODEL(where) : null;
};

/** Milliseconds in a `Retry-After` header: seconds, or a date. */
export const retryAfterMs = (header: string | undefined, now: number): number | null => {
  if (header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
};

/** What a handshake's answer other than 101 means. `body`: its beginning. */
export const judgeHandshake = (status: number, body: string, retryAfter: number | null): ConnectionEnd => {
  const known = status === 401 ? REFUSED_KEY('401') : hopeless(body, String(status));
  if (known) return known;
  if (status === 403)
    return fatal(
      'This key may not use the speech service (403). Give it that right in its project, or put another OPENAI_API_KEY into .env.local, and start again.',
    );
  if (status === 400 || status === 404) return NO_MODEL(String(status));
  if (status === 429) return again('The speech service is asked too often (429).', retryAfter);
  return again(`The speech service answered ${status}.`, retryAfter);
};

/** What the end of a connection means. */
export const judgeClose = (code: number, reason: string): ConnectionEnd => {
  const known = hopeless(reason, String(code));
  if (known) return known;
  if (EXPIRED.test(reason)) return again('The speech session had reached its longest time.');
  return again(`The connection to the speech service ended (${code}).`);
};

/** What an `error` event means for its connection; null: nothing, it goes on. */
export const judgeFault = (fault: ServerFault): ConnectionEnd | null => {
  const words = `${fault.code ?? ''} ${fault.type ?? ''}`;
  if (EXPIRED.test(words)) return again('The speech session had reached its longest time.');
  return hopeless(words, fault.code ?? fault.type ?? 'error');
};

/** The settings of the session were not taken: sent again they would not be taken either. */
export const refusedSettings = (fault: ServerFault): ConnectionEnd =>
  judgeFault(fault) ??
  fatal(
    `The speech service refused the settings of the session (${[fault.code, fault.param].filter(Boolean).join(', ') || 'no reason given'}). Look at REALTIME_MODEL and TRANSCRIPTION_MODEL in .env.local and start again.`,
  );

/** Why a sentence has no text, for the person who said it. */
export const LOST = {
  overrun: 'The line to the speech service was down for too long; this sentence could not be kept.',
  unanswered: 'The speech service did not write this sentence down, however often it was asked.',
  failed: 'The speech service could not write this sentence down.',
  closed: 'The edge was closed before this sentence was written down.',
} as const;
