import type { Customers } from './customers.ts';
import { BadRequest, NotFound } from './errors.ts';
import { calcStuff, isCoupon } from './pricing.ts';
import type { OrderLine, Totals } from './pricing.ts';

export interface Order extends Totals {
  id: number;
  customerId: number;
  lines: OrderLine[];
  coupon: string | null;
}

function requireText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new BadRequest(`${name} must be a text that is not empty`);
  }
  return value.trim();
}

function requireCount(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new BadRequest(`${name} must be a whole number of at least 1`);
  }
  return value;
}

function readLines(value: unknown): OrderLine[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest('lines must be a list that is not empty');
  }
  return value.map((line: Record<string, unknown>, at) => ({
    product: requireText(line.product, `lines[${at}].product`),
    unitCents: requireCount(line.unit_cents, `lines[${at}].unit_cents`),
    quantity: requireCount(line.quantity, `lines[${at}].quantity`),
  }));
}

function readCoupon(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const code = requireText(value, 'coupon').toUpperCase();
  if (!isCoupon(code)) throw new BadRequest(`no coupon ${code}`);
  return code;
}

/** Orders in memory, numbered from 1. */
export function createOrders(customers: Customers) {
  const orders: Order[] = [];
  return {
    add(input: Record<string, unknown>): Order {
      const customer = customers.get(requireCount(input.customer_id, 'customer_id'));
      if (orders.filter((order) => order.customerId === customer.id).length >= customer.maxOpenOrders) {
        throw new BadRequest(`customer ${customer.id} has too many open orders`);
      }
      const lines = readLines(input.lines);
      const coupon = readCoupon(input.coupon);
      const order: Order = {
        id: orders.length + 1,
        customerId: customer.id,
        lines,
        coupon,
        ...calcStuff(lines, customer.tier, coupon),
      };
      orders.push(order);
      return order;
    },

    get(id: number): Order {
      const order = orders[id - 1];
      if (!order) throw new NotFound(`no order ${id}`);
      return order;
    },
  };
}

export type Orders = ReturnType<typeof createOrders>;
