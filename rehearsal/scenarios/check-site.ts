import type { PlannedCall, Vocabulary } from '../conversation.ts';
import { act } from '../program.ts';
import type { Job, Program, Scenario } from '../program.ts';
import { findingsOf, linksToFollow } from '../site/findings.ts';
import type { Visited } from '../site/findings.ts';
import { readPageReport } from '../site/page-report.ts';
import { HOW_TO_SET_KEYS } from './words.ts';

/** Pages looked at: each is one turn, and a job has 40. */
const MAX_PAGES = 15;

const withIntent = (
  vocabulary: Vocabulary,
  name: string,
  input: Record<string, unknown>,
  intent: string,
): PlannedCall => ({
  name,
  input: vocabulary === 'current' ? { ...input, intent } : input,
});

const open = (vocabulary: Vocabulary, url: string): PlannedCall =>
  withIntent(vocabulary, 'navigate', { url }, `Open ${url}`);
const scrollDown = (vocabulary: Vocabulary): PlannedCall =>
  vocabulary === 'legacy'
    ? { name: 'scroll_document', input: { direction: 'down' } }
    : withIntent(
        vocabulary,
        'scroll',
        { x: 500, y: 500, direction: 'down', magnitude_in_pixels: 800 },
        'See the rest of the page',
      );

/** The address that is meant: one in the words, the target the parameters name, or the first target. */
export const siteOf = ({ opening }: Pick<Job, 'opening'>): string | null => {
  const written = /\bhttps?:\/\/[^\s"'<>)]+/.exec(opening.instruction)?.[0].replace(/[.,;:!?]+$/, '');
  if (written !== undefined) return written;
  const { target } = opening.parameters;
  const named =
    opening.targets.find(({ name }) => name === target) ??
    opening.targets.find(({ name }) => opening.instruction.toLowerCase().includes(name.toLowerCase()));
  return named?.url ?? opening.targets[0]?.url ?? null;
};

/** Why an address could not be opened, without the address. */
const reasonIn = (text: string, url: string): string =>
  text
    .trim()
    .replace(/^It failed: /, '')
    .replace(`${url} could not be opened: `, '');

/** Opens a page, with a screenshot, and reads what a screenshot does not show. */
function* visit(job: Job, vocabulary: Vocabulary, url: string, linkedFrom: Visited['linkedFrom']): Program<Visited> {
  const calls = [
    open(vocabulary, url),
    ...(job.conversation.tools.has('page_report') ? [{ name: 'page_report', input: {} }] : []),
  ];
  const [arrival, told] = yield* act(job, linkedFrom ? `I follow “${linkedFrom.text}”.` : `I open ${url}.`, ...calls);
  const visited: Visited = {
    url,
    linkedFrom,
    problem: arrival?.isError ? reasonIn(arrival.text, url) : null,
    // After a failure the browser still shows the page before.
    report: told && !told.isError && !arrival?.isError ? readPageReport(told.text) : null,
  };
  if (visited.problem === null && visited.report && visited.report.below > 0 && linkedFrom === null)
    yield* act(job, 'The page is longer than the window; I look at the rest.', scrollDown(vocabulary));
  return visited;
}

/** Follows links breadth first, as far as `MAX_PAGES` goes. */
function* explore(job: Job, vocabulary: Vocabulary, start: string): Program<{ pages: Visited[]; left: number }> {
  const known = new Set([new URL(start).href]);
  const queue: { url: string; linkedFrom: Visited['linkedFrom'] }[] = [{ url: start, linkedFrom: null }];
  const pages: Visited[] = [];
  while (pages.length < MAX_PAGES) {
    const next = queue.shift();
    if (!next) break;
    const visited = yield* visit(job, vocabulary, next.url, next.linkedFrom);
    pages.push(visited);
    if (visited.report) known.add(visited.report.url);
    if (job.orders.onlyFirstPage) break;
    if (!visited.report || (visited.report.status ?? 200) >= 400) continue;
    for (const link of linksToFollow(visited.report, known)) {
      known.add(link.url);
      queue.push({ url: link.url, linkedFrom: { page: visited.url, text: link.text } });
    }
  }
  return { pages, left: job.orders.onlyFirstPage ? 0 : queue.length };
}

const CHECKING =
  /\b(?:check|validate|test|verify|inspect|audit|look|open|visit|screenshot|review|examine|load\w*|works?|picture)\b/i;

const headLine = (pages: readonly Visited[], findings: number, left: number): string => {
  const opened = pages.filter(({ problem }) => problem === null).length;
  const rest = left > 0 ? ` ${left} further links were not followed.` : '';
  return `Looked at ${opened} ${opened === 1 ? 'page' : 'pages'} of ${new URL(pages[0]?.url ?? 'http://none').origin}: ${findings === 0 ? 'no problems found' : `${findings} ${findings === 1 ? 'finding' : 'findings'}`}.${rest}`;
};

const pageLine = ({ url, report, problem }: Visited): string =>
  `- ${url}: ${problem !== null ? 'not opened' : `“${report?.title ?? '?'}”${report?.status == null ? '' : `, ${report.status}`}`}`;

/** "Check this site": opens it, follows its main links, reports findings worst first. It submits nothing. */
export const checkSite: Scenario = {
  name: 'check-site',
  fits: ({ conversation }) => conversation.vocabulary !== null,
  *run(job) {
    const { vocabulary, tools } = job.conversation;
    if (vocabulary === null) return 'I have no browser here.';
    const site = siteOf(job);
    if (site === null || !URL.canParse(site))
      return 'I was given no address to open: no target is configured, and the request names none. Set STAGING_URL or TARGETS_FILE, or say the address.';
    const { pages, left } = yield* explore(job, vocabulary, site);
    job.done.push(`opened ${pages.length} pages, each with a screenshot`);
    const findings = findingsOf(pages);
    const forms = pages.flatMap(({ url, report }) =>
      (report?.forms ?? []).map(
        (form) =>
          `- ${url}: form “${form.name}” (${form.method} ${form.action}), ${form.fields.length} fields; not submitted`,
      ),
    );
    const blocked = new Set(
      pages.flatMap(
        ({ report }) =>
          report?.failedRequests.filter(({ outcome }) => outcome === 'blocked').map(({ url }) => url) ?? [],
      ),
    );
    const lines = [headLine(pages, findings.length, left)];
    if (!CHECKING.test(job.opening.instruction))
      lines.push(
        `A rehearsal only looks at sites; “${job.opening.instruction}” as such I did not do. ${HOW_TO_SET_KEYS}`,
      );
    if (findings.length > 0)
      lines.push(
        'Findings, worst first:',
        ...findings.map((finding, at) => `${at + 1}. ${finding.text} (seen on ${finding.pages.join(', ')})`),
      );
    lines.push('Pages:', ...pages.map(pageLine));
    if (forms.length > 0) lines.push('Forms:', ...forms);
    if (blocked.size > 0) lines.push(`Not reached, since this job may not go there: ${[...blocked].join(', ')}.`);
    if (!tools.has('page_report'))
      lines.push('Without the page_report tool I saw screenshots only, and cannot judge titles, links or errors.');
    return lines.join('\n');
  },
};
