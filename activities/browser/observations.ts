/** What the pages of a session said about themselves: console errors and requests that failed. */

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

/** A list that keeps the first entries and counts the rest. */
export interface Kept<T> {
  kept: T[];
  lost: number;
}

/** One document in one tab, from its first request to the next document. */
export interface Visit {
  url: string;
  /** HTTP status of the document; null when none was received. */
  status: number | null;
  consoleErrors: Kept<ConsoleError>;
  failedRequests: Kept<FailedRequest>;
}

/** Entries kept per document and per session; a broken page can complain for ever. */
export const KEPT_ENTRIES = 200;
/** Characters kept of one message or address. */
const KEPT_CHARS = 300;

const empty = <T>(): Kept<T> => ({ kept: [], lost: 0 });

const keep = <T>(list: Kept<T>, entry: T): void => {
  if (list.kept.length < KEPT_ENTRIES) list.kept.push(entry);
  else list.lost += 1;
};

/** `text` of at most 300 characters. */
export const cutText = (text: string): string =>
  text.length <= KEPT_CHARS ? text : `${text.slice(0, KEPT_CHARS - 1)}…`;

const newVisit = (url: string): Visit => ({ url, status: null, consoleErrors: empty(), failedRequests: empty() });

/** Everything a session saw, for its findings artifact. */
export interface Findings {
  pages: Kept<{ url: string; status: number | null }>;
  consoleErrors: Kept<ConsoleError>;
  failedRequests: Kept<FailedRequest>;
}

/** The record of one session. `tab` is any object that stands for a tab; its visits are forgotten with it. */
export interface Observations {
  readonly findings: Findings;
  /** A document was asked for in this tab: what fails from now on until it is shown belongs to it. */
  navigationStarted(tab: object): void;
  /** The tab shows `url`; a new visit only when a document had been asked for (not for `#anchors`). */
  shown(tab: object, url: string): void;
  status(tab: object, status: number | null): void;
  consoleError(tab: object, text: string, where: string): void;
  /** `navigation`: it was the document itself that failed. */
  failed(tab: object, request: { outcome: string; method: string; url: string; navigation: boolean }): void;
  visit(tab: object): Visit;
}

export const createObservations = (): Observations => {
  const current = new WeakMap<object, Visit>();
  const coming = new WeakMap<object, Visit>();
  const findings: Findings = { pages: empty(), consoleErrors: empty(), failedRequests: empty() };
  const visitOf = (tab: object): Visit => {
    const known = current.get(tab);
    if (known) return known;
    const first = newVisit('about:blank');
    current.set(tab, first);
    return first;
  };
  return {
    findings,
    visit: visitOf,
    navigationStarted: (tab) => void coming.set(tab, newVisit('')),
    shown: (tab, url) => {
      const next = coming.get(tab);
      if (!next) {
        visitOf(tab).url = url; // the same document under another address
        return;
      }
      coming.delete(tab);
      next.url = url;
      for (const entry of next.failedRequests.kept) entry.page = url;
      current.set(tab, next);
      keep(findings.pages, { url: cutText(url), status: next.status });
    },
    status: (tab, status) => void ((coming.get(tab) ?? visitOf(tab)).status = status),
    consoleError: (tab, text, where) => {
      const visit = visitOf(tab);
      const entry = { page: cutText(visit.url), text: cutText(text), where: cutText(where) };
      keep(visit.consoleErrors, entry);
      keep(findings.consoleErrors, entry);
    },
    failed: (tab, request) => {
      const visit = (request.navigation ? coming.get(tab) : undefined) ?? visitOf(tab);
      const entry = {
        page: cutText(visit.url),
        outcome: request.outcome,
        method: request.method,
        url: cutText(request.url),
      };
      keep(visit.failedRequests, entry);
      keep(findings.failedRequests, entry);
    },
  };
};
