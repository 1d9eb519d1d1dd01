import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCustomers } from '../src/customers.ts';
import { BadRequest, NotFound } from '../src/errors.ts';
import { createOrders } from '../src/orders.ts';

function shop() {
  const customers = createCustomers();
  customers.add({ name: 'Ada', email: 'ada@example.com', tier: 'gold' });
  return { customers, orders: createOrders(customers) };
}

const tea = { product: 'tea', unit_cents: 400, quantity: 3 };

describe('customers', () => {
  it('are numbered and regular unless said otherwise', () => {
    const { customers } = shop();
    const bob = customers.add({ name: ' Bob ', email: 'BOB@example.com' });
    assert.deepEqual([bob.id, bob.name, bob.email, bob.tier], [2, 'Bob', 'bob@example.com', 'regular']);
    assert.equal(customers.all().length, 2);
  });

  it('need a name and an address of their own', () => {
    const { customers } = shop();
    assert.throws(() => customers.add({ email: 'x@example.com' }), BadRequest);
    assert.throws(() => customers.add({ name: 'X', email: 'nowhere' }), BadRequest);
    assert.throws(() => customers.add({ name: 'X', email: 'ada@example.com' }), /already known/);
  });
});

describe('orders', () => {
  it('are priced with the discount of their customer', () => {
    const order = shop().orders.add({ customer_id: 1, lines: [tea] });
    assert.equal(order.subtotalCents, 1200);
    assert.equal(order.discountCents, 60);
    assert.equal(order.totalCents, 1630);
  });

  it('know their coupons', () => {
    const { orders } = shop();
    assert.equal(orders.add({ customer_id: 1, lines: [tea], coupon: 'welcome10' }).coupon, 'WELCOME10');
    assert.throws(() => orders.add({ customer_id: 1, lines: [tea], coupon: 'FREE' }), /no coupon FREE/);
  });

  it('refuse what is not an order', () => {
    const { orders } = shop();
    assert.throws(() => orders.add({ customer_id: 7, lines: [tea] }), NotFound);
    assert.throws(() => orders.add({ customer_id: 1, lines: [] }), BadRequest);
    assert.throws(() => orders.add({ customer_id: 1, lines: [{ ...tea, quantity: 0.5 }] }), /quantity/);
    assert.throws(() => orders.get(1), NotFound);
  });
});
