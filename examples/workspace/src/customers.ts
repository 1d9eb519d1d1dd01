import { BadRequest, NotFound } from './errors.ts';

export type Tier = 'regular' | 'gold';

export interface Customer {
  id: number;
  name: string;
  email: string;
  tier: Tier;
  /** Orders a customer may have open at once. */
  maxOpenOrders: number;
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

function requireTier(value: unknown): Tier {
  if (value === undefined) return 'regular';
  if (value !== 'regular' && value !== 'gold') {
    throw new BadRequest('tier must be "regular" or "gold"');
  }
  return value;
}

/** Customers in memory, numbered from 1. */
export function createCustomers() {
  const customers: Customer[] = [];
  return {
    add(input: Record<string, unknown>): Customer {
      const email = requireText(input.email, 'email').toLowerCase();
      if (!email.includes('@')) throw new BadRequest('email must contain an @');
      if (customers.some((known) => known.email === email)) throw new BadRequest('email is already known');
      const customer: Customer = {
        id: customers.length + 1,
        name: requireText(input.name, 'name'),
        email,
        tier: requireTier(input.tier),
        maxOpenOrders: requireCount(input.max_open_orders ?? 10, 'max_open_orders'),
      };
      customers.push(customer);
      return customer;
    },

    all(): Customer[] {
      return [...customers];
    },

    get(id: number): Customer {
      const customer = customers[id - 1];
      if (!customer) throw new NotFound(`no customer ${id}`);
      return customer;
    },
  };
}

export type Customers = ReturnType<typeof createCustomers>;
