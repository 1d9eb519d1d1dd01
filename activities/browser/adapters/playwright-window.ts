import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Page, Request } from 'playwright';
import { messageOf } from '../../../platform/errors.ts';
import { delay } from '../../../platform/lifecycle.ts';
import { oneLine } from '../../../platform/text.ts';
import { PROBLEM_HEADER } from '../egress.ts';
import { createObservations } from '../observations.ts';
import { VIEWPORT } from '../page.ts';
import type { Arrival, BrowserWindow, WindowOptions } from '../page.ts';

const NAVIGATION_TIMEOUT_MS = 15_000;
/** How long a finished action may take to show: until `load`, then until the page's own requests are answered. */
const SETTLE_LOAD_MS = 2_000;
const SETTLE_REQUESTS_MS = 1_000;
/** Time for a click to start what it starts, and for a smooth scroll to arrive. */
const SETTLE_FIRST_MS = 120;
/** Tabs of one session; the oldest goes when a site opens more. */
const MAX_TABS = 5;
const MAX_NOTES = 10;
/** Time for a browser, or a page, to show that it is there. */
const ALIVE_MS = 1_000;
const CLOSE_WINDOW_MS = 1_500;

/** Requests that stay open for as long as the page does. */
const ENDLESS = new Set(['eventsource', 'websocket', 'media', 'ping']);

const problemOf = (error: unknown): string =>
  /net::ERR_[A-Z_]+/.exec(messageOf(error))?.[0] ?? oneLine(messageOf(error), 120);

/** A file name that means nothing to any file system. */
export const safeName = (name: string): string =>
  oneLine(name.replace(/[^\p{L}\p{N}._ -]/gu, '_').replace(/^[. ]+/, ''), 80) || 'file';

/** `work`, or `fallback` when it fails or takes longer than `ms`: for ends that must not hang. */
export const within = async <T>(ms: number, work: Promise<T>, fallback: T): Promise<T> => {
  const timer = new AbortController();
  const late = delay(ms, timer.signal).then(
    () => fallback,
    () => fallback,
  );
  try {
    return await Promise.race([work.catch(() => fallback), late]);
  } finally {
    timer.abort();
  }
};

