import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderPageReport } from '../../../activities/browser/page-report.ts';
import type { PageReportInput } from '../../../activities/browser/page-report.ts';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';
import { vocabularyOf } from '../../../rehearsal/gemini-request.ts';
import { siteOf } from '../../../rehearsal/scenarios/check-site.ts';
import { findingsOf, linksToFollow } from '../../../rehearsal/site/findings.ts';
import { readPageReport } from '../../../rehearsal/site/page-report.ts';
import { readOpening } from '../../../rehearsal/opening.ts';
import { BROWSER_TOOLS, CODING_TOOLS, converse } from '../../fakes/workbench.ts';
import type { Conversed, ConverseOptions, Execute } from '../../fakes/workbench.ts';

const SITE = 'http://127.0.0.1:4000';

interface Page {
  title?: string;
  status?: number;
  links?: Record<string, string>;
  errors?: string[];
  failed?: [string, string][];
  images?: ['no alt' | 'not loaded', string][];
  unlabelled?: boolean;
  below?: number;
}

const reportOf = (url: string, page: Page): string => {
  const input: PageReportInput = {
    url,
    status: page.status ?? 200,
    facts: {
      title: page.title ?? 'Shop',
      lang: 'en',
      scroll: [0, page.below ?? 0],
      headings: [{ level: 1, text: 'Hello' }],
      links: Object.entries(page.links ?? {}).map(([text, href]) => ({
        text,
        href: new URL(href, url).href,
        place: null,
      })),
      buttons: [],
      forms:
        page.unlabelled === undefined
          ? []
          : [
              {
                name: 'login',
                method: 'post',
                action: `${SITE}/login`,
                fields: [
                  {
                    type: 'password',
                    label: page.unlabelled ? '' : 'Password',
                    name: 'p',
                    required: true,
                    options: [],
                    place: null,
                  },
                ],
              },
            ],
      images: (page.images ?? []).map(([problem, src]) => ({ problem, src })),
      insecure: [],
      totals: { h1: 1 },
    },
    consoleErrors: { kept: (page.errors ?? []).map((text) => ({ page: url, text, where: '' })), lost: 0 },
    failedRequests: {
      kept: (page.failed ?? []).map(([outcome, to]) => ({ page: url, outcome, method: 'GET', url: to })),
      lost: 0,
    },
  };
  return renderPageReport(input);
};

/** A browser on pages that exist only here. */
const browser = (pages: Record<string, Page>, names: string[] = []): Execute => {
  let current = 'about:blank';
  return async ({ name, input }) => {
    names.push(name);
    if (name === 'navigate') {
      const { pathname } = new URL(String(input['url']));
      if (!pages[pathname])
        return {
          text: `${String(input['url'])} could not be opened: net::ERR_CONNECTION_REFUSED`,
          isError: true,
          url: current,
        };
      current = String(input['url']);
      return { text: `Opened ${current} (HTTP 200).`, url: current };
    }
    if (name === 'page_report')
      return { text: reportOf(current, pages[new URL(current).pathname] ?? {}), url: current };
    return { text: 'This is the page now.', url: current };
  };
};

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await startRehearsal();
});
afterAll(() => rehearsal.close());

const OPENING = `<instruction>\nvalidate the staging website\n</instruction>\n\n<targets>\n- staging: ${SITE}/\n</targets>`;
const check = (execute: Execute, change: Partial<ConverseOptions> = {}): Promise<Conversed> =>
  converse({ url: rehearsal.url, provider: 'gemini', tools: BROWSER_TOOLS, opening: OPENING, execute, ...change });

const SHOP: Record<string, Page> = {
  '/': {
    links: {
      Products: '/products',
      Gone: '/gone',
      'Log out': '/logout',
      Away: 'https://example.com/',
      Manual: '/manual.pdf',
      Again: '/#top',
    },
    below: 400,
    failed: [['blocked', 'http://ads.example/x.js']],
  },
  '/products': {
    title: 'Products',
    links: { Login: '/login', Home: '/' },
    errors: ['TypeError: cart is undefined'],
    failed: [['404', `${SITE}/boat.png`]],
    images: [
      ['not loaded', `${SITE}/boat.png`],
      ['no alt', `${SITE}/logo.svg`],
    ],
  },
  '/gone': { title: 'Not found', status: 404 },
  '/login': { title: 'Shop', unlabelled: true },
};

