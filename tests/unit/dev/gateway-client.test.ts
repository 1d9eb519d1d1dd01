import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createGatewayClient } from '../../../dev/gateway-client.ts';
import { TRACE_ID } from '../../fixtures/dev/fake-task.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});
const clientOf = async (listener: RequestListener) => {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return createGatewayClient(`http://127.0.0.1:${port}`, 'the-token', AbortSignal.timeout(20_000), 5);
};
describe('the gateway client', () => {
  it('sends the token and a final transcript, and takes nothing but "accepted" for an answer', async () => {
    let body = '';
    let status = 'accepted';
    const client = await clientOf((request, response) => {
      expect(request.headers.authorization).toBe('Bearer the-token');
      body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(JSON.stringify({ status, trace_id: TRACE_ID, reason: 'small talk' })));
    });
    await expect(client.submit('Do it.')).resolves.toBe(TRACE_ID);
    expect(JSON.parse(body)).toMatchObject({ text: 'Do it.', is_final: true });
    status = 'declined';
    await expect(client.submit('Hello.')).rejects.toThrow(/not accepted.*small talk/);
  });

  it('says what the gateway answered when it refused', async () => {
    const client = await clientOf((_request, response) => {
      response.statusCode = 503;
      response.end('{"detail":"Temporal cannot be reached"}');
    });
    await expect(client.result(TRACE_ID)).rejects.toThrow(/answered 503: .*Temporal cannot be reached/);
  });

  it('gives up on an event stream that is cut again and again', async () => {
    let connections = 0;
    const client = await clientOf((_request, response) => {
      connections += 1;
      response.destroy();
    });
    await expect(client.events(TRACE_ID).next()).rejects.toThrow(/event stream broke/);
    expect(connections).toBeGreaterThan(5);
  });
});
