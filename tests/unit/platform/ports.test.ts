import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePortWithNeighbour, freePorts, isFree } from '../../../platform/ports.ts';

const HOST = '127.0.0.1';

describe('ports', () => {
  it('gives different free ports, and one whose neighbour is free', async () => {
    const ports = await freePorts(5, HOST);
    expect(new Set(ports).size).toBe(5);
    const port = await freePortWithNeighbour(1_000, HOST);
    expect([await isFree(port, HOST), await isFree(port + 1_000, HOST)]).toEqual([true, true]);
  });

  it('takes none that an outgoing connection could take in between', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    const { port: outgoing } = server.address() as AddressInfo;
    expect(await isFree(outgoing, HOST)).toBe(false);
    // 32768: where Linux begins its own range; elsewhere it begins later.
    expect(outgoing).toBeGreaterThanOrEqual(32_768);
    expect(Math.max(...(await freePorts(50, HOST)))).toBeLessThan(32_768);
    await new Promise((resolve) => server.close(resolve));
  });

  it('says so when the host is not ours', async () => {
    // 192.0.2.0/24 is set aside for documentation: no machine has it.
    await expect(freePorts(1, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});
