import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { allowListOf } from '../../../../activities/browser/allow-list.ts';
import { openEgress, PROBLEM_HEADER } from '../../../../activities/browser/egress.ts';
import type { Egress, EgressProblem, Resolve } from '../../../../activities/browser/egress.ts';
import { messageOf } from '../../../../platform/errors.ts';
import { pages, startSite } from '../../../fakes/browser-bench.ts';
import type { Site } from '../../../fakes/browser-bench.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const site = async (...given: Parameters<typeof startSite>): Promise<Site> => {
  const started = await startSite(...given);
  closers.push(() => started.close());
  return started;
};

const noNames: Resolve = (host) => Promise.reject(new Error(`asked for ${host}`));

const egress = async (
  targets: string[],
  resolve: Resolve = noNames,
): Promise<Egress & { problems: EgressProblem[] }> => {
  const problems: EgressProblem[] = [];
  const opened = await openEgress({
    allow: allowListOf(targets.map((url) => ({ url }))),
    resolve,
    onProblem: (problem) => void problems.push(problem),
  });
  closers.push(() => opened.close());
  return { ...opened, problems };
};

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}
const through = (
  proxy: Egress,
  url: string,
  about: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(proxy.url);
    const ask = request(
      { hostname, port, path: url, method: about.method ?? 'GET', headers: about.headers ?? {}, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on('error', reject);
      },
    );
    ask.on('error', reject);
    ask.end(about.body);
  });

