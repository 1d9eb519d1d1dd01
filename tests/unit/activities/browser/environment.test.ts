import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchResult, OpenedSession } from '../../../../activities/environment.ts';
import type { ToolResult } from '../../../../activities/models/model.ts';
import { createArtifactStore } from '../../../../platform/artifacts.ts';
import type { ArtifactStore } from '../../../../platform/artifacts.ts';
import { aborted } from '../../../../platform/lifecycle.ts';
import { call, control, createBench, JOB, pages, planFor, startSite, textOf } from '../../../fakes/browser-bench.ts';
import type { Bench, Site } from '../../../fakes/browser-bench.ts';
import { until } from '../../../fakes/until.ts';

/** Writes every event into the title, which page_report shows. */
const EVENTS = `<!doctype html><html lang="en"><title></title><h1>Events</h1>
<div style="height:3000px"></div><input id="field" style="position:fixed;left:0;top:450px;width:1440px;height:40px">
<div id="pad" style="position:fixed;left:0;top:0;width:1440px;height:400px;background:#eee"></div><script>
const log = (text) => { document.title += ' ' + text; };
const pad = document.querySelector('#pad');
for (const name of ['click', 'dblclick', 'auxclick', 'contextmenu', 'mousedown', 'mouseup'])
  pad.addEventListener(name, (event) => log(name + event.button + '@' + event.clientX + ',' + event.clientY + 'x' + event.detail));
pad.addEventListener('mousemove', (event) => { window.last = event.clientX + ',' + event.clientY; });
addEventListener('wheel', (event) => log('wheel' + Math.round(event.deltaX) + ',' + Math.round(event.deltaY)));
addEventListener('keydown', (event) => { if (event.target.id !== 'field') log('key:' + (event.ctrlKey ? 'ctrl-' : '') + event.key); });
document.querySelector('#field').addEventListener('change', (event) => log('value:' + event.target.value));
</script>`;

const PAGE = `<!doctype html><html><head><title>A page</title></head><body>
<h1>First</h1><h2>Second</h2><a href="/other">Other page</a><a href="/popup" target="_blank">New tab</a>
<a href="/file" download="../../etc/pass&#10;wd">File</a>
<form name="f" method="post" action="/send"><label>Name <input name="who" required></label>
<label for="t">Topic</label><select id="t" name="topic"><option value="a">Alpha</option><option value="b">Beta</option></select>
<button>Send</button></form>
<img src="/gone.png"><img src="/also.png" alt="ok">
<script>console.error('first', 'complaint'); setTimeout(() => { undefinedName(); });</script></body></html>`;

let site: Site;
let bench: Bench;
/** Released answers of /slow. */
const release: (() => void)[] = [];

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const path = new URL(request.url ?? '/', 'http://site').pathname;
  if (path === '/slow') {
    release.push(() => response.end('<title>slow</title>'));
    return;
  }
  if (path === '/count') {
    response.writeHead(204).end();
    return;
  }
  if (path === '/cookie') {
    response.writeHead(200, { 'set-cookie': 'who=me; Max-Age=1000', 'content-type': 'text/html' });
    response.end('<title>cookie</title><script>localStorage.setItem("kept", "yes")</script>');
    return;
  }
  if (path === '/who') {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(
      `<title>${request.headers.cookie ?? 'nobody'}</title><script>document.title += localStorage.getItem('kept')</script>`,
    );
    return;
  }
  if (path === '/file') {
    response.writeHead(200, { 'content-disposition': 'attachment; filename="../../evil\\".sh"' }).end('#!/bin/sh');
    return;
  }
  pages({
    '/': PAGE,
    '/events': EVENTS,
    '/other': '<title>Other</title><p>no heading',
    '/popup': '<title>Popup</title>',
    '/send': '<title>Sent</title>',
    '/button':
      '<title>Button</title><button style="position:fixed;inset:0" onclick="fetch(\'/count\', { method: \'POST\' })">Once</button>',
    '/alert': '<title>Alert</title><script>alert("Are\\nyou there?")</script>',
    '/leave':
      '<title>Leave</title><button style="position:fixed;inset:0" onclick="addEventListener(\'beforeunload\', (event) => event.preventDefault())">x</button>',
    '/hang': '<title>Hang</title><button style="position:fixed;inset:0" onclick="for (;;);">x</button>',
    '/bye': '<title>Bye</title><button style="position:fixed;inset:0" onclick="close()">x</button>',
  })(request, response);
};

