import { afterEach, describe, expect, it } from '@jest/globals';
import { dual } from '../../fakes/dual.ts';
import type { FakeGateway, Reply } from '../../fakes/gateway-server.ts';
import { JOB_ID, jobResult, problem, reply, startFakeGateway, TRACE_ID } from '../../fakes/gateway-server.ts';

let gateway: FakeGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
const run = async (argv: string[], routes: Record<string, Reply | Reply[]>) => {
  gateway = await startFakeGateway(routes);
  return dual(argv, { env: { WSL_GATEWAY_URL: gateway.url, GATEWAY_TOKEN: 'x' } });
};
const last = (): [string, unknown] => {
  const { method, path, body } = gateway?.asked.at(-1) ?? { method: '', path: '', body: null };
  return [`${method} ${path}`, body];
};
const taken = reply({}, 202);
const waiting = (kind: 'approval' | 'budget') =>
  reply(
    jobResult({
      status: 'awaiting_approval',
      waiting: { kind, approval_id: 'a-1', tool: 'bash', summary: 'make deploy', expires_at: '2026-11-25T11:00:00Z' },
    }),
  );

describe('dual cancel', () => {
  it.each([
    [TRACE_ID, `/trace/${TRACE_ID}/cancel`],
    [JOB_ID, `/jobs/${JOB_ID}/cancel`],
  ])('%s', async (id, path) => {
    expect((await run(['cancel', id, '--reason', 'too slow'], { [`POST ${path}`]: taken })).code).toBe(0);
    expect(last()).toEqual([`POST ${path}`, { reason: 'too slow' }]);
  });

  it('says that it is over already', async () => {
    const { code, err } = await run(['cancel', TRACE_ID], {
      [`POST /trace/${TRACE_ID}/cancel`]: problem(409, 'already-over', 'this task is over'),
    });
    expect([code, err]).toEqual([1, 'dual: this task is over (409)\n']);
    expect(last()[1]).toEqual({});
  });
});

describe('dual approve', () => {
  const status = `GET /status/${JOB_ID}`;
  const approval = `POST /jobs/${JOB_ID}/approval`;
  it.each<[string[], unknown, string]>([
    [[], { approval_id: 'a-1', decision: 'approve' }, 'approved: make deploy'],
    [
      ['--reject', '--note', 'not today'],
      { approval_id: 'a-1', decision: 'reject', note: 'not today' },
      'rejected: make deploy',
    ],
  ])('names what it approves: %j', async (options, body, words) => {
    const { code, out } = await run(['approve', JOB_ID, ...options], {
      [status]: waiting('approval'),
      [approval]: taken,
    });
    expect([code, out.trim(), last()]).toEqual([0, words, [approval, body]]);
  });

  it('a job that waits for nothing, or for money, gets no yes', async () => {
    expect((await run(['approve', JOB_ID], { [status]: reply(jobResult()) })).err).toContain(
      'waits for nothing: it is succeeded',
    );
    await gateway?.close();
    expect((await run(['approve', JOB_ID], { [status]: waiting('budget') })).err).toContain(
      `dual budget ${JOB_ID} USD`,
    );
    expect(last()[0]).toBe(status);
  });

  it('a worker that does not confirm is "not reachable", and a repetition is safe', async () => {
    const { code, err } = await run(['approve', JOB_ID], {
      [status]: waiting('approval'),
      [approval]: problem(503, 'not-confirmed', 'no worker answered'),
    });
    expect(code).toBe(3);
    expect(err).toContain('no worker answered (503)');
  });
});

it('dual budget and dual steer say what the gateway expects', async () => {
  expect((await run(['budget', JOB_ID, '1.50'], { [`POST /jobs/${JOB_ID}/budget`]: taken })).out).toBe('$1.50 added\n');
  expect(last()[1]).toEqual({ add_usd: 1.5 });
  expect(gateway?.asked.at(-1)?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  await gateway?.close();
  expect((await run(['steer', JOB_ID, 'use', 'tabs'], { [`POST /jobs/${JOB_ID}/steer`]: taken })).code).toBe(0);
  expect(last()[1]).toEqual({ text: 'use tabs' });
});

it('dual budget asks again under the same key while no worker confirms', async () => {
  const away = problem(503, 'not-confirmed', 'no worker answered', { 'retry-after': '0' });
  const path = `POST /jobs/${JOB_ID}/budget`;
  expect((await run(['budget', JOB_ID, '2'], { [path]: [away, away, taken] })).code).toBe(0);
  const keys = gateway?.asked.map(({ headers }) => headers['idempotency-key']) ?? [];
  expect([keys.length, new Set(keys).size]).toEqual([3, 1]);
  await gateway?.close();
  const { code, err } = await run(['budget', JOB_ID, '2'], { [path]: away });
  expect([code, err]).toEqual([3, expect.stringContaining('it may still be added, once')]);
});

it('dual open prints a link that works once', async () => {
  const login = { path: '/login?code=abc', expires_at: '2026-11-25T10:05:00.000Z' };
  const { code, out } = await run(['open'], { 'POST /login': reply(login, 201) });
  expect([code, out]).toEqual([0, `${gateway?.url ?? ''}/login?code=abc\n`]);
  expect(last()).toEqual(['POST /login', {}]);
});

describe('dual traces', () => {
  const row = (n: number) => ({
    trace_id: n.toString(16).padStart(32, '0'),
    status: 'succeeded',
    utterance: `say\u001b[31m ${n}`,
    session_id: null,
    jobs: [
      {
        job_id: `${n.toString(16).padStart(32, '0')}-1`,
        agent: 'coding',
        skill: 's',
        instruction: 'i',
        depends_on: [],
      },
    ],
    cost_usd: null,
    started_at: '2026-11-25T10:00:00.000Z',
    completed_at: null,
  });

  it('asks for what was asked, page after page, and no more', async () => {
    const { code, out } = await run(
      ['traces', '--status', 'succeeded', '--agent', 'coding', '--since', '2026-11-01', '--limit', '3', '--json'],
      {
        'GET /traces': [reply({ traces: [row(1), row(2)], next: 'c1' }), reply({ traces: [row(3)], next: 'c2' })],
      },
    );
    expect(code).toBe(0);
    expect(gateway?.asked.map(({ path }) => path)).toEqual([
      '/traces?status=succeeded&agent=coding&since=2026-11-01T00%3A00%3A00.000Z&limit=3',
      '/traces?status=succeeded&agent=coding&since=2026-11-01T00%3A00%3A00.000Z&limit=1&cursor=c1',
    ]);
    expect(JSON.parse(out)).toMatchObject({ traces: [{}, {}, {}], next: 'c2' });
  });

  it('shows a table without control characters, and an unknown price as unknown', async () => {
    const { out } = await run(['traces'], { 'GET /traces': reply({ traces: [row(1)], next: null }) });
    expect(out).toMatch(
      /^TRACE +STARTED \(UTC\) +STATUS +AGENTS +COST +SAID\n0{31}1 +2026-11-25 10:00:00 +succeeded +coding +unknown cost +say \[31m 1\n$/,
    );
  });

  it('of nothing says so', async () => {
    expect((await run(['traces'], { 'GET /traces': reply({ traces: [], next: null }) })).out).toBe('no tasks\n');
  });
});
