import { lookup } from 'node:dns/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { connect, isIP } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isPrivateAddress, plainHost } from '../../platform/addresses.ts';
import { codeOf, messageOf } from '../../platform/errors.ts';
import type { AllowList } from './allow-list.ts';

/** Every address of a name, best first. */
export type Resolve = (host: string) => Promise<string[]>;

/** Why a connection was not made. `code` is what Chromium would call it. */
export interface EgressProblem {
  host: string;
  port: number;
  kind: 'forbidden' | 'unreachable';
  code: string;
  reason: string;
}

/** One session's only way out. */
export interface Egress {
  /** Address for the browser's proxy setting. */
  readonly url: string;
  close(): Promise<void>;
}

/** Set on our own error answers, and removed from everybody else's. */
export const PROBLEM_HEADER = 'x-egress-problem';
const CONNECT_TIMEOUT_MS = 10_000;
/** Chromium opens at most 32 sockets to one proxy; twice that leaves room for those that are closing. */
const MAX_CONNECTIONS = 64;
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const NET_ERRORS: Record<string, string> = {
  ECONNREFUSED: 'net::ERR_CONNECTION_REFUSED',
  ECONNRESET: 'net::ERR_CONNECTION_RESET',
  ETIMEDOUT: 'net::ERR_CONNECTION_TIMED_OUT',
  EHOSTUNREACH: 'net::ERR_ADDRESS_UNREACHABLE',
  ENETUNREACH: 'net::ERR_ADDRESS_UNREACHABLE',
  ENOTFOUND: 'net::ERR_NAME_NOT_RESOLVED',
  EAI_AGAIN: 'net::ERR_NAME_NOT_RESOLVED',
};

/** `localhost` is this machine, whatever a resolver says. */
const LOCALHOST = ['127.0.0.1', '::1'];

/** The system's resolver, every address, IPv4 first: not every machine has a way out over IPv6. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'ipv4first' })).map((entry) => entry.address);

class Refusal extends Error {
  readonly problem: EgressProblem;
  constructor(problem: EgressProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

const dial = (address: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, autoSelectFamily: false });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', fail);
      resolve(socket);
    });
  });

/**
 * A connection to an allowed host and port: the name is resolved once, the answer is checked, and exactly that address
 * is dialled, so a name that changes its mind between check and use (DNS rebinding) gains nothing.
 */
const reach = async (allow: AllowList, resolve: Resolve, host: string, port: number): Promise<Socket> => {
  const name = plainHost(host);
  const problem = (kind: EgressProblem['kind'], code: string, reason: string): Refusal =>
    new Refusal({ host: name, port, kind, code, reason });
  if (!allow.permitsEndpoint(name, port))
    throw problem('forbidden', 'blocked', `${name}:${port} is not among the addresses of this job`);
  let addresses: string[];
  try {
    if (isIP(name) !== 0) addresses = [name];
    else if (allow.mayBePrivate(name)) addresses = LOCALHOST;
    else addresses = await resolve(name);
  } catch (error) {
    throw problem('unreachable', 'net::ERR_NAME_NOT_RESOLVED', `${name} has no address: ${messageOf(error)}`);
  }
  const usable = allow.mayBePrivate(name) ? addresses : addresses.filter((address) => !isPrivateAddress(address));
  if (addresses.length > 0 && usable.length === 0)
    throw problem(
      'forbidden',
      'blocked',
      `${name} leads to a private address; the target has to name the address itself`,
    );
  let failure: unknown = Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
  for (const address of usable.slice(0, 4)) {
    try {
      return await dial(address, port);
    } catch (error) {
      failure = error;
    }
  }
  const code = codeOf(failure);
  throw problem(
    'unreachable',
    NET_ERRORS[code] ?? 'net::ERR_FAILED',
    `${name}:${port} cannot be reached: ${code || messageOf(failure)}`,
  );
};

const withoutHops = (headers: IncomingMessage['headers']): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && name !== PROBLEM_HEADER));

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/**
 * A forward proxy in this process for one session: `CONNECT` for https and sockets, absolute addresses for plain http.
 * Our own rather than a package: what matters is which address is dialled, and that is forty lines of it.
 */
export const openEgress = async (options: {
  allow: AllowList;
  resolve: Resolve;
  onProblem: (problem: EgressProblem) => void;
}): Promise<Egress> => {
  const { allow, resolve, onProblem } = options;
  const sockets = new Set<Duplex>();
  const track = <T extends Duplex>(socket: T): T => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const refusalOf = (error: unknown, host: string, port: number): EgressProblem => {
    const problem: EgressProblem =
      error instanceof Refusal
        ? error.problem
        : { host, port, kind: 'unreachable', code: 'net::ERR_FAILED', reason: messageOf(error) };
    onProblem(problem);
    return problem;
  };

  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = URL.parse(incoming.url ?? '');
    if (!url || url.protocol !== 'http:') {
      outgoing.writeHead(400).end();
      return;
    }
    const port = Number(url.port || 80);
    let upstream: Socket;
    try {
      upstream = track(await reach(allow, resolve, url.hostname, port));
    } catch (error) {
      const problem = refusalOf(error, url.hostname, port);
      const status = problem.kind === 'forbidden' ? 403 : 502;
      const body = `<!doctype html><html lang="en"><title>Not reached</title><h1>This page was not reached</h1><p>${escapeHtml(problem.reason)}</p></html>`;
      outgoing
        .writeHead(status, { 'content-type': 'text/html; charset=utf-8', [PROBLEM_HEADER]: problem.code })
        .end(body);
      return;
    }
    const ask = httpRequest({
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...withoutHops(incoming.headers), host: url.host, connection: 'close' },
      createConnection: () => upstream,
      maxHeaderSize: 65_536,
    });
    ask.once('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHops(answer.headers));
      answer.pipe(outgoing);
      answer.once('error', () => outgoing.destroy());
    });
    ask.once('error', () => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502, { [PROBLEM_HEADER]: 'net::ERR_EMPTY_RESPONSE' }).end();
    });
    outgoing.once('close', () => upstream.destroy());
    incoming.pipe(ask);
  };

  const tunnel = async (incoming: IncomingMessage, client: Duplex, head: Buffer): Promise<void> => {
    const target = URL.parse(`tunnel://${incoming.url ?? ''}`);
    const host = target?.hostname ?? '';
    const port = Number(target?.port ?? 0);
    try {
      const upstream = track(await reach(allow, resolve, host, port));
      upstream.once('error', () => client.destroy());
      upstream.once('close', () => client.destroy());
      client.once('close', () => upstream.destroy());
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    } catch (error) {
      const problem = refusalOf(error, host, port);
      client.end(`HTTP/1.1 ${problem.kind === 'forbidden' ? '403 Forbidden' : '502 Bad Gateway'}\r\n\r\n`);
    }
  };

  const server = createServer({ maxHeaderSize: 65_536, requestTimeout: 0 }, (incoming, outgoing) => {
    void forward(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => track(socket).on('error', () => socket.destroy()));
  server.on('connect', (incoming, client, head) => void tunnel(incoming, client, head).catch(() => client.destroy()));
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', fail);
      done();
    });
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
