import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calcStuff, discountPercent, percentOf } from '../src/pricing.ts';

describe('discounts', () => {
  it('takes the larger of coupon and tier', () => {
    assert.equal(discountPercent('regular', null), 0);
    assert.equal(discountPercent('gold', null), 5);
    assert.equal(discountPercent('gold', 'SUMMER15'), 15);
  });

  it('is a whole number of cents', () => {
    assert.equal(percentOf(2000, 10), 200);
    assert.equal(percentOf(1004, 10), 100);
  });
});

describe('an order', () => {
  it('adds up its lines and the delivery', () => {
    const lines = [
      { product: 'tea', unitCents: 450, quantity: 2 },
      { product: 'mug', unitCents: 1200, quantity: 1 },
    ];
    assert.deepEqual(calcStuff(lines, 'regular', null), {
      subtotalCents: 2100,
      discountCents: 0,
      deliveryCents: 490,
      totalCents: 2590,
    });
  });

  it('rounds half a cent of discount up', () => {
    const lines = [{ product: 'teapot', unitCents: 1995, quantity: 1 }];
    assert.equal(calcStuff(lines, 'regular', 'WELCOME10').totalCents, 2285);
  });

  it('is delivered for nothing from 50.00 after the discount', () => {
    const lines = [{ product: 'kettle', unitCents: 5400, quantity: 1 }];
    assert.equal(calcStuff(lines, 'regular', null).deliveryCents, 0);
    assert.equal(calcStuff(lines, 'regular', 'WELCOME10').deliveryCents, 490);
  });
});
