import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call, createBench, pages, planFor, startSite, textOf } from '../../../fakes/browser-bench.ts';
import type { Bench, Site } from '../../../fakes/browser-bench.ts';
import { until } from '../../../fakes/until.ts';

/** Every way a page has to reach another address; `DONE` in the title when it has tried them all. */
const attacks = (forbidden: string, udpPort: number): string => {
  const { host } = new URL(forbidden);
  return `<!doctype html><html lang="en"><head><title>Trying</title>
<link rel="stylesheet" href="${forbidden}/style"><link rel="preload" as="image" href="${forbidden}/preload">
<link rel="prefetch" href="${forbidden}/prefetch"><link rel="preconnect" href="${forbidden}"><link rel="dns-prefetch" href="//${host}">
<link rel="icon" href="${forbidden}/icon"><link rel="manifest" href="${forbidden}/manifest"><link rel="modulepreload" href="${forbidden}/module">
<style>@import url("${forbidden}/import"); body { background: url("${forbidden}/background") } @font-face { font-family: f; src: url("${forbidden}/font") } h1 { font-family: f }</style>
<script type="speculationrules">{"prefetch":[{"source":"list","urls":["${forbidden}/speculation"]}],"prerender":[{"source":"list","urls":["${forbidden}/prerender"]}]}</script>
</head><body><h1>Trying</h1>
<img src="${forbidden}/img"><img src="/redirect?to=${forbidden}/img-redirect"><iframe src="${forbidden}/frame"></iframe>
<iframe src="/redirect?to=${forbidden}/frame-redirect"></iframe><object data="${forbidden}/object"></object><embed src="${forbidden}/embed">
<video src="${forbidden}/video" poster="${forbidden}/poster" autoplay></video><script src="${forbidden}/script"></script>
<iframe src="file:///etc/passwd"></iframe><iframe src="data:text/html,<img src='${forbidden}/from-data'>"></iframe>
<a id="ping" href="#here" ping="${forbidden}/ping">ping</a>
<form id="form" method="post" action="${forbidden}/form" target="form-frame"></form><iframe name="form-frame"></iframe>
<script>
const quietly = (work) => Promise.race([Promise.resolve().then(work).catch(() => {}), new Promise((done) => setTimeout(done, 1500))]);
const socket = (url) => new Promise((done) => { const ws = new WebSocket(url); ws.onopen = ws.onerror = ws.onclose = done; });
const worker = (code) => new Promise((done) => { const one = new Worker(URL.createObjectURL(new Blob([code]))); one.onmessage = one.onerror = done; });
(async () => {
  await Promise.all([
    quietly(() => fetch('${forbidden}/fetch', { mode: 'no-cors' })),
    quietly(() => fetch('/redirect?to=${forbidden}/fetch-redirect', { mode: 'no-cors' })),
    quietly(() => fetch('${forbidden}/keepalive', { mode: 'no-cors', keepalive: true, method: 'POST', body: 'x' })),
    quietly(() => navigator.sendBeacon('${forbidden}/beacon', 'x')),
    quietly(() => new Promise((done) => { const xhr = new XMLHttpRequest(); xhr.onloadend = done; xhr.open('GET', '${forbidden}/xhr'); xhr.send(); })),
    quietly(() => new Promise((done) => { const source = new EventSource('${forbidden}/events'); source.onerror = done; })),
    quietly(() => socket('ws://${host}/socket')),
    quietly(() => socket('ws://' + location.host + '/ws-redirect?to=${forbidden}')),
    quietly(() => worker("fetch('${forbidden}/worker', { mode: 'no-cors' }).finally(() => postMessage(1))")),
    quietly(() => worker("const ws = new WebSocket('ws://${host}/worker-socket'); ws.onerror = ws.onclose = () => postMessage(1)")),
    quietly(() => navigator.serviceWorker.register('/worker.js')),
    quietly(() => import('${forbidden}/import-module')),
    quietly(() => new WebTransport('https://${host}/transport').ready),
    quietly(() => document.querySelector('#form').submit()),
    quietly(() => document.querySelector('#ping').click()),
    quietly(async () => {
      const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${udpPort}' },
        { urls: 'turn:127.0.0.1:${udpPort}?transport=udp', username: 'u', credential: 'c' },
        { urls: 'turn:${host}?transport=tcp', username: 'u', credential: 'c' }] });
      peer.createDataChannel('x');
      await peer.setLocalDescription(await peer.createOffer());
      await new Promise((done) => { peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done(); });
    }),
  ]);
  document.title = 'DONE';
})();
</script></body></html>`;
};

/** Accepts a WebSocket and says "hello", by hand. */
const acceptSocket = (key: string): Buffer => {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from([0x81, 5]), Buffer.from('hello')]);
};

