import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Transcript } from '../../../contracts/transcript.ts';
import { createGateway, retryAfterMs } from '../../../cli/gateway.ts';
import { loadCliSettings } from '../../../cli/settings.ts';
import { submit } from '../../../cli/say.ts';
import { dual } from '../../fakes/dual.ts';
import type { FakeGateway, Reply } from '../../fakes/gateway-server.ts';
import {
  accepted,
  doneText,
  eventText,
  hangUp,
  JOB_ID,
  jobResult,
  problem,
  reply,
  startFakeGateway,
  stream,
  taskResult,
  traceEvent,
  TRACE_ID,
} from '../../fakes/gateway-server.ts';

let gateway: FakeGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
const start = async (routes: Record<string, Reply | Reply[]>): Promise<Record<string, string>> => {
  gateway = await startFakeGateway(routes);
  return { WSL_GATEWAY_URL: gateway.url, GATEWAY_TOKEN: 'secret-token' };
};
const finished = {
  'POST /transcript': reply(accepted, 202),
  [`GET /trace/${TRACE_ID}/events`]: stream(eventText(traceEvent(1), traceEvent(2)) + doneText),
  [`GET /trace/${TRACE_ID}`]: reply(taskResult()),
};

describe('dual say', () => {
  it('submits a final with a fresh id, shows what happens, then the answer', async () => {
    const env = await start(finished);
    const { code, out, err } = await dual(['say', 'run the', 'tests'], { env });
    expect([code, err]).toEqual([0, '']);
    const [first] = gateway?.asked ?? [];
    const body = Transcript.parse(first?.body);
    expect(body).toMatchObject({ text: 'run the tests', is_final: true });
    expect(body.utterance_id).toMatch(/^cli-[0-9a-f-]{36}$/);
    expect(body.session_id).toMatch(/^cli-/);
    expect(first?.headers['authorization']).toBe('Bearer secret-token');
    expect(out.indexOf('accepted: one job')).toBeLessThan(out.indexOf('step 1'));
    expect(out.indexOf('step 1')).toBeLessThan(out.indexOf('step 2'));
    expect(out.indexOf('step 2')).toBeLessThan(out.indexOf('succeeded in 4 s: run the tests'));
    expect(out).toContain('rehearsal');
  });

  it('--json is one JSON object and nothing else', async () => {
    const { code, out, err } = await dual(['say', 'run the tests', '--json', '--wait'], { env: await start(finished) });
    expect([code, err, JSON.parse(out)]).toEqual([0, '', taskResult()]);
    expect(out.trim().split('\n').length).toBe(1);
  });

  it('--no-wait ends with the acceptance', async () => {
    const env = await start({ 'POST /transcript': reply(accepted, 202) });
    const { code, out } = await dual(['say', 'run the tests', '--no-wait', '--json'], { env });
    expect([code, JSON.parse(out)]).toEqual([0, accepted]);
    expect(gateway?.asked.length).toBe(1);
  });

  it.each([
    ['failed', 1],
    ['cancelled', 1],
    ['partially_succeeded', 1],
    ['succeeded', 0],
  ] as const)('%s ends with %i', async (status, expected) => {
    const env = await start({ ...finished, [`GET /trace/${TRACE_ID}`]: reply(taskResult({ status })) });
    expect((await dual(['say', 'run the tests'], { env })).code).toBe(expected);
  });

  it.each<[object, number, string]>([
    [
      { status: 'declined', trace_id: TRACE_ID, reason: 'no order (0.97)' },
      4,
      'not taken as an order: no order (0.97)',
    ],
    [
      {
        status: 'clarify',
        trace_id: TRACE_ID,
        question: 'Which site?',
        candidates: [{ skill: 'a', text: 'does a', score: 0.5 }],
        missing: [],
      },
      4,
      'Which site?\n  a: does a (0.50)',
    ],
    [
      {
        status: 'control',
        trace_id: TRACE_ID,
        action: 'cancel',
        target: 'last',
        outcome: 'done',
        message: 'being stopped',
      },
      0,
      'being stopped',
    ],
    [
      {
        status: 'control',
        trace_id: TRACE_ID,
        action: 'cancel',
        target: 'last',
        outcome: 'nothing',
        message: 'nothing runs',
      },
      4,
      'nothing runs',
    ],
  ])('%j', async (body, expected, words) => {
    const env = await start({ 'POST /transcript': reply(body) });
    const { code, out } = await dual(['say', 'hello'], { env });
    expect(code).toBe(expected);
    expect(out).toContain(words);
    expect(JSON.parse((await dual(['say', 'hello', '--json'], { env })).out)).toEqual(body);
  });

  it('repeats the same words under the same id while the gateway is away or busy', async () => {
    const env = await start({
      ...finished,
      'POST /transcript': [
        problem(503, 'unavailable', 'Temporal cannot be reached', { 'retry-after': '0' }),
        hangUp,
        problem(429, 'too-many', 'too much', { 'retry-after': '0' }),
        reply(accepted, 202),
      ],
    });
    const { code, err } = await dual(['say', 'run the tests', '--json'], { env });
    expect(code).toBe(0);
    const posts = (gateway?.asked ?? []).filter(({ method }) => method === 'POST');
    expect(posts.length).toBe(4);
    expect(new Set(posts.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(err).toContain('Temporal cannot be reached (503); trying again');
  });

  it('gives up on a gateway that stays away: not reachable', async () => {
    const nobody = await startFakeGateway({});
    await nobody.close();
    const settings = loadCliSettings({ WSL_GATEWAY_URL: nobody.url, GATEWAY_TOKEN: 'x' });
    const signal = new AbortController().signal;
    const body = { text: 'x', utterance_id: 'u', session_id: 's' };
    await expect(
      submit(createGateway({ settings, signal }), body, { err: () => undefined, signal }, 300),
    ).rejects.toMatchObject({
      code: 3,
      refused: true,
      message: expect.stringContaining('ECONNREFUSED') as unknown,
    });
  });

  it.each<[Reply, number, string]>([
    [problem(401, 'unauthorized', 'A bearer token is needed'), 1, 'the gateway does not know this token'],
    [problem(409, 'utterance-conflict', 'used for another text'), 1, 'used for another text (409)'],
    [problem(400, 'bad-request', 'text: too long'), 1, 'text: too long (400)'],
    [reply('surprise'), 1, 'does not know'],
    [(response) => void response.writeHead(500).end('<html>'), 1, '(500)'],
  ])('an answer that trying again cannot mend is final', async (answer, expected, words) => {
    const { code, err } = await dual(['say', 'x'], { env: await start({ 'POST /transcript': answer }) });
    expect(code).toBe(expected);
    expect(err).toContain(words);
    expect(gateway?.asked.length).toBe(1);
  });

  it('without a token it says where the token would be', async () => {
    const { WSL_GATEWAY_URL = '' } = await start({
      'POST /transcript': problem(401, 'unauthorized', 'A bearer token is needed'),
    });
    const { err } = await dual(['say', 'x'], { env: { WSL_GATEWAY_URL, GATEWAY_TOKEN_FILE: '/nowhere/token' } });
    expect(err).toContain('there is no token: the gateway writes it to /nowhere/token');
    expect(gateway?.asked[0]?.headers['authorization']).toBeUndefined();
  });

  it('reads the token from its file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dual-token-'));
    try {
      writeFileSync(join(dir, 'token'), 'from-a-file\n');
      const { WSL_GATEWAY_URL = '' } = await start({ 'POST /transcript': reply(accepted, 202) });
      await dual(['say', 'x', '--no-wait'], { env: { WSL_GATEWAY_URL, GATEWAY_TOKEN_FILE: join(dir, 'token') } });
      expect(gateway?.asked[0]?.headers['authorization']).toBe('Bearer from-a-file');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('Ctrl-C while it waits leaves the task alone and says how to go on', async () => {
    const env = await start({
      ...finished,
      [`GET /trace/${TRACE_ID}/events`]: stream(eventText(traceEvent(1)), 'hang'),
    });
    const interrupt = new AbortController();
    const { code, err } = await dual(['say', 'run the tests'], {
      env,
      signal: interrupt.signal,
      onOut: (text) => {
        if (text.includes('step 1')) interrupt.abort(new Error('interrupted'));
      },
    });
    expect(code).toBe(130);
    expect(err).toContain(`dual trace ${TRACE_ID} --wait`);
    expect(err).toContain(`dual cancel ${TRACE_ID}`);
    expect(gateway?.asked.some(({ path }) => path.includes('cancel'))).toBe(false);
  });

  it('shows what a person has to do', async () => {
    const waiting = traceEvent(3, {
      phase: 'approval_requested',
      payload: { kind: 'approval', approval_id: 'a1', tool: 'bash', summary: 'make deploy', expires_at: 'x' },
    });
    const env = await start({ ...finished, [`GET /trace/${TRACE_ID}/events`]: stream(eventText(waiting) + doneText) });
    expect((await dual(['say', 'run the tests'], { env })).out).toContain(
      `waits for a person: make deploy; dual approve ${JOB_ID}`,
    );
  });
});

describe('dual trace', () => {
  it('shows jobs, errors, files and what a job waits for', async () => {
    const job = jobResult({
      status: 'awaiting_approval',
      error: { type: 'ToolFailed', message: 'the \u001b[31mtool\u001b[0m broke' },
      waiting: {
        kind: 'budget',
        approval_id: 'b1',
        tool: null,
        summary: 'spent $1.00',
        expires_at: '2026-11-25T11:00:00Z',
      },
      branch: `dual/${JOB_ID}`,
      artifacts: [{ sha256: 'a'.repeat(64), name: 'changes.patch', media_type: 'text/x-diff', bytes: 1234 }],
      verification: {
        status: 'passed',
        command: 'npm test',
        before: { exit_code: 1, passed: 11, failed: 1 },
        after: null,
        rounds: 0,
      },
    });
    const env = await start({
      [`GET /trace/${TRACE_ID}`]: reply(taskResult({ status: 'awaiting_approval', jobs: [job] })),
    });
    const { code, out } = await dual(['trace', JOB_ID], { env });
    expect(code).toBe(0);
    for (const words of [
      'ToolFailed: the [31mtool[0m broke',
      `dual budget ${JOB_ID} USD`,
      `branch  dual/${JOB_ID}`,
      'changes.patch (1,234 bytes)',
      'npm test: before 11 passed, 1 failed; after not run',
    ])
      expect(out).toContain(words);
  });

  it.each([
    ['declined', 4],
    ['clarify', 4],
    ['failed', 1],
    ['running', 0],
  ] as const)('%s ends with %i', async (status, expected) => {
    const env = await start({ [`GET /trace/${TRACE_ID}`]: reply(taskResult({ status })) });
    expect((await dual(['trace', TRACE_ID, '--json'], { env })).code).toBe(expected);
  });

  it('an unknown one is a failure in words', async () => {
    const env = await start({ [`GET /trace/${TRACE_ID}`]: problem(404, 'not-found', `no trace ${TRACE_ID}`) });
    expect(await dual(['trace', TRACE_ID], { env })).toEqual({
      code: 1,
      out: '',
      err: `dual: no trace ${TRACE_ID} (404)\n`,
    });
  });

  it('--wait follows it', async () => {
    const { code, out } = await dual(['trace', TRACE_ID, '--wait'], { env: await start(finished) });
    expect(code).toBe(0);
    expect(out).toContain('step 2');
  });
});

describe('retryAfterMs', () => {
  it.each<[string | null, number | null]>([
    [null, null],
    ['', null],
    ['2', 2_000],
    ['0.5', 500],
    ['Wed, 25 Nov 2026 10:00:05 GMT', 5_000],
    ['Wed, 25 Nov 2020 10:00:05 GMT', 0],
    ['soon', null],
    ['99999999', 600_000],
  ])('%s', (header, ms) => {
    expect(retryAfterMs(header, Date.UTC(2026, 10, 25, 10))).toBe(ms);
  });
});
