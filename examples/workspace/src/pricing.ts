import type { Tier } from './customers.ts';

export interface OrderLine {
  product: string;
  unitCents: number;
  quantity: number;
}

/** All in whole cents. */
export interface Totals {
  subtotalCents: number;
  discountCents: number;
  deliveryCents: number;
  totalCents: number;
}

const COUPON_PERCENT: Record<string, number> = { WELCOME10: 10, SUMMER15: 15 };
const GOLD_PERCENT = 5;
const DELIVERY_CENTS = 490;
const FREE_DELIVERY_FROM_CENTS = 5000;

export function isCoupon(code: string): boolean {
  return Object.hasOwn(COUPON_PERCENT, code);
}

/** Per cent taken off: the coupon's or the customer's own, whichever is more. */
export function discountPercent(tier: Tier, coupon: string | null): number {
  const own = tier === 'gold' ? GOLD_PERCENT : 0;
  const couponPercent = coupon === null ? 0 : (COUPON_PERCENT[coupon] ?? 0);
  return Math.max(own, couponPercent);
}

/** A share of an amount, rounded to the nearest cent, half a cent up. */
export function percentOf(cents: number, percent: number): number {
  return Math.floor((cents * percent) / 100);
}

/** Prices an order: lines, less the discount, plus delivery. */
export function calcStuff(lines: OrderLine[], tier: Tier, coupon: string | null): Totals {
  const subtotalCents = lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
  const discountCents = percentOf(subtotalCents, discountPercent(tier, coupon));
  const goodsCents = subtotalCents - discountCents;
  const deliveryCents = goodsCents >= FREE_DELIVERY_FROM_CENTS ? 0 : DELIVERY_CENTS;
  return { subtotalCents, discountCents, deliveryCents, totalCents: goodsCents + deliveryCents };
}
