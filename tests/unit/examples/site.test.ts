import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenedSession } from '../../../activities/environment.ts';
import { call, createBench, planFor, textOf } from '../../fakes/browser-bench.ts';
import type { Bench } from '../../fakes/browser-bench.ts';
import { startProcess } from '../../fakes/processes.ts';
import type { TestProcess } from '../../fakes/processes.ts';

let server: TestProcess;
let url: string;
beforeAll(async () => {
  server = await startProcess(['examples/site/serve.mjs'], {});
  url = String(server.announced['listening']);
});
afterAll(() => server.stop());

describe('the example site', () => {
  it('listens on loopback, says where, and ends when told', async () => {
    const other = await startProcess(['examples/site/serve.mjs'], { PORT: '0' });
    expect(other.announced).toEqual({ listening: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
    other.kill('SIGTERM');
    expect(await other.exited).toBe(0);
  });

  it.each([
    ['/', 200],
    ['/products', 200],
    ['/status', 200],
    ['/contact', 200],
    ['/login', 200],
    ['/delivery-terms', 404],
    ['/../serve.mjs', 404],
    ['/%2e%2e/serve.mjs', 404],
  ])('%s answers %i', async (path, status) => expect((await fetch(`${url}${path}`)).status).toBe(status));

  it('refuses wrong credentials, strange methods and huge forms', async () => {
    const post = (path: string, body: string) =>
      fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(body), redirect: 'manual' });
    expect((await post('/login', 'email=demo@harbour.example&password=wrong')).status).toBe(401);
    expect((await post('/contact', 'name=x')).status).toBe(422);
    expect((await post('/contact', `name=${'x'.repeat(20_000)}`)).status).toBe(400);
    expect((await fetch(`${url}/`, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${url}/account`, { redirect: 'manual' })).status).toBe(303);
    const sent = await post('/contact', 'name=<b>Eve</b>&email=e@x.test&topic=order&message=hi');
    expect(await sent.text()).toContain('Thank you, &#60;b&#62;Eve');
  });
});

describe('the example site in the browser', () => {
  let bench: Bench;
  let session: OpenedSession;
  beforeAll(async () => {
    bench = await createBench();
    session = await bench.open(planFor(url));
  });
  afterAll(() => bench.dispose());

  const report = async (path?: string): Promise<string> => {
    const results = await bench.run(session, ...(path ? [call('navigate', { url: path })] : []), call('page_report'));
    return textOf(results.at(-1));
  };
  /** The lines of one section. */
  const section = (text: string, name: string): string[] =>
    text.split(`\n## ${name} (`)[1]?.split('\n## ')[0]?.split('\n').slice(1) ?? [];
  /** Where `what` is, as the report says. */
  const place = (text: string, what: string): { x: number; y: number } => {
    const line = text.split('\n').find((one) => one.includes(` "${what}"`)) ?? '';
    const [, x, y] = / at (\d+),(\d+)$/.exec(line) ?? [];
    return { x: Number(x), y: Number(y) };
  };

  it('has the faults that its README lists, and no others', async () => {
    const faults: string[] = [];
    for (const path of ['/', '/products', '/status', '/contact', '/login', '/delivery-terms']) {
      const text = await report(path);
      for (const name of ['Images', 'Console errors', 'Failed requests', 'Notes'])
        for (const line of section(text, name)) faults.push(`${path} ${name} ${line}`);
    }
    expect(faults).toEqual([
      `/ Images - no alt: ${url}/boat.svg`,
      expect.stringMatching(/^\/products Console errors - "stock: the figures could not be shown .*\/stock\.js:\d+$/),
      `/delivery-terms Failed requests - 404 GET ${url}/delivery-terms`,
      '/delivery-terms Notes - the page itself answered 404',
    ]);
  });

  it('lets somebody sign in by what the report says', async () => {
    const form = await report('/login');
    await bench.run(
      session,
      call('type_text_at', { ...place(form, 'E-mail address'), text: 'demo@harbour.example', press_enter: false }),
      call('click', place(form, 'Password')),
      call('type', { text: 'anchor-42', press_enter: true }),
    );
    const account = await report();
    expect(account).toContain(`url: ${url}/account`);
    expect(account).toContain('- h1 "Welcome back"');
    expect(section(account, 'Failed requests')).toEqual([]);
  });

  it('checks the form before it is sent, and takes a whole one', async () => {
    const form = await report('/contact');
    await bench.run(session, call('click', place(form, 'Send message')));
    expect(await report()).toContain('title: "Contact – Harbour Supplies"');
    const again = await report('/contact');
    await bench.run(
      session,
      call('type_text_at', { ...place(again, 'Your name'), text: 'Ada', press_enter: false }),
      call('type_text_at', { ...place(again, 'Your e-mail address'), text: 'ada@x.test', press_enter: false }),
      call('select_option', { label: 'Topic', option: 'A return' }),
      call('type_text_at', { ...place(again, 'Message'), text: 'It broke.', press_enter: false }),
      call('click', place(again, 'Send message')),
    );
    expect(await report()).toContain('- h1 "Thank you, Ada"');
  });
});