/** The first line of the proxy's answer to CONNECT, and the socket. */
const tunnel = (proxy: Egress, authority: string): Promise<{ line: string; socket: Socket }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(proxy.url);
    const socket = connect(Number(port), hostname, () =>
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`),
    );
    closers.push(() => void socket.destroy());
    socket.once('data', (data) => resolve({ line: data.toString().split('\r\n')[0] ?? '', socket }));
    socket.once('error', reject);
  });

describe('egress proxy', () => {
  it('forwards plain http to a target: method, body, answer, cookies; not what belongs to one hop', async () => {
    const target = await site((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () =>
        response
          .writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'keep-alive': 'timeout=5', [PROBLEM_HEADER]: 'forged' })
          .end(JSON.stringify({ method: incoming.method, body, headers: incoming.headers })),
      );
    });
    const proxy = await egress([target.url]);
    const answer = await through(proxy, `${target.url}/path?q=1`, {
      method: 'POST',
      body: 'hello',
      headers: { 'proxy-authorization': 'Basic x', 'x-kept': 'yes', host: 'evil.test' },
    });
    const seen = JSON.parse(answer.body) as { method: string; body: string; headers: Record<string, string> };
    expect(answer.status).toBe(201);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers[PROBLEM_HEADER]).toBeUndefined();
    expect(seen).toMatchObject({
      method: 'POST',
      body: 'hello',
      headers: { 'x-kept': 'yes', host: `127.0.0.1:${target.port}` },
    });
    expect(seen.headers['proxy-authorization']).toBeUndefined();
    expect(target.requests).toEqual(['POST /path?q=1']);
  });

  it('refuses what is no target before anything is looked up or dialled', async () => {
    const target = await site(pages({ '/': 'x' }));
    const other = await site(pages({ '/': 'secret' }));
    const proxy = await egress([target.url]);
    const answer = await through(proxy, `${other.url}/`);
    expect([answer.status, answer.headers[PROBLEM_HEADER]]).toEqual([403, 'blocked']);
    expect(answer.body).not.toContain('secret');
    expect((await tunnel(proxy, `127.0.0.1:${other.port}`)).line).toBe('HTTP/1.1 403 Forbidden');
    expect((await tunnel(proxy, 'metadata.google.internal:80')).line).toBe('HTTP/1.1 403 Forbidden');
    expect((await tunnel(proxy, 'nonsense')).line).toBe('HTTP/1.1 403 Forbidden');
    expect(other.connections).toBe(0);
    expect(proxy.problems.map((problem) => problem.kind)).toEqual(['forbidden', 'forbidden', 'forbidden', 'forbidden']);
  });

  it('asks the resolver once per connection and dials what was checked', async () => {
    const target = await site(pages({ '/': 'here' }));
    const asked: string[] = [];
    // The first answer is private, and this name may not be: nothing is dialled. A second look-up would be let through.
    const rebinding: Resolve = (host) => {
      asked.push(host);
      return Promise.resolve(['127.0.0.1']);
    };
    const proxy = await egress([`http://staging.example:${target.port}`], rebinding);
    const answer = await through(proxy, `http://staging.example:${target.port}/`);
    expect([answer.status, answer.headers[PROBLEM_HEADER]]).toEqual([403, 'blocked']);
    expect(answer.body).toContain('leads to a private address');
    expect((await tunnel(proxy, `staging.example:${target.port}`)).line).toBe('HTTP/1.1 403 Forbidden');
    expect(asked).toEqual(['staging.example', 'staging.example']);
    expect(target.connections).toBe(0);
  });

  it.each(['169.254.169.254', '::ffff:127.0.0.1', '10.0.0.1', 'fe80::1'])(
    'refuses a name that leads to %s',
    async (address) => {
      const proxy = await egress(['https://staging.example'], () => Promise.resolve([address]));
      expect((await tunnel(proxy, 'staging.example:443')).line).toBe('HTTP/1.1 403 Forbidden');
      expect(proxy.problems[0]?.kind).toBe('forbidden');
    },
  );

  it('takes localhost for this machine without asking anybody', async () => {
    const target = await site(pages({ '/': 'here' }));
    const proxy = await egress([`http://localhost:${target.port}`]);
    expect((await through(proxy, `http://localhost:${target.port}/`)).body).toBe('here');
  });

  it('tunnels bytes both ways', async () => {
    const echo: Server = createTcpServer((socket) => socket.pipe(socket));
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
    closers.push(() => new Promise((done) => echo.close(done)));
    const { port } = echo.address() as AddressInfo;
    const proxy = await egress([`https://127.0.0.1:${port}`]);
    const { line, socket } = await tunnel(proxy, `127.0.0.1:${port}`);
    expect(line).toBe('HTTP/1.1 200 Connection established');
    const back = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write('ping');
    expect(await back).toBe('ping');
    await new Promise<void>((done) => {
      socket.once('close', () => done());
      socket.end();
    });
  });

  it('says what was not reached, in the words of the browser', async () => {
    const gone = await startSite(pages({}));
    await gone.close();
    const proxy = await egress([gone.url, 'http://nowhere.example'], () => Promise.reject(new Error('ENOTFOUND')));
    const refused = await through(proxy, `${gone.url}/`);
    expect([refused.status, refused.headers[PROBLEM_HEADER]]).toEqual([502, 'net::ERR_CONNECTION_REFUSED']);
    expect(refused.body).toContain('ECONNREFUSED');
    const unknown = await through(proxy, 'http://nowhere.example/');
    expect([unknown.status, unknown.headers[PROBLEM_HEADER]]).toEqual([502, 'net::ERR_NAME_NOT_RESOLVED']);
    expect(proxy.problems.map((problem) => problem.kind)).toEqual(['unreachable', 'unreachable']);
  });

  it('survives what is not http, and a target that hangs up', async () => {
    const rude = createServer((incoming) => incoming.socket.destroy());
    await new Promise<void>((done) => rude.listen(0, '127.0.0.1', done));
    closers.push(() => new Promise((done) => rude.close(done)));
    const url = `http://127.0.0.1:${(rude.address() as AddressInfo).port}`;
    const proxy = await egress([url]);
    expect((await through(proxy, `${url}/`)).headers[PROBLEM_HEADER]).toBe('net::ERR_EMPTY_RESPONSE');
    expect((await through(proxy, '/origin-form')).status).toBe(400);
    const { hostname, port } = new URL(proxy.url);
    await new Promise<void>((done) => {
      const socket = connect(Number(port), hostname, () => socket.write('\u0000\u0001 rubbish\r\n\r\n'));
      socket.once('close', () => done());
      socket.once('error', () => undefined);
    });
    expect((await through(proxy, '/still-here')).status).toBe(400);
  });

  it('closes its port and every connection', async () => {
    const hanging = await site(() => undefined);
    const proxy = await egress([hanging.url]);
    const asking = through(proxy, `${hanging.url}/`).then(() => 'answered', messageOf);
    while (hanging.requests.length === 0) await new Promise((done) => setImmediate(done));
    await proxy.close();
    expect(await asking).toBe('socket hang up');
    await expect(through(proxy, `${hanging.url}/`)).rejects.toThrow('ECONNREFUSED');
  });
});
