import { z } from 'zod';
import type { ConsoleError, FailedRequest } from './observations.ts';

/** Characters of a whole report; a model reads it at every call. */
export const REPORT_LIMIT = 8_000;

const Place = z.tuple([z.number(), z.number()]).nullable();

/** What `PAGE_FACTS_SCRIPT` finds in the page. Places are grid points (0-999), null: not in view. */
export const PageFacts = z.object({
  title: z.string(),
  lang: z.string(),
  scroll: z.tuple([z.number(), z.number()]),
  headings: z.array(z.object({ level: z.number(), text: z.string() })),
  links: z.array(z.object({ text: z.string(), href: z.string(), place: Place })),
  buttons: z.array(z.object({ text: z.string(), place: Place })),
  forms: z.array(
    z.object({
      name: z.string(),
      method: z.string(),
      action: z.string(),
      fields: z.array(
        z.object({
          type: z.string(),
          label: z.string(),
          name: z.string(),
          required: z.boolean(),
          options: z.array(z.string()),
          place: Place,
        }),
      ),
    }),
  ),
  images: z.array(z.object({ problem: z.enum(['no alt', 'not loaded']), src: z.string() })),
  insecure: z.array(z.string()),
  totals: z.record(z.string(), z.number()),
});
export type PageFacts = z.infer<typeof PageFacts>;

export interface PageReportInput {
  url: string;
  /** HTTP status of the document; null when none was received. */
  status: number | null;
  facts: PageFacts;
  /** Of this page only. `lost`: how many more there were than are kept. */
  consoleErrors: { kept: ConsoleError[]; lost: number };
  failedRequests: { kept: FailedRequest[]; lost: number };
}

const quote = (text: string): string => JSON.stringify(text);
/** An address takes one word, whatever a page writes into it. */
const word = (address: string): string => address.replace(/[\s\p{Cc}]+/gu, '%20');
const at = (place: readonly [number, number] | null): string => (place ? ` at ${place[0]},${place[1]}` : '');

const fieldLine = (field: PageFacts['forms'][number]['fields'][number]): string =>
  `  - ${word(field.type)} ${quote(field.label)}` +
  (field.name ? ` name=${quote(field.name)}` : '') +
  (field.required ? ' required' : '') +
  (field.type === 'select' ? ` options=${quote(field.options.join(' | '))}` : '') +
  at(field.place);

const notesOf = ({ facts, status }: PageReportInput): string[] => [
  ...(status !== null && status >= 400 ? [`the page itself answered ${status}`] : []),
  ...(facts.title ? [] : ['no title']),
  ...(facts.lang ? [] : ['no lang attribute']),
  ...((facts.totals.h1 ?? 0) === 0 ? ['no h1 heading'] : []),
  ...facts.insecure.map((note) => note.replace(/[\s\p{Cc}]+/gu, ' ')),
];

/** One section: a header with the true number, at most `limit` lines, then how many were left out. */
const section = (name: string, total: number, lines: string[], limit: number): string[] => {
  const items = lines.filter((line) => line.startsWith('- ')).length;
  let shownItems = 0;
  const shown = lines.filter((line) => {
    if (line.startsWith('- ')) shownItems += 1;
    return shownItems <= limit;
  });
  const hidden = total - Math.min(items, limit);
  return [`## ${name} (${total})`, ...shown, ...(hidden > 0 ? [`- … ${hidden} more`] : [])];
};

