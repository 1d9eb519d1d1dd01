import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { assertFree } from '../../../dev/ports.ts';
import { freePorts } from '../../../platform/ports.ts';

const open: Server[] = [];
const occupy = async (): Promise<number> => {
  const server = createServer();
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
});

describe('ports', () => {
  it('names port, purpose, holder and variable of every port that is taken', async () => {
    const taken = await occupy();
    const [free = 0] = await freePorts(1, '127.0.0.1');
    const claim = (port: number) => ({ port, host: '127.0.0.1', purpose: 'gateway', change: 'WSL_GATEWAY_PORT' });
    await expect(assertFree([claim(free)])).resolves.toBeUndefined();
    await expect(assertFree([claim(free), claim(taken)])).rejects.toMatchObject({
      type: 'EnvironmentBusy',
      retryable: false,
      message: expect.stringMatching(
        new RegExp(
          process.platform === 'linux'
            ? `^port ${taken} \\(gateway\\) is in use by process ${process.pid} \\(.*jest.*\\); end it, or choose another port with WSL_GATEWAY_PORT$`
            : `^port ${taken} \\(gateway\\) is in use by .*WSL_GATEWAY_PORT$`,
        ),
      ),
    });
  });

  it('says so when the host is not ours', async () => {
    // 192.0.2.0/24 is set aside for documentation: no machine has it.
    const claim = { port: 0, host: '192.0.2.1', purpose: 'gateway', change: 'WSL_GATEWAY_HOST' };
    await expect(assertFree([claim])).rejects.toThrow(/cannot be used on 192\.0\.2\.1: EADDRNOTAVAIL/);
  });
});
