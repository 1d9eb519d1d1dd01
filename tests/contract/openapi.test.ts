import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AcceptedReply, FinalReply } from '../../contracts/replies.ts';
import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import { openGateway, TOKEN } from '../fakes/gateway.ts';
import type { TestGateway } from '../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../fakes/scripted-router.ts';

interface Operation {
  parameters: { name: string; in: string; required: boolean }[];
  security: unknown[];
  requestBody?: { required: boolean };
  responses: Record<string, { description: string; content: Record<string, { schema?: Record<string, unknown> }> }>;
}
interface Description {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

let gateway: TestGateway;
let description: Description;
const observed = new Set<string>();

/** Sends a request along a described route, and holds the answer against the description. */
const probe = async (
  method: string,
  path: string,
  options: {
    params?: Record<string, string>;
    query?: string;
    body?: unknown;
    init?: RequestInit;
    on?: TestGateway;
  } = {},
): Promise<{ status: number; json: unknown }> => {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => options.params?.[name] ?? 'x');
  const { headers, ...init } = options.init ?? {};
  const response = await fetch(`${(options.on ?? gateway).url}${filled}${options.query ?? ''}`, {
    method,
    redirect: 'manual',
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    ...init,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(headers as Record<string, string> | undefined),
    },
  });
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const text = await response.text();
  const operation = description.paths[path]?.[method.toLowerCase()];
  const declared = operation?.responses[response.status];
  if (!operation || !declared) throw new Error(`${method} ${path} answered ${response.status}, which is not described`);
  observed.add(`${method} ${path} ${response.status}`);
  expect(Object.keys(declared.content)).toContain(type);
  const json: unknown = /json/.test(type) ? JSON.parse(text) : text;
  const schema = declared.content[type]?.schema;
  if (schema) {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const valid = ajv.validate({ ...schema, components: description.components }, json);
    expect({ path, status: response.status, errors: valid ? null : ajv.errorsText() }).toMatchObject({ errors: null });
  }
  return { status: response.status, json };
};

const asks = routeOf('clarify', [clauseOf('site', { skill: 'validate-site', ask: true, missing: ['target'] })]);
const router = createScriptedRouter({ site: asks, stop: routeOf('control', [], { action: 'cancel', target: 'last' }) });

beforeAll(async () => {
  gateway = await openGateway({ router });
  description = (await (await gateway.call('/openapi.json')).json()) as Description;
});
afterAll(() => gateway.close());

const said = (text: string, more: Record<string, unknown> = {}) => ({ text, is_final: true, ...more });
const order = async (): Promise<{ trace_id: string; job_id: string }> => {
  const { json } = await probe('POST', '/transcript', { body: said('refactor') });
  const { trace_id, jobs } = json as AcceptedReply;
  return { trace_id, job_id: jobs[0]?.job_id ?? '' };
};
const statusOf = async (...request: Parameters<typeof probe>): Promise<number> => (await probe(...request)).status;
const operations = (): [string, string, Operation][] =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      method.toUpperCase(),
      path,
      operation,
    ]),
  );

describe('the description', () => {
  it('names every route of the contract', () => {
    expect(description.openapi).toBe('3.1.0');
    expect(
      operations()
        .map(([method, path]) => `${method} ${path}`)
        .sort(),
    ).toEqual([
      'GET /agents',
      'GET /artifacts/{sha256}',
      'GET /health',
      'GET /login',
      'GET /metrics',
      'GET /openapi.json',
      'GET /ready',
      'GET /skills',
      'GET /status/{job_id}',
      'GET /trace/{trace_id}',
      'GET /trace/{trace_id}/events',
      'GET /traces',
      'POST /jobs/{job_id}/approval',
      'POST /jobs/{job_id}/budget',
      'POST /jobs/{job_id}/cancel',
      'POST /jobs/{job_id}/steer',
      'POST /login',
      'POST /task',
      'POST /trace/{trace_id}/cancel',
      'POST /transcript',
    ]);
  });

  it('names every parameter of every path', () => {
    for (const [, path, { parameters }] of operations()) {
      const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
    }
  });
});