describe('check this site', () => {
  it('opens it, follows its links, reports what it found, worst first, with the page', async () => {
    const names: string[] = [];
    const { text, calls, turns } = await check(browser(SHOP, names));
    expect(calls.filter(({ name }) => name === 'navigate').map(({ input }) => input['url'])).toEqual([
      `${SITE}/`,
      `${SITE}/products`,
      `${SITE}/gone`,
      `${SITE}/login`,
    ]);
    expect(turns).toBe(6);
    expect(names).not.toContain('click');
    const [first, second] = [text.indexOf('1. '), text.indexOf('2. ')];
    expect(text.slice(first, second)).toContain(
      `broken link: ${SITE}/gone answers 404; the link “Gone” on ${SITE}/ leads there`,
    );
    for (const found of [
      /console error “TypeError: cart is undefined” \(seen on \S+\/products\)/,
      /request failed: GET \S+\/boat\.png \(404\)/,
      /image not loaded: \S+boat\.png/,
      /image without text \(alt\): \S+logo\.svg/,
      /form “login” has 1 field without a label \(password\)/,
      /several pages share the title “Shop”/,
      /form “login” \(post \S+\/login\), 1 fields; not submitted/,
      /Not reached, since this job may not go there: http:\/\/ads\.example\/x\.js/,
    ])
      expect(text).toMatch(found);
    expect(text).toMatch(/^\(rehearsal\) Looked at 4 pages of http:\/\/127\.0\.0\.1:4000: 7 findings\./);
  });

  it('speaks the vocabulary of the model: intents and scroll for new ones, the old actions for old ones', async () => {
    const { calls } = await check(browser(SHOP));
    const intent = /./;
    expect(calls[0]).toMatchObject({ name: 'navigate', input: { url: `${SITE}/` } });
    expect(calls[2]).toMatchObject({ name: 'scroll', input: { direction: 'down' } });
    for (const call of [calls[0], calls[2]]) expect(call?.input['intent']).toMatch(intent);
    const old = await check(browser(SHOP), { model: 'gemini-2.5-computer-use-preview-10-2025' });
    expect(old.calls[0]?.input).toEqual({ url: `${SITE}/` });
    expect(old.calls[2]).toMatchObject({ name: 'scroll_document', input: { direction: 'down' } });
  });

  it('says that a site cannot be reached', async () => {
    const { text } = await check(browser({}));
    expect(text).toContain(`1. ${SITE}/ could not be opened: net::ERR_CONNECTION_REFUSED (seen on ${SITE}/)`);
  });

  it('finds nothing where nothing is wrong', async () => {
    const { text } = await check(browser({ '/': { below: 0 } }));
    expect(text).toContain('Looked at 1 page of http://127.0.0.1:4000: no problems found.');
  });

  it('keeps to “only the first page” and to “stop”', async () => {
    const first = await check(browser(SHOP), {
      notes: { 1: '<note kind="steer">\nonly the first page please\n</note>' },
    });
    expect(first.text).toContain('Looked at 1 page');
    expect(first.text).toContain('You said in between: “only the first page please”. I kept to it.');
    const stopped = await check(browser(SHOP), { notes: { 3: 'stop' } });
    expect(stopped.turns).toBe(4);
    expect(stopped.text).toContain('Stopped as you asked');
  });

  it('only looks when asked to do something, and says so', async () => {
    const { text } = await check(browser(SHOP), {
      opening: OPENING.replace('validate the staging website', 'fill in the contact form and send it'),
    });
    expect(text).toContain(
      'A rehearsal only looks at sites; “fill in the contact form and send it” as such I did not do.',
    );
  });

  it('needs an address, and a browser', async () => {
    const { text } = await check(browser(SHOP), { opening: 'check the website' });
    expect(text).toContain('I was given no address to open');
    const coding = await check(browser(SHOP), { tools: CODING_TOOLS, opening: 'validate the website' });
    expect(coding.text).toContain('a rehearsal cannot do this');
  });

  it('looks at fifteen pages at most', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`/p${at}`, { title: `p${at}` }]));
    const start = { links: Object.fromEntries(Object.keys(many).map((path) => [path, path])) };
    const { text } = await check(browser({ '/': start, ...many }));
    expect(text).toContain('Looked at 15 pages');
    expect(text).toContain('16 further links were not followed');
  });
});

describe('which site is meant', () => {
  const targets = '<targets>\n- staging: http://a/\n- production: http://b/\n</targets>';
  it.each([
    [`<instruction>check http://c/x.</instruction>${targets}`, 'http://c/x'],
    [`<instruction>check production</instruction>${targets}`, 'http://b/'],
    [`<instruction>check it</instruction><parameters>{"target":"production"}</parameters>${targets}`, 'http://b/'],
    [`<instruction>check it</instruction>${targets}`, 'http://a/'],
    ['check it', null],
  ])('%s', (text, url) => expect(siteOf({ opening: readOpening(text) })).toBe(url));
});

describe('the parts', () => {
  it.each([
    ['gemini-2.5-computer-use-preview-10-2025', 'legacy'],
    ['gemini-3-flash-preview', 'legacy'],
    ['gemini-3.5-flash', 'current'],
    ['gemini-4-pro', 'current'],
    ['some-model', 'current'],
  ])('%s speaks the %s vocabulary', (model, vocabulary) => expect(vocabularyOf(model)).toBe(vocabulary));

  it('follows each page of the same origin once', () => {
    const report = readPageReport(reportOf(`${SITE}/`, SHOP['/'] ?? {}));
    expect(report && linksToFollow(report, new Set([`${SITE}/`])).map(({ text }) => text)).toEqual([
      'Products',
      'Gone',
    ]);
  });

  it('tells the same finding once, with all its pages', () => {
    const visited = ['/a', '/b'].map((path) => ({
      url: SITE + path,
      linkedFrom: null,
      problem: null,
      report: readPageReport(reportOf(SITE + path, { title: path, errors: ['boom'] })),
    }));
    expect(findingsOf(visited)).toEqual([
      { severity: 3, text: 'console error “boom”', pages: [`${SITE}/a`, `${SITE}/b`] },
    ]);
  });
});
