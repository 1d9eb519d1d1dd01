import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createApp } from '../src/app.ts';

describe('the API', () => {
  const app = createApp();
  let base = '';

  before(async () => {
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  });
  after(() => app.close());

  async function post(path: string, body: unknown): Promise<Response> {
    return fetch(base + path, { method: 'POST', body: JSON.stringify(body) });
  }

  it('takes a customer and an order', async () => {
    assert.equal((await post('/customers', { name: 'Ada', email: 'ada@example.com' })).status, 201);
    const lines = [{ product: 'tea', unit_cents: 500, quantity: 2 }];
    const created = await post('/orders', { customer_id: 1, lines });
    assert.equal(created.status, 201);
    const order = await (await fetch(`${base}/orders/1`)).json();
    assert.deepEqual(order, await created.json());
  });

  it('says what is wrong', async () => {
    const refused = await post('/orders', { customer_id: 1 });
    assert.equal(refused.status, 400);
    assert.deepEqual(await refused.json(), { error: 'lines must be a list that is not empty' });
    assert.equal((await fetch(`${base}/nothing`)).status, 404);
  });
});
