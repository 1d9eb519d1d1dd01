/**
 * The staging site of a small shop, for trying the browser agent on. Plain Node, no dependencies, loopback only.
 * PORT chooses the port (0 or absent: any free one). Prints one line, `{"listening":"http://127.0.0.1:N"}`, when it
 * answers, and ends on SIGTERM or SIGINT. README.md says which faults are planted.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { account, contact, home, login, notFound, products, sent, status } from './pages.mjs';

const DEMO = { email: 'demo@harbour.example', password: 'anchor-42' };
const MAX_BODY = 16_384;
const FILES = {
  '/site.css': 'text/css; charset=utf-8',
  '/site.js': 'text/javascript; charset=utf-8',
  '/stock.js': 'text/javascript; charset=utf-8',
  '/favicon.svg': 'image/svg+xml',
  '/boat.svg': 'image/svg+xml',
  '/rope.svg': 'image/svg+xml',
  '/lamp.svg': 'image/svg+xml',
};
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'; form-action 'self'",
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Signed-in visitors of this run: cookie value → e-mail. */
const sessions = new Map();
const sessionOf = (request) => sessions.get(/(?:^|;\s*)session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '');

const page = (response, code, html, headers = {}) =>
  response.writeHead(code, { ...HEADERS, 'content-type': 'text/html; charset=utf-8', ...headers }).end(html);
const redirect = (response, location, headers = {}) =>
  response.writeHead(303, { ...HEADERS, location, ...headers }).end();

const formOf = async (request) => {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > MAX_BODY) throw new Error('too large');
  }
  return new URLSearchParams(body);
};

const answer = async (request, response) => {
  const { pathname } = new URL(request.url, 'http://site');
  const email = sessionOf(request);
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (FILES[pathname])
      return response
        .writeHead(200, { ...HEADERS, 'content-type': FILES[pathname] })
        .end(await readFile(new URL(`public${pathname}`, import.meta.url)));
    if (pathname === '/') return page(response, 200, home(email));
    if (pathname === '/products') return page(response, 200, products(email));
    if (pathname === '/status') return page(response, 200, status(email));
    if (pathname === '/contact') return page(response, 200, contact(email));
    if (pathname === '/login') return page(response, 200, login(email, DEMO, false));
    if (pathname === '/account') return email ? page(response, 200, account(email)) : redirect(response, '/login');
    return page(response, 404, notFound(email));
  }
  if (request.method !== 'POST') return page(response, 405, notFound(email), { allow: 'GET, HEAD, POST' });
  const form = await formOf(request);
  if (pathname === '/login') {
    if (form.get('email') !== DEMO.email || form.get('password') !== DEMO.password)
      return page(response, 401, login(email, DEMO, true));
    const id = randomUUID();
    sessions.set(id, DEMO.email);
    return redirect(response, '/account', { 'set-cookie': `session=${id}; HttpOnly; SameSite=Lax; Path=/` });
  }
  if (pathname === '/logout') return redirect(response, '/', { 'set-cookie': 'session=; Max-Age=0; Path=/' });
  if (pathname === '/contact') {
    const complete = ['name', 'email', 'topic', 'message'].every((field) => form.get(field)?.trim());
    return complete ? page(response, 200, sent(email, form)) : page(response, 422, contact(email, true));
  }
  return page(response, 404, notFound(email));
};

const server = createServer((request, response) => {
  answer(request, response).catch(() => {
    if (response.headersSent) response.destroy();
    else response.writeHead(400, HEADERS).end();
  });
});
server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ listening: `http://127.0.0.1:${server.address().port}` }));
});
server.once('error', (error) => {
  console.error(`the staging site cannot listen: ${error.message}`);
  process.exitCode = 1;
});
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