const titleOf = (report: ToolResult | undefined): string =>
  JSON.parse(/^title: (.*)$/m.exec(textOf(report))?.[1] ?? '""') as string;

beforeAll(async () => {
  site = await startSite(answer);
  bench = await createBench();
});
afterAll(async () => {
  await bench.dispose();
  await site.close();
});

const open: OpenedSession[] = [];
const start = async (path = '/', about: Parameters<Bench['open']>[1] = {}): Promise<OpenedSession> => {
  const session = await bench.open(planFor(`${site.url}${path}`), about);
  open.push(session);
  return session;
};
afterEach(async () => {
  for (const session of open.splice(0)) await bench.close(session);
  for (const answerNow of release.splice(0)) answerNow();
  site.requests.length = 0;
});

describe('browser environment', () => {
  it('names itself and its queue', () => {
    expect(bench.environment.name).toBe('browser');
    expect(bench.environment.owner).toMatch(/^[a-z0-9-]{1,60}$/);
    expect(bench.environment.capacity).toBe(4);
  });

  it('reports what a screenshot does not show', async () => {
    const session = await start();
    const [report] = await bench.run(session, call('page_report'));
    expect(report).toMatchObject({ is_error: false, unknown: false, url: `${site.url}/`, summary: 'inspect the page' });
    expect(report?.content).toHaveLength(1);
    const text = textOf(report);
    for (const line of [
      `url: ${site.url}/`,
      'title: "A page"',
      'status: 200',
      'lang: ""',
      '- h1 "First"',
      '- h2 "Second"',
      '## Links (3)',
      `- form "f" post ${site.url}/send`,
      '## Images (3)',
      `- no alt: ${site.url}/gone.png`,
      `- not loaded: ${site.url}/gone.png`,
      `- not loaded: ${site.url}/also.png`,
      '## Console errors (2)',
      '## Failed requests (2)',
      `- 404 GET ${site.url}/gone.png`,
      '- no lang attribute',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/- "Other page" http:\/\/\S+\/other at \d+,\d+\n/);
    expect(text).toMatch(/ {2}- text "Name" name="who" required at \d+,\d+\n/);
    expect(text).toMatch(/ {2}- select "Topic" name="topic" options="Alpha \| Beta" at \d+,\d+\n/);
    expect(text).toMatch(/- "first complaint" from http:\/\/\S+:\d+\n/);
    expect(text).toMatch(/- "undefinedName is not defined" from /);
    const [, again] = await bench.run(session, call('navigate', { url: '/other' }), call('page_report'));
    expect(textOf(again)).toContain('## Console errors (0)');
    expect(textOf(again)).toContain('- no h1 heading');
  });

  it('performs both vocabularies on a real page', async () => {
    const session = await start('/events');
    const seen = async (...calls: Parameters<typeof call>[]): Promise<string> => {
      const results = await bench.run(
        session,
        ...calls.map((one) => call(...one)),
        call('page_report'),
        call('navigate', { url: '/events' }),
      );
      for (const result of results)
        expect([result.name, textOf(result), result.is_error]).toEqual([result.name, textOf(result), false]);
      return titleOf(results.at(-2)).trim();
    };
    const at = { x: 500, y: 100 };
    const down = 'mousedown0@720,90x1 mouseup0@720,90x1 click0@720,90x1';
    expect(await seen(['click', at])).toBe(down);
    expect(await seen(['click_at', at])).toBe(down);
    expect(await seen(['double_click', at])).toContain('dblclick0@720,90x2');
    expect(await seen(['triple_click', at])).toContain('click0@720,90x3');
    expect(await seen(['right_click', at])).toContain('contextmenu2@720,90');
    expect(await seen(['middle_click', at])).toContain('auxclick1@720,90');
    expect(await seen(['mouse_down', at], ['mouse_up', { x: 600, y: 200 }])).toContain(
      'mousedown0@720,90x1 mouseup0@864,180',
    );
    expect(await seen(['drag_and_drop', { start_x: 500, start_y: 100, end_x: 600, end_y: 200 }])).toContain(
      'mousedown0@720,90x1 mouseup0@864,180',
    );
    expect(await seen(['press_key', { key: 'F' }], ['hotkey', { keys: ['control', 'k'] }])).toBe(
      'key:F key:ctrl-Control key:ctrl-k',
    );
    expect(await seen(['key_combination', { keys: 'control+k' }])).toBe('key:ctrl-Control key:ctrl-k');
    expect(await seen(['scroll', { direction: 'down' }])).toContain('wheel0,300');
    const field = { x: 500, y: 520 };
    expect(await seen(['click', field], ['type', { text: 'Grüße, 你好', press_enter: true }])).toBe(
      'value:Grüße, 你好',
    );
    expect(await seen(['type_text_at', { ...field, text: 'one' }], ['type_text_at', { ...field, text: 'two' }])).toBe(
      'value:one value:two',
    );
    const [, , scrolled] = await bench.run(
      session,
      call('scroll_document', { direction: 'down' }),
      call('scroll_at', { x: 500, y: 900, direction: 'down', magnitude: 100 }),
      call('page_report'),
    );
    expect(textOf(scrolled)).toMatch(/\nscrolled: 900 of \d+ pixels\n/);
  }, 60_000);

  it('shows each action in a picture of the whole viewport', async () => {
    const session = await start();
    const [result] = await bench.run(session, call('open_web_browser'));
    const image = result?.content.find((part) => part.type === 'image');
    expect(image?.media_type).toBe('image/png');
    const png = await bench.artifacts.get(image?.sha256 ?? '');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1440, 900]);
  });

  it('answers what it does not know, or was told badly, with an error', async () => {
    const session = await start();
    const [unknown, inherited, bad] = await bench.run(
      session,
      call('open_app'),
      call('constructor'),
      call('click', { x: 'left' }),
    );
    for (const result of [unknown, inherited, bad])
      expect(result).toMatchObject({ is_error: true, unknown: false, url: `${site.url}/` });
    expect(textOf(unknown)).toContain('There is no action "open_app"');
    expect(textOf(bad)).toContain('x: ');
  });

  it('does what a person has to confirm only when one has', async () => {
    const session = await start('/button');
    const click = call('click', { x: 500, y: 500 }, { confirm: 'This buys something.' });
    const [refused] = await bench.run(session, click);
    expect(refused).toMatchObject({ is_error: true, confirmed: false });
    expect(site.requests).not.toContain('POST /count');
    const batch = bench.batch(session, [click], { confirmed: [click.id] });
    const { results } = await bench.environment.runTools(batch, control());
    expect(results[0]).toMatchObject({ is_error: false, confirmed: true });
    expect(site.requests).toContain('POST /count');
  });

  it('chooses from a native list', async () => {
    const session = await start();
    const [chosen, none, wrong] = await bench.run(
      session,
      call('select_option', { label: 'topic', option: 'Beta' }),
      call('select_option', { label: 'Colour', option: 'Beta' }),
      call('select_option', { label: 'Topic', option: 'Gamma' }),
    );
    expect(textOf(chosen)).toContain('Chose "Beta".');
    expect(textOf(none)).toContain('there are: Topic');
    expect(textOf(wrong)).toContain('there are: Alpha, Beta');
    expect([none, wrong].map((result) => [result?.is_error, result?.unknown])).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  it('tells of dialogs and files, follows new tabs, and comes back', async () => {
    const session = await start('/alert');
    const [alert] = await bench.run(session, call('open_web_browser'));
    expect(textOf(alert)).toContain('dialog (alert: "Are you there?"); it was dismissed');
    await bench.run(session, call('navigate', { url: '/leave' }), call('click', { x: 500, y: 500 }));
    const [left] = await bench.run(session, call('navigate', { url: '/' }));
    expect(left?.url).toBe(`${site.url}/`);
    const [file] = await bench.run(session, call('navigate', { url: '/file' }));
    expect(textOf(file)).toMatch(/offered the file "[^"/\\]*"; files are not kept/);
    const [report] = await bench.run(session, call('page_report'));
    const place = /"New tab" \S+ at (\d+),(\d+)/.exec(textOf(report)) ?? [];
    const [tab] = await bench.run(session, call('click', { x: Number(place[1]), y: Number(place[2]) }));
    expect(textOf(tab)).toContain('A new tab was opened');
    expect(tab?.url).toBe(`${site.url}/popup`);
    const [back] = await bench.run(session, call('go_back'));
    expect(back?.url).toBe(`${site.url}/`);
  });

  it('survives a page that closes its own window', async () => {
    const session = await start('/bye');
    await bench.run(session, call('click', { x: 500, y: 500 }));
    const [result] = await bench.run(session, call('navigate', { url: '/other' }));
    expect(result).toMatchObject({ is_error: false, url: `${site.url}/other` });
  });

  it('opens a site that does not answer, and says so', async () => {
    const gone = await startSite(pages({}));
    await gone.close();
    const session = await bench.open(planFor(gone.url), { jobId: 'elsewhere' });
    open.push(session);
    const [look, report, again] = await bench.run(
      session,
      call('open_web_browser'),
      call('page_report'),
      call('navigate', { url: gone.url }),
    );
    expect(look?.content.some((part) => part.type === 'image')).toBe(true);
    expect(textOf(report)).toContain('status: none');
    expect(textOf(report)).toContain(`- net::ERR_CONNECTION_REFUSED GET ${gone.url}/`);
    expect(again?.is_error).toBe(true);
    expect(textOf(again)).toContain('cannot be reached: ECONNREFUSED');
  });

  it('refuses a job without a site', async () => {
    await expect(bench.open(planFor('ftp://x.test'))).rejects.toMatchObject({ type: 'BadInput' });
  });

  it('clicks once, however often the batch is tried', async () => {
    const session = await start('/button');
    const calls = [call('click', { x: 500, y: 500 }), call('take_screenshot'), call('type', { text: 'x' })];
    const batch = bench.batch(session, calls);
    const first = await bench.environment.runTools(batch, control());
    const second = await bench.environment.runTools(batch, control({ attempt: 2 }));
    expect(second).toEqual(first);
    expect(site.requests.filter((line) => line === 'POST /count')).toHaveLength(1);
  });

  it('in a new session: gives the claimed result again, and calls a claim without one unknown', async () => {
    const session = await start('/button');
    const [done, cut] = [call('click', { x: 500, y: 500 }), call('click', { x: 500, y: 500 })];
    const batch = bench.batch(session, [done]);
    const first = await bench.environment.runTools(batch, control());
    const claims = (await import('../../../../activities/browser/claims.ts')).createClaims(bench.artifacts);
    await claims.take({ jobId: JOB, turn: batch.turn, callId: cut.id }); // as a process that died in the middle does
    const next = await start('/button', { generation: 2 });
    expect(next.sessionId).not.toBe(session.sessionId);
    const again = await bench.environment.runTools(
      { ...batch, sessionId: next.sessionId, calls: [done, cut] },
      control(),
    );
    expect(again.results[0]).toEqual(first.results[0]);
    expect(again.results[1]).toMatchObject({ is_error: true, unknown: true });
    expect(textOf(again.results[1])).toContain('It was not repeated');
    expect(site.requests.filter((line) => line === 'POST /count')).toHaveLength(1);
    await expect(bench.run(session, call('take_screenshot'))).rejects.toMatchObject({ type: 'SessionLost' });
  });

  it('lets a newer attempt take over and refuses the late one', async () => {
    const session = await start('/button');
    const batch = bench.batch(session, [call('wait', { seconds: 10 }), call('click', { x: 500, y: 500 })]);
    const first = bench.environment.runTools(batch, control()).then(
      () => 'ran',
      (error: Error) => error.message,
    );
    const { results } = await bench.environment.runTools(
      { ...batch, calls: batch.calls.slice(1) },
      control({ attempt: 2 }),
    );
    expect(results[0]).toMatchObject({ is_error: false });
    expect(await first).toBe('a newer attempt took over');
    await expect(bench.environment.runTools(batch, control())).rejects.toMatchObject({ type: 'SessionLost' });
    expect(site.requests.filter((line) => line === 'POST /count')).toHaveLength(1);
  });

  it('stops within two seconds when told: waiting, loading, or at a page that hangs', async () => {
    const session = await start('/hang');
    for (const calls of [
      [call('wait', { seconds: 10 })],
      [call('navigate', { url: '/slow' })],
      [call('navigate', { url: '/hang' }), call('click', { x: 500, y: 500 }), call('page_report')],
    ]) {
      const stop = new AbortController();
      let steps = 0;
      const progress = (): void => void (steps += 1);
      const running = bench.environment
        .runTools(bench.batch(session, calls), control({ signal: stop.signal, progress }))
        .then(
          () => 'ran',
          (error: Error) => error.message,
        );
      await until(() => steps === calls.length - 1 || steps > 0 || undefined);
      if (calls[0]?.input['url'] === '/slow') await until(() => release.length > 0 || undefined);
      const told = Date.now();
      stop.abort(new Error('cancelled'));
      expect(await running).toBe('cancelled');
      expect(Date.now() - told).toBeLessThan(2_000);
    }
    const [report] = await bench.run(session, call('navigate', { url: '/other' }));
    expect(report).toMatchObject({ is_error: false, url: `${site.url}/other` });
    expect(textOf(report)).toContain('its tab was replaced');
  }, 60_000);

  it('goes on from a checkpoint: address, cookies, storage', async () => {
    const session = await start('/cookie');
    const ran: BatchResult = await bench.environment.runTools(
      bench.batch(session, [call('navigate', { url: '/who?x=1' })]),
      control(),
    );
    expect(ran.checkpoint).toMatch(/^[0-9a-f]{64}$/);
    const next = await start('/', { generation: 2, checkpoint: ran.checkpoint ?? '' });
    const [report] = await bench.run(next, call('page_report'));
    expect(report?.url).toBe(`${site.url}/who?x=1`);
    expect(titleOf(report)).toBe('who=meyes');
    const fresh = await start('/who', { jobId: 'another' });
    const [other] = await bench.run(fresh, call('page_report'));
    expect(titleOf(other)).toBe('nobodynull');
  });

  it('opens one session per job and generation, however often it is asked', async () => {
    const [one, two] = await Promise.all([start('/other'), start('/other')]);
    expect(two).toEqual(one);
    expect((await start('/other')).sessionId).toBe(one?.sessionId);
    expect(site.requests.filter((line) => line === 'GET /other')).toHaveLength(1);
  });

  it('leaves evidence behind when it closes, once', async () => {
    const session = await start();
    await bench.run(session, call('take_screenshot'), call('navigate', { url: '/other' }));
    const closed = await bench.close(session);
    expect(await bench.close(session)).toEqual(closed);
    expect(closed).toMatchObject({ branch: null, commit: null });
    expect(closed.artifacts.map((ref) => `${ref.name} ${ref.media_type}`)).toEqual([
      'findings.json application/json',
      'screenshot.png image/png',
      'screenshot.png image/png',
      'screenshots.json application/json',
      'trace.zip application/zip',
    ]);
    const [findings, , , manifest, trace] = closed.artifacts;
    expect(await bench.artifacts.getJson(findings?.sha256 ?? '')).toMatchObject({
      kind: 'browser-findings',
      pages: [
        { url: `${site.url}/`, status: 200 },
        { url: `${site.url}/other`, status: 200 },
      ],
      console_errors: [{ text: 'first complaint' }, { text: 'undefinedName is not defined' }],
      failed_requests: [{ outcome: '404' }, { outcome: '404' }],
      not_reached: [],
    });
    expect(await bench.artifacts.getJson(manifest?.sha256 ?? '')).toMatchObject({
      screenshots: [{ url: `${site.url}/`, summary: 'look at the page' }, { url: `${site.url}/other` }],
    });
    expect((await bench.artifacts.get(trace?.sha256 ?? '')).subarray(0, 2).toString()).toBe('PK');
    await expect(bench.run(session, call('take_screenshot'))).rejects.toMatchObject({ type: 'SessionLost' });
  });

  it('closes what is not there without complaint, and has nothing to verify', async () => {
    expect(await bench.close({ sessionId: 'browser-x', checkpoint: null })).toEqual({
      artifacts: [],
      branch: null,
      commit: null,
    });
    const session = await start();
    const verify = { jobId: JOB, round: 1, checkpoint: null };
    expect(await bench.environment.verify({ ...verify, sessionId: session.sessionId }, control())).toBeNull();
    await expect(bench.environment.verify({ ...verify, sessionId: 'browser-x' }, control())).rejects.toMatchObject({
      type: 'SessionLost',
    });
  });
});

describe('an opening that is given up when the session is all but open', () => {
  let folder: string;
  afterEach(() => rm(folder, { recursive: true, force: true }));
  /** Its first checkpoint is under way until `stop` aborts; others are stored at once. */
  const createHeldBench = async (stop: AbortSignal): Promise<{ bench: Bench; asked: () => number }> => {
    folder = await mkdtemp(join(tmpdir(), 'browser-held-'));
    const store = createArtifactStore(folder);
    let asked = 0;
    const artifacts: ArtifactStore = {
      ...store,
      put: async (bytes, about) => {
        if (about.name === 'checkpoint.json' && (asked += 1) === 1) {
          await aborted(stop);
          stop.throwIfAborted();
        }
        return store.put(bytes, about);
      },
    };
    return { bench: await createBench({ capacity: 1, artifacts }), asked: () => asked };
  };
  const openingOf = (bench: Bench, jobId: string, signal: AbortSignal, attempt: number): Promise<OpenedSession> =>
    bench.environment.open(
      { traceId: 'a'.repeat(32), jobId, plan: planFor(site.url), generation: 1, checkpoint: null, baseCommits: [] },
      control({ signal, attempt }),
    );
  const never = new AbortController().signal;

  it('leaves no session behind: its slot is free at once', async () => {
    const stop = new AbortController();
    const { bench, asked } = await createHeldBench(stop.signal);
    try {
      const opening = openingOf(bench, 'given-up', stop.signal, 1).catch((error: Error) => error.message);
      await until(() => asked() === 1 || undefined);
      stop.abort(new Error('cancelled'));
      const next = await openingOf(bench, 'next', never, 1);
      expect(await opening).toBe('cancelled');
      expect((await bench.run(next, call('take_screenshot')))[0]?.is_error).toBe(false);
    } finally {
      await bench.dispose();
    }
  });

  it('keeps the session for a newer attempt that was given it', async () => {
    const stop = new AbortController();
    const { bench, asked } = await createHeldBench(stop.signal);
    try {
      const late = openingOf(bench, JOB, stop.signal, 1).catch((error: Error) => error.message);
      await until(() => asked() === 1 || undefined);
      const session = await openingOf(bench, JOB, never, 2);
      stop.abort(new Error('timed out'));
      expect(await late).toBe('timed out');
      expect((await bench.run(session, call('take_screenshot')))[0]?.is_error).toBe(false);
    } finally {
      await bench.dispose();
    }
  });

  it('is opened anew for whoever asks while it is being ended', async () => {
    const stop = new AbortController();
    const { bench, asked } = await createHeldBench(stop.signal);
    try {
      const late = openingOf(bench, JOB, stop.signal, 1).catch((error: Error) => error.message);
      await until(() => asked() === 1 || undefined);
      stop.abort(new Error('timed out'));
      await new Promise((resolve) => setTimeout(resolve, 5)); // the session is being closed, which takes longer
      const session = await openingOf(bench, JOB, never, 2);
      expect((await bench.run(session, call('take_screenshot')))[0]?.is_error).toBe(false);
      expect(await late).toBe('timed out');
    } finally {
      await bench.dispose();
    }
  });
});

describe('slots of the browser environment', () => {
  it('go to the next in line, and away from what nobody used for an hour', async () => {
    let now = 0;
    const small = await createBench({ capacity: 1, now: () => now });
    try {
      const plan = planFor(`${site.url}/other`);
      const one = await small.open(plan, { jobId: 'one' });
      const waiting = small.open(plan, { jobId: 'two' });
      await small.close(one);
      const two = await waiting;
      now = 61 * 60_000;
      const three = await small.open(plan, { jobId: 'three' });
      await expect(small.run(two, call('take_screenshot'))).rejects.toMatchObject({ type: 'SessionLost' });
      expect((await small.run(three, call('take_screenshot')))[0]?.is_error).toBe(false);
    } finally {
      await small.dispose();
    }
  });
});