describe('the server does what the description says', () => {
  it('transcripts', async () => {
    expect(await statusOf('POST', '/transcript', { body: said('refactor', { utterance_id: 'u' }) })).toBe(202);
    expect(await statusOf('POST', '/transcript', { body: { text: 'ref', is_final: false } })).toBe(202);
    const replies: FinalReply['status'][] = [];
    for (const text of ['hello', 'site', 'stop'])
      replies.push(((await probe('POST', '/transcript', { body: said(text) })).json as FinalReply).status);
    expect(replies).toEqual(['declined', 'clarify', 'control']);
    expect(await statusOf('POST', '/transcript', { body: said('other', { utterance_id: 'u' }) })).toBe(409);
    expect(await statusOf('POST', '/task', { body: { utterance: 'refactor' } })).toBe(202);
    expect(await statusOf('POST', '/task', { body: { utterance: 'hello' } })).toBe(200);
    gateway.engine.away = true;
    expect(await statusOf('POST', '/transcript', { body: said('refactor') })).toBe(503);
    expect(await statusOf('POST', '/task', { body: { utterance: 'refactor' } })).toBe(503);
    gateway.engine.away = false;
  });

  it('traces and jobs', async () => {
    const { trace_id, job_id } = await order();
    const trace = { params: { trace_id } };
    const job = { params: { job_id } };
    const bodies: Record<string, unknown> = {
      approval: { approval_id: 'a', decision: 'approve' },
      budget: { add_usd: 1 },
      steer: { text: 'x' },
      cancel: {},
    };
    const commands = Object.keys(bodies);
    const command = (name: string, params: Record<string, string>): Promise<number> =>
      statusOf('POST', `/jobs/{job_id}/${name}`, { params, body: bodies[name] });

    expect(await statusOf('GET', '/trace/{trace_id}', trace)).toBe(200);
    expect(await statusOf('GET', '/status/{job_id}', job)).toBe(200);
    expect(await statusOf('POST', '/trace/{trace_id}/cancel', trace)).toBe(202);
    for (const name of commands) expect([name, await command(name, { job_id })]).toEqual([name, 202]);
    gateway.engine.onUpdate = () => ({ outcome: 'unconfirmed' });
    for (const name of ['approval', 'budget']) expect(await command(name, { job_id })).toBe(503);
    gateway.engine.onUpdate = () => ({ outcome: 'done' });

    const nobody = { trace_id: '0'.repeat(32), job_id: `${'0'.repeat(32)}-1` };
    for (const name of commands) expect([name, await command(name, nobody)]).toEqual([name, 404]);
    expect(await statusOf('POST', '/trace/{trace_id}/cancel', { params: nobody })).toBe(404);
    expect(await statusOf('GET', '/trace/{trace_id}', { params: nobody })).toBe(404);
    expect(await statusOf('GET', '/trace/{trace_id}/events', { params: nobody })).toBe(404);
    expect(await statusOf('GET', '/status/{job_id}', { params: nobody })).toBe(404);

    gateway.engine.away = true;
    for (const name of commands) expect([name, await command(name, { job_id })]).toEqual([name, 503]);
    expect(await statusOf('POST', '/trace/{trace_id}/cancel', trace)).toBe(503);
    expect(await statusOf('GET', '/trace/{trace_id}', trace)).toBe(503);
    expect(await statusOf('GET', '/trace/{trace_id}/events', trace)).toBe(503);
    expect(await statusOf('GET', '/status/{job_id}', job)).toBe(503);
    expect(await statusOf('GET', '/traces')).toBe(503);
    gateway.engine.away = false;

    gateway.engine.close(agentJobId(job_id), {});
    gateway.engine.close(voiceTaskId(trace_id), {});
    for (const name of commands) expect([name, await command(name, { job_id })]).toEqual([name, 409]);
    expect(await statusOf('POST', '/trace/{trace_id}/cancel', trace)).toBe(409);
    expect(await statusOf('GET', '/trace/{trace_id}', trace)).toBe(200);
    expect(await statusOf('GET', '/trace/{trace_id}/events', trace)).toBe(200);
    expect(await statusOf('GET', '/traces')).toBe(200);
    expect(await statusOf('GET', '/traces', { query: '?limit=no' })).toBe(400);
  });

  it('skills, artifacts and operations', async () => {
    const { sha256 } = await gateway.artifacts.put('<script>', { name: 'a "b".html', mediaType: 'text/html' });
    expect(await statusOf('GET', '/artifacts/{sha256}', { params: { sha256 } })).toBe(200);
    expect(await statusOf('GET', '/artifacts/{sha256}', { params: { sha256: '0'.repeat(64) } })).toBe(404);
    for (const path of ['/skills', '/agents', '/openapi.json', '/health', '/ready', '/metrics'])
      expect(await statusOf('GET', path)).toBe(200);
    gateway.engine.reasons = ['no worker polls dual-workflows (workflows)'];
    const other = await openGateway({ engine: gateway.engine });
    const { status, json } = await probe('GET', '/ready', { on: other });
    expect([status, json]).toMatchObject([503, { reasons: gateway.engine.reasons }]);
    gateway.engine.reasons = [];
    await other.close();
    const { path } = (await probe('POST', '/login')).json as { path: string };
    expect(await statusOf('GET', '/login', { query: path.slice('/login'.length) })).toBe(303);
    expect(await statusOf('GET', '/login', { query: '?code=used' })).toBe(401);
    expect(await statusOf('GET', '/login')).toBe(400);
  });

  it('what every route answers to those who may not come in, or bring the wrong thing', async () => {
    for (const [method, path, { security, requestBody }] of operations()) {
      expect(await statusOf(method, path, { init: { headers: { origin: 'http://evil.test' } } })).toBe(403);
      if (security.length > 0) {
        expect(await statusOf(method, path, { init: { headers: { authorization: 'Bearer no' } } })).toBe(401);
      }
      if (!requestBody) continue;
      const params = { trace_id: '0'.repeat(32), job_id: `${'0'.repeat(32)}-1` };
      expect(await statusOf(method, path, { params, body: { unknown: 1 } })).toBe(400);
      expect(await statusOf(method, path, { params, body: 'x'.repeat(70_000) })).toBe(413);
      const init = { body: 'x', headers: { 'content-type': 'text/plain' } };
      expect(await statusOf(method, path, { params, init })).toBe(415);
    }
  });

  it('429 everywhere when too much is under way', async () => {
    const small = await openGateway({ maxInFlight: 1, router });
    let release = (): void => undefined;
    const started = new Promise<void>((resolve) => {
      small.engine.beforeStart = () => {
        resolve();
        return new Promise<void>((end) => (release = end));
      };
    });
    const held = small.call('/transcript', said('refactor'));
    await started;
    for (const [method, path, { security }] of operations())
      if (security.length > 0) expect(await statusOf(method, path, { on: small })).toBe(429);
    release();
    expect((await held).status).toBe(202);
    await small.close();
  });

  it('500 when something breaks inside', async () => {
    gateway.engine.beforeStart = () => {
      throw new Error('broken');
    };
    expect(await statusOf('POST', '/transcript', { body: said('refactor') })).toBe(500);
    gateway.engine.beforeStart = () => undefined;
  });

  it('and nothing is described that was not seen (500 stands for all routes)', () => {
    const described = operations()
      .flatMap(([method, path, { responses }]) => Object.keys(responses).map((status) => `${method} ${path} ${status}`))
      .filter((one) => !one.endsWith(' 500') || one.startsWith('POST /transcript'));
    expect([...observed].sort()).toEqual(described.sort());
  });
});