/** A window of its own: context, proxy, recording. Everything the page may not do is refused here or by the proxy. */
export const openWindow = async (browser: Browser, workDir: string, options: WindowOptions): Promise<BrowserWindow> => {
  const permits = (url: string): boolean => options.permits(url);
  const observations = createObservations();
  const context: BrowserContext = await browser.newContext({
    viewport: VIEWPORT,
    proxy: { server: options.proxyUrl },
    serviceWorkers: 'block',
    acceptDownloads: false,
    locale: 'en-US',
    ...(options.storageState
      ? { storageState: options.storageState as Exclude<BrowserContextOptions['storageState'], string> }
      : {}),
  });
  const tabs: Page[] = [];
  const channels = new WeakMap<Page, CDPSession>();
  const busy = new Map<Request, Page | null>();
  let notes: string[] = [];
  let closing = false;
  const note = (text: string): void => {
    if (notes.length < MAX_NOTES) notes.push(text);
  };
  const front = (): Page => {
    const page = tabs.at(-1);
    if (!page) throw new Error('the window is closed');
    return page;
  };
  const pageOf = (request: Request): Page | null => {
    try {
      return request.frame().page();
    } catch {
      return null; // a service worker's, or of a tab that is only just being made
    }
  };
  const isDocument = (request: Request, page: Page): boolean =>
    request.isNavigationRequest() && request.frame() === page.mainFrame();

  context.on('page', (page) => {
    tabs.push(page);
    if (tabs.length > 1)
      note('A new tab was opened; it is shown now. Going back from its first page returns to the old one.');
    if (tabs.length > MAX_TABS) void tabs[0]?.close().catch(() => undefined);
    page.once('close', () => {
      tabs.splice(tabs.indexOf(page), 1);
      if (tabs.length === 0 && !closing) void context.newPage().catch(() => undefined);
      for (const [request, owner] of busy) if (owner === page) busy.delete(request);
    });
    page.once('crash', () => {
      note('The page crashed and was closed.');
      void page.close().catch(() => undefined);
    });
  });
  context.on('request', (request) => {
    const page = pageOf(request);
    if (!ENDLESS.has(request.resourceType())) busy.set(request, page);
    if (page && !request.redirectedFrom() && isDocument(request, page)) observations.navigationStarted(page);
  });
  context.on('requestfinished', (request) => busy.delete(request));
  context.on('requestfailed', (request) => {
    busy.delete(request);
    const page = pageOf(request);
    const outcome = permits(request.url()) ? (request.failure()?.errorText ?? 'net::ERR_FAILED') : 'blocked';
    // Given up by the page itself, or by going elsewhere: nobody's fault.
    if (!page || outcome === 'net::ERR_ABORTED') return;
    observations.failed(page, {
      outcome,
      method: request.method(),
      url: request.url(),
      navigation: isDocument(request, page),
    });
  });
  context.on('response', (response) => {
    const request = response.request();
    const page = pageOf(request);
    if (!page) return;
    const problem = response.headers()[PROBLEM_HEADER];
    const navigation = isDocument(request, page);
    if (navigation) observations.status(page, problem ? null : response.status());
    if (response.status() < 400) return;
    const outcome = permits(request.url()) ? (problem ?? String(response.status())) : 'blocked';
    observations.failed(page, { outcome, method: request.method(), url: request.url(), navigation });
  });
  context.on('framenavigated', (frame) => {
    const page = frame.page();
    if (frame === page.mainFrame()) observations.shown(page, frame.url());
  });
  context.on('console', (message) => {
    const page = message.page();
    const text = message.text();
    // Chromium repeats every failed request as a message; those are recorded as what they are.
    if (
      !page ||
      (message.type() !== 'error' && message.type() !== 'assert') ||
      text.startsWith('Failed to load resource')
    )
      return;
    const { url, line } = message.location();
    observations.consoleError(page, text, url ? `${url}:${line + 1}` : '');
  });
  context.on('weberror', (event) => {
    const page = event.page();
    const { url, line } = event.location();
    if (page) observations.consoleError(page, messageOf(event.error()), url ? `${url}:${line + 1}` : '');
  });
  context.on('dialog', (dialog) => {
    // Dismissing "leave this page?" would hang the page.
    const leaving = dialog.type() === 'beforeunload';
    if (!leaving)
      note(`The page showed a dialog (${dialog.type()}: "${oneLine(dialog.message(), 200)}"); it was dismissed.`);
    void (leaving ? dialog.accept() : dialog.dismiss()).catch(() => undefined);
  });
  context.on('download', (download) =>
    note(`The page offered the file "${safeName(download.suggestedFilename())}"; files are not kept.`),
  );

  let tracing = false;
  try {
    await context.grantPermissions([]); // an empty list denies every permission
    await context.route(
      (url) => !permits(url.href),
      (route) => route.abort('blockedbyclient'),
    );
    await context.routeWebSocket(
      (url) => !permits(url.href),
      (socket) => void socket.close({ code: 1008, reason: 'not an address of this job' }),
    );
    await context.tracing.start({ screenshots: false, snapshots: true });
    tracing = true;
    await context.newPage();
  } catch (error) {
    await within(CLOSE_WINDOW_MS, context.close(), undefined);
    throw error;
  }

  const goto = async (page: Page, url: string, signal: AbortSignal): Promise<Arrival> => {
    try {
      const response = await page.goto(url, { waitUntil: 'domcontentloaded', timeout: NAVIGATION_TIMEOUT_MS, signal });
      const problem = response?.headers()[PROBLEM_HEADER] ?? null;
      return { status: problem ? null : (response?.status() ?? null), problem };
    } catch (error) {
      signal.throwIfAborted();
      if (tabs.length === 0) throw error;
      return { status: null, problem: problemOf(error) };
    }
  };
  const channelOf = async (page: Page): Promise<CDPSession> => {
    const known = channels.get(page) ?? (await context.newCDPSession(page));
    channels.set(page, known);
    return known;
  };
  return {
    observations,
    url: () => front().url(),
    visit: () => observations.visit(front()),
    takeNotes: () => {
      const taken = notes;
      notes = [];
      return taken;
    },
    alive: () =>
      within(
        ALIVE_MS,
        // The browser answers this, not the page.
        context.cookies().then(() => browser.isConnected()),
        browser.isConnected(),
      ),
    goto: async (url, signal) => {
      const page = front();
      const answers = await within(
        ALIVE_MS,
        page.evaluate('true').then(() => true),
        false,
      );
      if (answers) return goto(page, url, signal);
      const fresh = await context.newPage();
      await within(ALIVE_MS, page.close(), undefined);
      note('The page did not answer any more; its tab was replaced.');
      return goto(fresh, url, signal);
    },
    history: async (step) => {
      const page = front();
      const to = { waitUntil: 'domcontentloaded', timeout: NAVIGATION_TIMEOUT_MS } as const;
      const channel = await channelOf(page);
      const { currentIndex, entries } = await channel.send('Page.getNavigationHistory');
      const target = entries[currentIndex + step];
      if (target && target.url !== 'about:blank') {
        await (step < 0 ? page.goBack(to) : page.goForward(to)).catch(() => null);
        return true;
      }
      if (step > 0 || tabs.length < 2) return false;
      await page.close();
      await front().bringToFront();
      return true;
    },
    move: (x, y) => front().mouse.move(x, y),
    down: (button) => front().mouse.down({ button }),
    up: (button) => front().mouse.up({ button }),
    click: (x, y, button, count) => front().mouse.click(x, y, { button, clickCount: count }),
    wheel: (deltaX, deltaY) => front().mouse.wheel(deltaX, deltaY),
    type: (text) => front().keyboard.type(text),
    keyDown: (key) => front().keyboard.down(key),
    keyUp: (key) => front().keyboard.up(key),
    evaluate: (script) => front().evaluate(script),
    screenshot: async () => {
      // Not page.screenshot(): that waits for every font of the page, which a stalled one never lets end.
      const channel = await channelOf(front());
      const { data } = await channel.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true });
      return Buffer.from(data, 'base64');
    },
    settle: async (signal) => {
      await delay(SETTLE_FIRST_MS, signal);
      await front()
        .waitForLoadState('load', { timeout: SETTLE_LOAD_MS, signal })
        .catch(() => undefined);
      signal.throwIfAborted();
      for (let waited = 0; busy.size > 0 && waited < SETTLE_REQUESTS_MS; waited += 50) await delay(50, signal);
    },
    storageState: () => context.storageState(),
    stopTrace: async (maxBytes) => {
      if (!tracing) return null;
      tracing = false;
      const path = join(workDir, `${randomUUID()}.zip`);
      await context.tracing.stop({ path });
      try {
        return (await stat(path)).size > maxBytes ? null : await readFile(path);
      } finally {
        await rm(path, { force: true });
      }
    },
    close: () => {
      closing = true;
      return within(CLOSE_WINDOW_MS, context.close(), undefined);
    },
  };
};
