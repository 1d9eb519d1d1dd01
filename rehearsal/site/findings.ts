import type { PageReport } from './page-report.ts';

/** What was seen of one page. `report` null: it could not be read; `problem`: why it could not be opened. */
export interface Visited {
  /** The address that was asked for. */
  url: string;
  /** Where the link to it was, and how it reads; null for the start page. */
  linkedFrom: { page: string; text: string } | null;
  problem: string | null;
  report: PageReport | null;
}

export interface Finding {
  /** 1 is worst. */
  severity: 1 | 2 | 3 | 4 | 5;
  text: string;
  pages: string[];
}

const via = ({ linkedFrom }: Visited): string =>
  linkedFrom ? `; the link “${linkedFrom.text}” on ${linkedFrom.page} leads there` : '';

type Seen = Omit<Finding, 'pages'>;

const ofPage = (visited: Visited): Seen[] => {
  const { url, report, problem } = visited;
  if (problem !== null) return [{ severity: 1, text: `${url} could not be opened: ${problem}${via(visited)}` }];
  if (!report) return [{ severity: 5, text: `${url} was opened, but I could not read it` }];
  const found: Seen[] = [];
  const add = (severity: Finding['severity'], text: string): void => void found.push({ severity, text });
  if (report.status !== null && report.status >= 500) add(1, `${url} answers ${report.status}${via(visited)}`);
  else if (report.status !== null && report.status >= 400)
    add(2, `broken link: ${url} answers ${report.status}${via(visited)}`);
  for (const { text, where } of report.consoleErrors) add(3, `console error “${text}”${where ? ` from ${where}` : ''}`);
  for (const request of report.failedRequests) {
    if (request.outcome === 'blocked' || request.url === url) continue;
    add(
      request.outcome.startsWith('5') ? 2 : 3,
      `request failed: ${request.method} ${request.url} (${request.outcome})`,
    );
  }
  for (const image of report.images)
    if (image.problem === 'not loaded') add(3, `image not loaded: ${image.src}`);
    else add(5, `image without text (alt): ${image.src}`);
  for (const form of report.forms) {
    const unlabelled = form.fields.filter(
      (field) => field.label === '' && !/^(?:hidden|submit|button)$/.test(field.type),
    );
    if (unlabelled.length > 0)
      add(
        4,
        `form “${form.name}” has ${unlabelled.length} ${unlabelled.length === 1 ? 'field' : 'fields'} without a label (${unlabelled.map((field) => field.type).join(', ')})`,
      );
  }
  for (const note of report.notes)
    if (!note.startsWith('the page itself answered')) add(/^(?:mixed content|password)/.test(note) ? 4 : 5, note);
  return found;
};

/** Findings, worst first, each once with the pages it was seen on. */
export const findingsOf = (pages: readonly Visited[]): Finding[] => {
  const byText = new Map<string, Finding>();
  const add = (finding: Seen, page: string): void => {
    const known = byText.get(finding.text);
    if (known) known.pages.push(page);
    else byText.set(finding.text, { ...finding, pages: [page] });
  };
  for (const visited of pages) for (const finding of ofPage(visited)) add(finding, visited.url);
  const titles = Map.groupBy(
    pages.filter(({ report }) => report && report.title !== '' && (report.status ?? 200) < 400),
    ({ report }) => report?.title ?? '',
  );
  for (const [title, same] of titles)
    if (same.length > 1)
      for (const { url } of same) add({ severity: 5, text: `several pages share the title “${title}”` }, url);
  return [...byText.values()].sort((a, b) => a.severity - b.severity);
};

/** Words of links that do something rather than lead somewhere; they are not followed. */
const DEEDS = /\b(?:log ?out|sign ?out|delete|remove|unsubscribe|cancel|buy|order now|checkout|download)\b/i;

/** Addresses worth following from a page: of its own origin, each once, without fragments, deeds and files. */
export const linksToFollow = (report: PageReport, known: ReadonlySet<string>): { url: string; text: string }[] => {
  const base = URL.parse(report.url);
  const taken = new Set(known);
  const found: { url: string; text: string }[] = [];
  for (const { text, href } of report.links) {
    const url = URL.parse(href, report.url);
    if (
      !url ||
      !base ||
      url.origin !== base.origin ||
      DEEDS.test(text) ||
      /\.(?:pdf|zip|gz|exe|dmg|png|jpe?g|svg|mp4|csv)$/i.test(url.pathname)
    )
      continue;
    url.hash = '';
    if (taken.has(url.href)) continue;
    taken.add(url.href);
    found.push({ url: url.href, text });
  }
  return found;
};