let forbidden: Site;
let target: Site;
let bench: Bench;
let udp: UdpSocket;
let packets = 0;

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url ?? '/', 'http://site');
  const to = url.searchParams.get('to');
  if (url.pathname === '/redirect') {
    response.writeHead(302, { location: to ?? '/' }).end();
    return;
  }
  if (url.pathname === '/worker.js') {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(`fetch('${forbidden.url}/service-worker')`);
    return;
  }
  pages({
    '/': '<title>Home</title>',
    '/attacks': attacks(forbidden.url, udp.address().port),
    '/link': `<title>Link</title><a style="position:fixed;inset:0" href="${forbidden.url}/link">x</a>`,
    '/script': `<title>Script</title><script>setTimeout(() => { location = '${forbidden.url}/location' })</script>`,
    '/popups': `<title>Popups</title><script>open('${forbidden.url}/popup'); open('/redirect?to=${forbidden.url}/popup-redirect')</script>`,
    '/meta': `<title>Meta</title><meta http-equiv="refresh" content="0;url=${forbidden.url}/meta">`,
    '/file': '<title>File</title><a style="position:fixed;inset:0" href="file:///etc/passwd">x</a>',
    '/data':
      '<title>Data</title><a style="position:fixed;inset:0" href="data:text/html,<title>inside data</title>">x</a>',
    '/socket': `<title>Socket</title><script>const ws = new WebSocket('ws://' + location.host + '/echo'); ws.onmessage = (event) => { document.title = event.data }</script>`,
    '/permissions': `<title>?</title><script>Promise.all(['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read'].map((name) =>
      navigator.permissions.query({ name }).then((found) => found.state, () => 'none'))).then((states) => { document.title = states.join(' ') })</script>`,
  })(request, response);
};

beforeAll(async () => {
  udp = createSocket('udp4');
  udp.on('message', () => (packets += 1));
  await new Promise<void>((done) => udp.bind(0, '127.0.0.1', done));
  forbidden = await startSite(pages({}));
  target = await startSite(answer, (key) => acceptSocket(key));
  bench = await createBench();
});
afterAll(async () => {
  await bench.dispose();
  await target.close();
  await forbidden.close();
  udp.close();
});

describe('the fence around a session', () => {
  it('lets no page reach an address that is not a target, by any way it has', async () => {
    const session = await bench.open(planFor(`${target.url}/attacks`));
    const report = await until(async () => {
      const [found] = await bench.run(session, call('page_report'));
      return textOf(found).includes('title: "DONE"') ? textOf(found) : undefined;
    }, 40_000);
    expect(target.requests).toContain('GET /attacks');
    expect(target.requests.filter((line) => line.startsWith('GET /redirect'))).toHaveLength(3);
    expect(report).toContain(`- blocked GET ${forbidden.url}/img\n`);
    await bench.close(session);
    expect(forbidden.requests).toEqual([]);
    expect(forbidden.connections).toBe(0);
    expect(packets).toBe(0);
  }, 60_000);

  it.each(['/link', '/script', '/meta', '/popups', '/redirect?to=FORBIDDEN'])(
    'does not follow %s out',
    async (path) => {
      const session = await bench.open(planFor(target.url));
      const [, clicked] = await bench.run(
        session,
        call('navigate', { url: path.replace('FORBIDDEN', encodeURIComponent(`${forbidden.url}/redirect`)) }),
        call('click', { x: 500, y: 500 }),
        call('take_screenshot'),
      );
      expect(clicked?.content.length).toBeGreaterThan(0);
      await bench.close(session);
      expect(forbidden.connections).toBe(0);
    },
  );

  it.each(['/file', '/data'])('does not open local things from %s', async (path) => {
    const session = await bench.open(planFor(target.url));
    const [, , report] = await bench.run(
      session,
      call('navigate', { url: path }),
      call('click', { x: 500, y: 500 }),
      call('page_report'),
    );
    expect(report?.url).toBe(`${target.url}${path}`);
    await bench.close(session);
  });

  it('keeps one session’s targets from another', async () => {
    const other = await startSite(pages({ '/': '<title>Other</title>' }));
    const [mine, theirs] = [
      await bench.open(planFor(target.url), { jobId: 'mine' }),
      await bench.open(planFor(other.url), { jobId: 'theirs' }),
    ];
    const [refused] = await bench.run(mine, call('navigate', { url: other.url }));
    expect(refused?.is_error).toBe(true);
    const [allowed] = await bench.run(theirs, call('navigate', { url: other.url }));
    expect(allowed?.is_error).toBe(false);
    await Promise.all([bench.close(mine), bench.close(theirs)]);
    await other.close();
  });

  it('lets a page talk to its own site by socket', async () => {
    const session = await bench.open(planFor(`${target.url}/socket`));
    const title = await until(async () => {
      const [report] = await bench.run(session, call('page_report'));
      return textOf(report).includes('title: "hello"') || undefined;
    });
    expect(title).toBe(true);
    await bench.close(session);
  });

  it('grants no permission', async () => {
    const session = await bench.open(planFor(`${target.url}/permissions`));
    const [report] = await bench.run(session, call('page_report'));
    expect(textOf(report)).toContain('title: "denied denied denied denied denied"');
    await bench.close(session);
  });
});

describe('a name that changes its mind', () => {
  it('reaches nothing private, neither at once nor later', async () => {
    const victim = createServer((_request, response) => response.end('<title>secret</title>'));
    let connections = 0;
    victim.on('connection', () => (connections += 1));
    await new Promise<void>((done) => victim.listen(0, '127.0.0.1', done));
    const { port } = victim.address() as AddressInfo;
    const asked: string[] = [];
    const rebinding = await createBench({
      resolve: (host) => {
        asked.push(host);
        // The metadata service first, this machine afterwards.
        return Promise.resolve([asked.length === 1 ? '169.254.169.254' : '127.0.0.1']);
      },
    });
    try {
      const session = await rebinding.open(planFor(`http://rebind.example:${port}`));
      const [again, report] = await rebinding.run(
        session,
        call('navigate', { url: `http://rebind.example:${port}/again` }),
        call('page_report'),
      );
      expect(textOf(again)).toContain('leads to a private address');
      expect(textOf(report)).not.toContain('secret');
      expect(asked.length).toBeGreaterThanOrEqual(2);
      expect(connections).toBe(0);
    } finally {
      await rebinding.dispose();
      await new Promise((done) => victim.close(done));
    }
  });
});
