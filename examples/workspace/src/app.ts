import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createCustomers } from './customers.ts';
import { BadRequest, NotFound } from './errors.ts';
import { createOrders } from './orders.ts';

const MAX_BODY_BYTES = 64 * 1024;

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) {
    text += piece;
    if (text.length > MAX_BODY_BYTES) throw new BadRequest('the body is too large');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest('the body must be a JSON object');
  }
  return value as Record<string, unknown>;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function statusOf(error: unknown): number {
  if (error instanceof BadRequest) return 400;
  if (error instanceof NotFound) return 404;
  return 500;
}

/** The API with its data in memory; the caller listens. */
export function createApp(): Server {
  const customers = createCustomers();
  const orders = createOrders(customers);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (request.method === 'POST' && path === '/customers') {
      return send(response, 201, customers.add(await readJson(request)));
    }
    if (request.method === 'GET' && path === '/customers') {
      return send(response, 200, customers.all());
    }
    if (request.method === 'POST' && path === '/orders') {
      return send(response, 201, orders.add(await readJson(request)));
    }
    const order = /^\/orders\/(\d+)$/.exec(path);
    if (request.method === 'GET' && order) {
      return send(response, 200, orders.get(Number(order[1])));
    }
    throw new NotFound(`no route ${request.method} ${path}`);
  }

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : 'unknown error';
      send(response, statusOf(error), { error: message });
    });
  });
}
