import { afterEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { PROBLEMS, problemType } from '../../../gateway/problems.ts';
import { allowedHosts } from '../../../gateway/middleware/guard-origin.ts';
import { openGateway, TOKEN } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';

let gateway: TestGateway;
afterEach(() => gateway.close());

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  problem: string | undefined;
}

/** A request with any head at all, as a browser or a hostile program could send it; fetch would correct it. */
const send = (method: string, path: string, headers: OutgoingHttpHeaders, body = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const url = new URL(gateway.url);
    const sent = request(
      { host: url.hostname, port: url.port, method, path, agent: false, headers: { host: url.host, ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const json = /json/.test(response.headers['content-type'] ?? '')
            ? (JSON.parse(text) as { type?: string })
            : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, problem: json.type });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

const good = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const order = JSON.stringify({ text: 'refactor', is_final: true });
const refused = (name: keyof typeof PROBLEMS) => ({ status: PROBLEMS[name].status, problem: problemType(name) });

describe('the catalogue of problems', () => {
  it('is closed: names and statuses are a wire fact, pinned as literals', async () => {
    gateway = await openGateway();
    expect(Object.entries(PROBLEMS).map(([name, { status }]) => `${problemType(name as never)} ${status}`)).toEqual([
      'urn:dual:problem:bad-request 400',
      'urn:dual:problem:too-old 400',
      'urn:dual:problem:unauthorized 401',
      'urn:dual:problem:login-expired 401',
      'urn:dual:problem:forbidden-host 403',
      'urn:dual:problem:forbidden-origin 403',
      'urn:dual:problem:not-found 404',
      'urn:dual:problem:utterance-conflict 409',
      'urn:dual:problem:already-over 409',
      'urn:dual:problem:not-waiting 409',
      'urn:dual:problem:too-large 413',
      'urn:dual:problem:not-json 415',
      'urn:dual:problem:too-many 429',
      'urn:dual:problem:internal 500',
      'urn:dual:problem:unavailable 503',
      'urn:dual:problem:not-confirmed 503',
      'urn:dual:problem:not-ready 503',
      'urn:dual:problem:storage-unavailable 503',
    ]);
  });
});

describe('who may come in', () => {
  it('lets a program with the token through, and nobody without', async () => {
    gateway = await openGateway();
    expect((await send('POST', '/transcript', good, order)).status).toBe(202);
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`]) {
      const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
      const answer = await send('POST', '/transcript', headers, order);
      expect(answer).toMatchObject(refused('unauthorized'));
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect(gateway.engine.starts).toHaveLength(1);
  });

  it('wants the token for everything but /health and the login link', async () => {
    gateway = await openGateway();
    for (const { method, path, auth } of gateway.gateway.routes) {
      const answer = await send(method.toUpperCase(), path.replace(/\{\w+\}/g, 'x'), {});
      if (auth === 'token') expect({ path, ...answer }).toMatchObject({ path, ...refused('unauthorized') });
      else expect(answer.status).not.toBe(401);
    }
    const open = gateway.gateway.routes.filter(({ auth }) => auth === 'none').map(({ path }) => path);
    expect(open).toEqual(['/health', '/login']);
    expect(await send('GET', '/nowhere', {})).toMatchObject(refused('unauthorized'));
    expect(await send('GET', '/nowhere', good)).toMatchObject(refused('not-found'));
  });

  it.each(['evil.test', 'evil.test:8080', '127.0.0.1.evil.test', 'localhost.evil.test'])(
    'answers under no foreign name, as a rebinding page would use it: %p',
    async (host) => {
      gateway = await openGateway();
      expect(await send('POST', '/transcript', { ...good, host }, order)).toMatchObject(refused('forbidden-host'));
      expect(await send('GET', '/metrics', { ...good, host })).toMatchObject(refused('forbidden-host'));
      expect(await send('GET', '/health', { host })).toMatchObject(refused('forbidden-host'));
      expect(gateway.engine.starts).toHaveLength(0);
    },
  );

  it('answers under loopback names and the address it listens on', async () => {
    gateway = await openGateway();
    const { port } = new URL(gateway.url);
    for (const host of [`localhost:${port}`, 'LOCALHOST', '127.0.0.1', `[::1]:${port}`])
      expect((await send('GET', '/health', { host })).status).toBe(200);
    expect(allowedHosts('10.1.2.3')).toContain('10.1.2.3');
    expect(allowedHosts('fd00::1')).toContain('[fd00::1]');
    expect(allowedHosts('0.0.0.0')).toContain('127.0.0.1');
    expect(allowedHosts('0.0.0.0')).not.toContain('0.0.0.0');
  });

  it.each([
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('takes nothing from another page, even with the token: %p', async (headers) => {
    gateway = await openGateway();
    expect(await send('POST', '/transcript', { ...good, ...headers }, order)).toMatchObject(
      refused('forbidden-origin'),
    );
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('takes its own page and a link a person opened', async () => {
    gateway = await openGateway();
    const own = { origin: gateway.url, 'sec-fetch-site': 'same-origin' };
    expect((await send('POST', '/transcript', { ...good, ...own }, order)).status).toBe(202);
    expect((await send('GET', '/health', { 'sec-fetch-site': 'none' })).status).toBe(200);
  });

  it('logs a browser in by a link, once; the cookie then does for the token', async () => {
    gateway = await openGateway();
    const minted = await send('POST', '/login', good);
    expect(minted.status).toBe(201);
    const { path } = JSON.parse(minted.body) as { path: string };
    const entered = await send('GET', path, {});
    expect([entered.status, entered.headers['location']]).toEqual([303, '/']);
    const [cookie = ''] = entered.headers['set-cookie'] as string[];
    expect(cookie).toContain('HttpOnly; SameSite=Strict');
    const headers = { cookie: cookie.split(';')[0] ?? '', 'content-type': 'application/json' };
    expect((await send('POST', '/transcript', headers, order)).status).toBe(202);
    expect(await send('GET', path, {})).toMatchObject(refused('login-expired'));
    expect(await send('GET', '/login?code=guess', {})).toMatchObject(refused('login-expired'));
    expect(await send('GET', '/login', {})).toMatchObject(refused('bad-request'));
  });
});

describe('what may be said', () => {
  it.each([
    ['malformed JSON', '{"text":', 'bad-request'],
    ['a list', '[]', 'bad-request'],
    ['nothing', '', 'bad-request'],
    ['null', 'null', 'bad-request'],
    ['nesting without end', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'bad-request'],
    ['no text', '{"is_final":true}', 'bad-request'],
    ['a number for a text', '{"text":7,"is_final":true}', 'bad-request'],
    ['a word for a truth', '{"text":"refactor","is_final":"yes"}', 'bad-request'],
    ['an unknown field', '{"text":"refactor","is_final":true,"shell":"rm"}', 'bad-request'],
    ['9 kB of text', JSON.stringify({ text: 'refactor '.repeat(1_000), is_final: true }), 'bad-request'],
    ['an utterance id with blanks', '{"text":"refactor","is_final":true,"utterance_id":"a b"}', 'bad-request'],
    ['an empty utterance id', '{"text":"refactor","is_final":true,"utterance_id":""}', 'bad-request'],
    ['no such time', '{"text":"refactor","is_final":true,"timestamp":"yesterday"}', 'bad-request'],
    ['a negative sequence', '{"text":"refactor","is_final":true,"sequence":-1}', 'bad-request'],
    ['70 kB', JSON.stringify({ text: 'x'.repeat(70_000), is_final: true }), 'too-large'],
  ] as const)('refuses %s', async (_what, body, problem) => {
    gateway = await openGateway();
    const answer = await send('POST', '/transcript', good, body);
    expect(answer).toMatchObject(refused(problem));
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.body).not.toMatch(/at .*\(|node_modules|\.ts:/);
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('refuses bytes that are no UTF-8', async () => {
    gateway = await openGateway();
    const body = Buffer.concat([
      Buffer.from('{"is_final":true,"text":"refactor '),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    const response = await fetch(`${gateway.url}/transcript`, { method: 'POST', headers: good, body });
    expect(response.status).toBe(400);
  });

  it('says where it is wrong, never what was said', async () => {
    gateway = await openGateway();
    const { body } = await send('POST', '/transcript', good, '{"text":{"my":"secret words"},"is_final":true}');
    expect(JSON.parse(body)).toMatchObject({ detail: expect.stringContaining('text') as unknown });
    expect(body).not.toContain('secret words');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    undefined,
  ])('refuses the content type %p, which a foreign page could send', async (type) => {
    gateway = await openGateway();
    const headers = { authorization: good.authorization, ...(type && { 'content-type': type }) };
    expect(await send('POST', '/transcript', headers, order)).toMatchObject(refused('not-json'));
    expect(gateway.engine.starts).toHaveLength(0);
  });

  it('refuses an encoded body, and a chunked one that grows too large', async () => {
    gateway = await openGateway();
    expect(await send('POST', '/transcript', { ...good, 'content-encoding': 'gzip' }, order)).toMatchObject(
      refused('not-json'),
    );
    const chunked = { ...good, 'transfer-encoding': 'chunked' };
    expect(await send('POST', '/transcript', chunked, 'x'.repeat(70_000))).toMatchObject(refused('too-large'));
    expect((await send('POST', '/transcript', chunked, order)).status).toBe(202);
  });

  it.each([
    ['GET', '/trace/nope'],
    ['GET', `/trace/${'0'.repeat(32)}`],
    ['GET', `/trace/${'0'.repeat(32)}/events`],
    ['POST', `/trace/${'0'.repeat(32)}/cancel`],
    ['GET', `/status/${'0'.repeat(32)}-1`],
    ['GET', '/status/../../etc/passwd'],
    ['POST', `/jobs/${'0'.repeat(32)}-1/cancel`],
    ['GET', `/artifacts/${'0'.repeat(64)}`],
    ['GET', '/artifacts/..%2f..%2fetc%2fpasswd'],
    ['GET', '/TRACE/x'],
    ['PUT', '/transcript'],
  ])('knows no %s %s', async (method, path) => {
    gateway = await openGateway();
    expect(await send(method, path, { authorization: good.authorization })).toMatchObject(refused('not-found'));
  });

  it.each([
    '?limit=0',
    '?limit=201',
    '?limit=x',
    '?status=maybe',
    '?since=yesterday',
    '?cursor=%20',
    '?unknown=1',
    '?agent=A%27',
  ])('refuses the query /traces%s', async (query) => {
    gateway = await openGateway();
    expect(await send('GET', `/traces${query}`, { authorization: good.authorization })).toMatchObject(
      refused('bad-request'),
    );
  });
});

describe('too much', () => {
  it('is answered 429 at once, and the rest goes on', async () => {
    gateway = await openGateway({ maxInFlight: 2 });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let waiting = 0;
    const both = new Promise<void>((resolve) => {
      gateway.engine.beforeStart = () => {
        if (++waiting === 2) resolve();
        return held;
      };
    });
    const first = [send('POST', '/transcript', good, order), send('POST', '/transcript', good, order)];
    await both;
    const answer = await send('POST', '/transcript', good, order);
    expect(answer).toMatchObject(refused('too-many'));
    expect(answer.headers['retry-after']).toBe('1');
    expect((await send('GET', '/health', {})).status).toBe(200);
    release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([202, 202]);
    expect((await send('POST', '/transcript', good, order)).status).toBe(202);
  });

  it('closes a connection that does not come to an end', async () => {
    gateway = await openGateway();
    const url = new URL(gateway.url);
    const socket = connect(Number(url.port), url.hostname);
    const started = performance.now();
    socket.write('POST /transcript HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n');
    await new Promise<void>((resolve) => {
      socket.resume();
      socket.once('close', () => resolve());
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 20_000);

  it('ends in time although somebody listens and somebody waits', async () => {
    gateway = await openGateway();
    gateway.engine.beforeStart = () => new Promise(() => undefined);
    const hanging = send('POST', '/transcript', good, order).catch(() => 'cut');
    await new Promise((resolve) => setImmediate(resolve));
    const started = performance.now();
    await gateway.restart().then((next) => next.close());
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(await hanging).toBe('cut');
    gateway = await openGateway();
  }, 20_000);
});

describe('what went wrong inside', () => {
  it('is logged and not told', async () => {
    const lines: string[] = [];
    gateway = await openGateway({ log: (line) => lines.push(line) });
    gateway.engine.beforeStart = () => {
      throw new Error('the inner secret');
    };
    const answer = await send('POST', '/transcript', good, order);
    expect(answer).toMatchObject(refused('internal'));
    expect(answer.body).not.toContain('inner secret');
    expect(lines.join()).toContain('the inner secret');
  });
});
