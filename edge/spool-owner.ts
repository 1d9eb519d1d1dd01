import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../platform/errors.ts';

/** Gives the name back. */
export type ReleaseName = () => Promise<void>;

/**
 * Takes a name of this machine for this process, until it is released or the process ends in whatever way; null:
 * another living process has it. @throws when the system refuses
 */
export type TakeName = (name: string) => Promise<ReleaseName | null>;

/** A listening pipe or socket: the system frees it with the process, so neither process numbers nor clocks are asked. */
const addressOf = (name: string, platform: NodeJS.Platform): string => {
  if (platform === 'win32') return `\\\\.\\pipe\\dual-edge-${name}`;
  // Linux knows names that are no files.
  if (platform === 'linux') return `\0dual-edge-${name}`;
  return join(tmpdir(), `dual-edge-${name}.sock`);
};

/** null: the address is in use. */
const listen = (address: string): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });

/** A socket file whose process ended refuses. */
const isDead = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(address);
    const done = (dead: boolean): void => {
      connection.destroy();
      resolve(dead);
    };
    connection.once('connect', () => done(false));
    connection.once('error', (error) => done(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error))));
  });

/**
 * Names as the operating system keeps them: one holder each. On other than Windows and Linux two takers of a dead
 * holder's name may both succeed when they come in the same millisecond.
 */
export const createTakeName =
  (platform: NodeJS.Platform = process.platform): TakeName =>
  async (name) => {
    const address = addressOf(name, platform);
    let server = await listen(address);
    if (!server && platform !== 'win32' && platform !== 'linux' && (await isDead(address))) {
      await rm(address, { force: true });
      server = await listen(address);
    }
    if (!server) return null;
    const held = server;
    return () => new Promise((resolve) => held.close(() => resolve()));
  };