describe('artifacts', () => {
  it.each([
    ['text/html', 'application/octet-stream', 'attachment'],
    ['image/svg+xml', 'application/octet-stream', 'attachment'],
    ['application/zip', 'application/octet-stream', 'attachment'],
    ['text/plain', 'text/plain; charset=utf-8', 'inline'],
    ['application/json', 'application/json', 'inline'],
    ['image/png', 'image/png', 'inline'],
  ])('of type %s are given as %s, %s', async (mediaType, type, kind) => {
    const { sha256 } = await gateway.artifacts.put(`bytes of ${mediaType}`, { name: 'naïve "x".txt', mediaType });
    const response = await gateway.call(`/artifacts/${sha256}`);
    expect(await response.text()).toBe(`bytes of ${mediaType}`);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-disposition')).toBe(
      `${kind}; filename="na_ve _x_.txt"; filename*=UTF-8''na%C3%AFve%20%22x%22.txt`,
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  });
});

describe('metrics', () => {
  it('are Prometheus text with the names of the contract', async () => {
    const response = await gateway.call('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    for (const line of [
      'dual_orchestrator_trace_events_total{phase="submitted"}',
      'dual_orchestrator_trace_write_seconds_bucket',
      'dual_orchestrator_transcripts_total{kind="final"}',
      'dual_orchestrator_transcripts_total{kind="partial"}',
      'dual_orchestrator_router_decisions_total{decision="dispatch"}',
      'dual_orchestrator_router_seconds_bucket',
      'dual_orchestrator_jobs_in_flight{agent="coding"}',
      'dual_orchestrator_build_info{process="gateway"',
    ])
      expect(text).toContain(line);
  });
});
