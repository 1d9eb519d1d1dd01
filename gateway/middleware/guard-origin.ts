import type { IncomingHttpHeaders } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { RequestHandler } from 'express';
import { ProblemError } from '../problems.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Names under which the gateway answers: loopback and the address it listens on; when it listens on all, the
 * addresses of this machine. Never a name of somebody else's choice, which is what DNS rebinding needs.
 */
export const allowedHosts = (listenHost: string): Set<string> => {
  const wildcard = listenHost === '0.0.0.0' || listenHost === '::';
  const own = wildcard
    ? Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? [])
    : [listenHost];
  const asWritten = own.map((address) => (address.includes(':') ? `[${address.replace(/%.*$/, '')}]` : address));
  return new Set([...LOOPBACK, ...asWritten.map((host) => host.toLowerCase())]);
};

const nameIn = (host: string): string => host.toLowerCase().replace(/:\d{1,5}$/, '');

/**
 * Refuses what a web page of somebody else could send: another Host (rebinding), another Origin, a cross-site fetch.
 * Programs send neither Origin nor Sec-Fetch-Site; our own page and a link typed by a person pass.
 * @throws ProblemError forbidden-host, forbidden-origin
 */
export const checkOrigin = (hosts: ReadonlySet<string>, headers: IncomingHttpHeaders): void => {
  const { host, origin } = headers;
  if (host === undefined || !hosts.has(nameIn(host)))
    throw new ProblemError('forbidden-host', 'use 127.0.0.1 or localhost, or the address it listens on');
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw new ProblemError('forbidden-origin', 'the Origin is not this gateway');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new ProblemError('forbidden-origin', 'the request comes from another site');
};

/** The first middleware: see `checkOrigin`. */
export const guardOrigin =
  (hosts: ReadonlySet<string>): RequestHandler =>
  (request, _response, next) => {
    checkOrigin(hosts, request.headers);
    next();
  };