const render = (input: PageReportInput, limit: number): string => {
  const { facts } = input;
  const total = (name: string, found: number): number => Math.max(facts.totals[name] ?? 0, found);
  const notes = notesOf(input);
  return [
    '# Page report',
    `url: ${word(input.url)}`,
    `title: ${quote(facts.title)}`,
    `status: ${input.status ?? 'none'}`,
    `lang: ${quote(facts.lang)}`,
    `scrolled: ${facts.scroll[0]} of ${facts.scroll[1]} pixels`,
    ...section(
      'Headings',
      total('headings', facts.headings.length),
      facts.headings.map((heading) => `- h${heading.level} ${quote(heading.text)}`),
      limit,
    ),
    ...section(
      'Links',
      total('links', facts.links.length),
      facts.links.map((link) => `- ${quote(link.text)} ${word(link.href)}${at(link.place)}`),
      limit,
    ),
    ...section(
      'Buttons',
      total('buttons', facts.buttons.length),
      facts.buttons.map((button) => `- ${quote(button.text)}${at(button.place)}`),
      limit,
    ),
    ...section(
      'Forms',
      total('forms', facts.forms.length),
      facts.forms.flatMap((form) => [
        `- form ${quote(form.name)} ${word(form.method)} ${word(form.action)}`,
        ...form.fields.slice(0, limit).map(fieldLine),
      ]),
      limit,
    ),
    ...section(
      'Images',
      total('images', facts.images.length),
      facts.images.map((image) => `- ${image.problem}: ${word(image.src)}`),
      limit,
    ),
    ...section(
      'Console errors',
      input.consoleErrors.kept.length + input.consoleErrors.lost,
      input.consoleErrors.kept.map(
        (error) => `- ${quote(error.text)}${error.where ? ` from ${word(error.where)}` : ''}`,
      ),
      limit,
    ),
    ...section(
      'Failed requests',
      input.failedRequests.kept.length + input.failedRequests.lost,
      input.failedRequests.kept.map((request) => `- ${request.outcome} ${request.method} ${word(request.url)}`),
      limit,
    ),
    ...section(
      'Notes',
      notes.length,
      notes.map((note) => `- ${note}`),
      limit,
    ),
  ].join('\n');
};

/**
 * The text of `page_report`: the same page gives the same text, at most `REPORT_LIMIT` characters. Every section is
 * always there, in this order, with the true number in brackets; texts are JSON strings; `at x,y` is the middle of what
 * is in view, on the 0-999 grid, ready for a click. Programs parse this: change nothing without changing its readers.
 *
 * ```
 * # Page report
 * url: http://127.0.0.1:4000/
 * title: "Harbour Supplies"
 * status: 200
 * lang: "en"
 * scrolled: 0 of 310 pixels
 * ## Headings (2)
 * - h1 "Everything for small boats"
 * - h2 "This week"
 * ## Links (2)
 * - "Products" http://127.0.0.1:4000/products at 402,38
 * - "Imprint" http://127.0.0.1:4000/imprint
 * ## Buttons (1)
 * - "Send" at 250,702
 * ## Forms (1)
 * - form "contact" post http://127.0.0.1:4000/contact
 *   - email "Your address" name="email" required at 250,480
 *   - select "Topic" name="topic" options="Orders | Returns" at 250,560
 * ## Images (2)
 * - no alt: http://127.0.0.1:4000/boat.svg
 * - not loaded: http://127.0.0.1:4000/gone.png
 * ## Console errors (1)
 * - "TypeError: x is undefined" from http://127.0.0.1:4000/app.js:12
 * ## Failed requests (3)
 * - 404 GET http://127.0.0.1:4000/gone.png
 * - net::ERR_CONNECTION_REFUSED GET http://127.0.0.1:4000/api
 * - blocked GET http://203.0.113.7/ad.js
 * ## Notes (1)
 * - no lang attribute
 * ```
 *
 * `Images` lists only those with a problem. `blocked`: the address is not among the job's targets, so nothing was sent;
 * that is no fault of the site. A section that was cut ends with `- … N more`. Possible notes: `the page itself
 * answered N`, `no title`, `no lang attribute`, `no h1 heading`, `mixed content: URL`, `password field without https`.
 */
export const renderPageReport = (input: PageReportInput): string => {
  for (const limit of [60, 40, 25, 15, 10, 6, 3, 1]) {
    const text = render(input, limit);
    if (text.length <= REPORT_LIMIT) return text;
  }
  return `${render(input, 1).slice(0, REPORT_LIMIT - 1)}…`;
};
