/** What a page said about itself while it was open: console errors and requests that failed. */

export interface ConsoleError {
  /** Address of the document that was shown. */
  page: string;
  text: string;
  /** `url:line`, empty when the browser does not say. */
  where: string;
}

export interface FailedRequest {
  page: string;
  /** An HTTP status of 400 or more, a network error (`net::ERR_…`), or `blocked`: not an address of this job. */
  outcome: string;
  method: string;
  url: string;
}

/** A list that keeps the first `limit` entries and counts the rest. */
export interface Kept<T> {
  kept: T[];
  lost: number;
}

/** One document in one tab, from its first request to the next document. */
export interface Visit {
  url: string;
  status: number | null;
  consoleErrors: Kept<ConsoleError>;
  failedRequests: Kept<FailedRequest>;
}

/** Entries kept per page and per session; a broken page can complain for ever. */
export const KEPT_ENTRIES = 200;
/** Characters kept of one message or address. */
const KEPT_CHARS = 300;

const empty = <T>(): Kept<T> => ({ kept: [], lost: 0 });

/** Adds to a bounded list. */
export const keep = <T>(list: Kept<T>, entry: T): void => {
  if (list.kept.length < KEPT_ENTRIES) list.kept.push(entry);
  else list.lost += 1;
};

export const newVisit = (url: string): Visit => ({
  url,
  status: null,
  consoleErrors: empty(),
  failedRequests: empty(),
});

export const cutText = (text: string): string =>
  text.length <= KEPT_CHARS ? text : `${text.slice(0, KEPT_CHARS - 1)}…`;
