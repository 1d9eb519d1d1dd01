import { OperationError } from '../../platform/errors.ts';
import type { AllowList } from './allow-list.ts';
import type { BrowserWindow } from './page.ts';

/** Characters of an address that anybody is told. */
const MAX_URL_CHARS = 2_000;

/** An address to be told or kept: a page makes its own as long as it likes. */
export const shortUrl = (url: string): string =>
  url.length <= MAX_URL_CHARS ? url : `${url.slice(0, MAX_URL_CHARS - 1)}…`;

/**
 * What an action acts with. `signal`: aborted when its time is up or nobody wants it any more; nothing is begun then.
 * `problemOf`: why an address was not reached, told by the session's proxy.
 */
export interface Hands {
  window: BrowserWindow;
  allow: AllowList;
  signal: AbortSignal;
  problemOf(url: string): string | null;
}

/**
 * What a model means by an address: a whole one; a path of the page it sees; or a target without its scheme.
 * null when it is none of these.
 */
export const addressOf = (given: string, current: string, allow: AllowList): URL | null => {
  const typed = given.trim();
  if (/^[/?#]/.test(typed)) return URL.parse(typed, current);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) return URL.parse(typed);
  const guesses = ['http', 'https'].map((scheme) => URL.parse(`${scheme}://${typed}`));
  return guesses.find((guess) => guess && allow.permits(guess)) ?? URL.parse(typed);
};

/** Goes there if the job may. @throws OperationError BadInput when it may not, ToolFailed when nothing was there. */
export const visitAddress = async (hands: Hands, given: string): Promise<string> => {
  const { window, allow, signal } = hands;
  const url = addressOf(given, window.url(), allow);
  if (!url || !allow.permits(url) || url.protocol === 'blob:')
    throw new OperationError(
      'BadInput',
      `this job may only open addresses of ${allow.origins.join(', ') || 'no site'}`,
    );
  const { status, problem } = await window.goto(url.href, signal);
  if (problem === null) return `Opened ${url.href}${status === null ? '' : ` (HTTP ${status})`}.`;
  throw new OperationError('ToolFailed', `${url.href} could not be opened: ${hands.problemOf(url.href) ?? problem}`);
};
