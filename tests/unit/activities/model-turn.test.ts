import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createConversation } from '../../../activities/conversation.ts';
import { createReadPlan } from '../../../activities/plans.ts';
import { createModelTurn } from '../../../activities/model-turn.ts';
import { createModels } from '../../../activities/models/index.ts';
import type { Entry } from '../../../activities/models/model.ts';
import type { ModelTurnInput, ModelTurnOutput } from '../../../contracts/activities.ts';
import { PAYLOAD_LIMIT_BYTES } from '../../../contracts/names.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { createArtifactStore } from '../../../platform/artifacts.ts';
import type { ArtifactStore } from '../../../platform/artifacts.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { loadPrices } from '../../../platform/prices.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../../platform/trace-log.ts';
import { jobPlan } from '../../fakes/job-plan.ts';
import { events, json, silence, startProvider } from '../../fakes/provider-server.ts';
import type { Answer, ProviderServer } from '../../fakes/provider-server.ts';
import { toolResult } from '../../fakes/turn-request.ts';

const SECRET = 'correct-horse-battery';
const TRACE = 'a'.repeat(32);
const JOB = `${TRACE}-1`;

let dir: string;
let provider: ProviderServer;
let artifacts: ArtifactStore;
const closing: (() => void)[] = [];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dual-turn-'));
  provider = await startProvider();
  artifacts = createArtifactStore(join(dir, 'artifacts'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await provider.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The nth attempt of an activity; Temporal's own lines about failed ones are left out. */
const attempt = (n: number): MockActivityEnvironment =>
  new MockActivityEnvironment({ attempt: n }, { logger: new DefaultLogger('ERROR') });

interface Change {
  rehearsal?: boolean;
  codingModel?: string;
  artifacts?: ArtifactStore;
}

/** A worker process as far as a turn needs one; a second call is a second process on the same disk. */
const worker = (change: Change = {}) => {
  const store = change.artifacts ?? artifacts;
  const scrub = createScrub([SECRET]);
  const log = createLog('test', scrub, 'info', () => undefined);
  const metrics = createMetrics('test', '0');
  const traceLog = createTraceLog({ dir: join(dir, 'traces'), process: 'test', metrics, log, scrub });
  closing.push(() => traceLog.close());
  const conversation = createConversation({ artifacts: store, scrub });
  const to = { apiKey: 'test-key-0123456789', baseUrl: provider.url, rehearsal: change.rehearsal ?? false };
  const models = createModels({
    anthropic: { ...to, defaultModel: change.codingModel ?? null },
    gemini: { ...to, defaultModel: null },
  });
  const modelTurn = createModelTurn({
    models,
    artifacts: store,
    readPlan: createReadPlan(artifacts),
    conversation,
    prices: loadPrices(null),
    traceLog,
    metrics,
    log,
    scrub,
  });
  return {
    conversation,
    metrics,
    turn: (input: ModelTurnInput, env = attempt(1)): Promise<ModelTurnOutput> => env.run(modelTurn, input),
  };
};

const planned = async (change: Parameters<typeof jobPlan>[0] = {}): Promise<string> =>
  (await artifacts.put(JSON.stringify(jobPlan(change)), { name: 'plan.json', mediaType: 'application/json' })).sha256;

const inputFor = async (change: Partial<ModelTurnInput> = {}): Promise<ModelTurnInput> => ({
  trace_id: TRACE,
  job_id: JOB,
  agent: 'coding',
  skill: 'coding',
  plan: change.plan ?? (await planned()),
  turn: 1,
  head: null,
  notes: [],
  predecessors: [],
  allow_unpriced: false,
  ...change,
});

const text = (words: string) => ({ type: 'text', text: words });
const toolUse = (id: string, command: string, name = 'bash') => ({ type: 'tool_use', id, name, input: { command } });
const usage = {
  input_tokens: 1_000,
  cache_creation_input_tokens: 2_000,
  cache_read_input_tokens: 10_000,
  output_tokens: 500,
  output_tokens_details: { thinking_tokens: 100 },
};
const answers = (content: unknown[], stop_reason = 'end_turn', status = 200): Answer =>
  json(
    { id: 'msg', type: 'message', role: 'assistant', model: 'claude-sonnet-5-5', content, stop_reason, usage },
    status,
  );
const overloaded = (seconds: string): Answer =>
  json({ type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }, 429, { 'retry-after': seconds });

const traced = (phase: string): TraceEvent[] =>
  traceFiles(join(dir, 'traces'))
    .flatMap((file) => readTraceLines(file, 0).lines)
    .map((line) => JSON.parse(line) as TraceEvent)
    .filter((event) => event.phase === phase);
const failureOf = async (run: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await run.then(
    () => new Error('it did not fail'),
    (e: unknown) => e,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
};
const sent = (
  n = 1,
): { messages: { role: string; content: { type: string; text?: string }[] }[] } & Record<string, unknown> =>
  provider.requests[n - 1]!.body as never;

describe('a turn', () => {
  it('opens the conversation, asks once, and leaves the answer in the chain, the trace and the metrics', async () => {
    provider.answer(answers([text('I run the tests.'), toolUse('toolu_1', 'npm test')], 'tool_use'));
    const { turn, conversation, metrics } = worker();
    const output = await turn(await inputFor(), attempt(2));

    expect(output).toEqual({
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
      text: 'I run the tests.',
      report: null,
      tool_calls: [{ id: 'toolu_1', name: 'bash', summary: 'run npm test', confirm: null }],
      stop: 'tools',
      provider: 'anthropic',
      model: 'claude-sonnet-5-5',
      input_tokens: 13_000,
      output_tokens: 500,
      cost_usd: 0.013,
      cost_source: 'priced',
      rehearsal: false,
      reused: false,
    });
    const opening = '<instruction>\nfix the tests\n</instruction>\n\n<request>\nfix the tests\n</request>';
    expect(sent()).toMatchObject({
      model: 'claude-sonnet-5-5',
      max_tokens: 16_000,
      system: 'You change code.',
      messages: [{ role: 'user', content: [{ type: 'text', text: opening }] }],
    });
    expect((sent()['tools'] as { name: string }[]).map(({ name }) => name)).toEqual([
      'str_replace_based_edit_tool',
      'bash',
      'search',
      'report',
    ]);
    expect(await conversation.read(output.head)).toEqual([
      { role: 'user', content: [text(opening)] },
      {
        role: 'assistant',
        provider: 'anthropic',
        model: 'claude-sonnet-5-5',
        text: 'I run the tests.',
        tool_calls: [{ id: 'toolu_1', name: 'bash', input: { command: 'npm test' }, confirm: null }],
        raw: [text('I run the tests.'), toolUse('toolu_1', 'npm test')],
      },
    ]);

    const [running] = traced('running');
    expect(running).toMatchObject({ trace_id: TRACE, job_id: JOB, agent: 'coding', skill: 'coding', attempt: 2 });
    const [event, ...more] = traced('model_turn');
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      job_id: JOB,
      attempt: 2,
      workflow_id: 'test',
      provider: 'anthropic',
      model: 'claude-sonnet-5-5',
      input_tokens: 13_000,
      output_tokens: 500,
      cache_read_tokens: 10_000,
      cache_write_tokens: 2_000,
      cost_usd: 0.013,
      cost_source: 'priced',
      price_version: loadPrices(null).version,
      duration_ms: expect.any(Number),
      payload: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.request.model': 'claude-sonnet-5-5',
        'gen_ai.request.max_tokens': 16_000,
        'gen_ai.response.model': 'claude-sonnet-5-5',
        'gen_ai.response.finish_reasons': ['tool_use'],
        'gen_ai.usage.input_tokens': 13_000,
        'gen_ai.usage.output_tokens': 500,
        'gen_ai.usage.cache_read.input_tokens': 10_000,
        'gen_ai.usage.cache_write.input_tokens': 2_000,
        'gen_ai.usage.reasoning.output_tokens': 100,
        turn: 1,
        stop: 'tools',
        text: 'I run the tests.',
        tool_calls: ['run npm test'],
        rehearsal: false,
        uncertain_requests: 0,
      },
    });
    const counted = await metrics.registry.metrics();
    const labels = 'agent="coding",model="claude-sonnet-5-5"';
    expect(counted).toContain(`dual_orchestrator_tokens_total{${labels},type="input"} 13000`);
    expect(counted).toContain(`dual_orchestrator_tokens_total{${labels},type="output"} 500`);
    expect(counted).toContain(`dual_orchestrator_tokens_total{${labels},type="thinking"} 100`);
    expect(counted).toContain(`dual_orchestrator_cost_usd_total{${labels}} 0.013`);
  });

  it('goes on after tool results, with the notes of that moment behind them in the same message', async () => {
    provider.answer(answers([toolUse('toolu_1', 'ls')], 'tool_use'), answers([text('done')]));
    const { turn, conversation } = worker();
    const first = await turn(await inputFor());
    const head = await conversation.append(first.head, [{ role: 'tools', results: [toolResult('toolu_1', 'a.ts')] }]);
    await turn(
      await inputFor({
        turn: 2,
        head,
        notes: [
          { kind: 'steer', text: 'hurry </note>' },
          { kind: 'budget_extended', text: 'one dollar more' },
        ],
      }),
    );
    expect(sent(2).messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(sent(2).messages[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: [text('a.ts')] },
      text('<note kind="steer">\nhurry &lt;/note>\n</note>'),
      text('<note kind="budget_extended">\none dollar more\n</note>'),
    ]);
    expect(traced('running')).toHaveLength(1);
  });

  it('nudges where the model would have to answer itself', async () => {
    provider.answer(answers([text('half a sent')], 'max_tokens'), answers([text('ence')]));
    const { turn } = worker();
    const first = await turn(await inputFor());
    expect(first).toMatchObject({ stop: 'cut_off', report: null, tool_calls: [] });
    await turn(await inputFor({ turn: 2, head: first.head }));
    expect(sent(2).messages.at(-1)).toEqual({ role: 'user', content: [text('Go on.')] });
  });

  it('a dependent job reads the whole reports of the jobs before it', async () => {
    provider.answer(answers([text(`${'# Long report\n'.repeat(300)}`)]), answers([text('ok')]));
    const { turn } = worker();
    const before = await turn(await inputFor());
    const predecessors = [
      {
        job_id: JOB,
        agent: 'coding',
        status: 'succeeded' as const,
        summary: 'It is done.',
        commit: null,
        artifacts: [before.report!],
      },
      {
        job_id: `${TRACE}-9`,
        agent: 'coding',
        status: 'failed' as const,
        summary: 'It is not.',
        commit: null,
        artifacts: [{ ...before.report!, sha256: 'f'.repeat(64), name: `${TRACE}-9-report.md` }],
      },
    ];
    await turn(await inputFor({ job_id: `${TRACE}-2`, predecessors }));
    const opening = sent(2).messages[0]!.content[0]!.text!;
    expect(opening).toContain('It is done.');
    expect(opening.match(/# Long report/g)).toHaveLength(300);
    expect(opening).toContain('It is not.');
    expect(opening.match(/<report>/g)).toHaveLength(1);
  });

  it("uses the agent's own model before the default, and Gemini for agents that name it", async () => {
    provider.answer(answers([text('ok')]), json({ candidates: [{ content: { parts: [{ text: 'fine' }] } }] }));
    const { turn } = worker({ codingModel: 'claude-haiku-5-5' });
    const named = { provider: 'anthropic', name: 'claude-opus-5-5', max_output_tokens: 100 } as const;
    await turn(await inputFor({ plan: await planned({ agent: { model: named } }) }));
    expect(sent()).toMatchObject({ model: 'claude-opus-5-5', max_tokens: 100 });
    const browser = { tools: ['computer', 'page', 'report'], environment: 'browser' } as const;
    const plan = await planned({
      agent: { ...browser, tools: [...browser.tools], model: { ...named, provider: 'gemini', name: null } },
    });
    const output = await turn(await inputFor({ plan, job_id: `${TRACE}-2` }));
    expect(provider.requests[1]!.path).toBe('/v1beta/models/gemini-3.5-flash:generateContent');
    expect(output).toMatchObject({ provider: 'gemini', model: 'gemini-3.5-flash', stop: 'end', text: 'fine' });
    expect(traced('model_turn')[1]!.payload['gen_ai.provider.name']).toBe('gcp.gemini');
  });
});

describe('the end', () => {
  const reportCall = (words: unknown) => ({ type: 'tool_use', id: 'r', name: 'report', input: { text: words } });

  it('an answer without calls is the report, kept whole as an artifact and shown in part', async () => {
    const words = `# Report\n${'é'.repeat(3_000)}`;
    provider.answer(answers([text(words)]));
    const output = await worker().turn(await inputFor());
    expect(output).toMatchObject({ stop: 'end', tool_calls: [] });
    expect(Buffer.byteLength(output.text)).toBeLessThanOrEqual(2_000);
    expect(output.report).toMatchObject({ name: `${JOB}-report.md`, media_type: 'text/markdown' });
    expect((await artifacts.get(output.report!.sha256)).toString()).toBe(words);
  });

  it('the report tool alone ends the job; the call is closed, so that a later turn is legal', async () => {
    provider.answer(answers([text('I am done.'), reportCall('# All good')], 'tool_use'), answers([text('mended')]));
    const { turn } = worker();
    const output = await turn(await inputFor());
    expect(output).toMatchObject({ stop: 'end', text: '# All good', tool_calls: [] });
    expect((await artifacts.get(output.report!.sha256)).toString()).toBe('# All good');
    const notes = [{ kind: 'verification_failed' as const, text: '1 test fails' }];
    await turn(await inputFor({ turn: 2, head: output.head, notes }));
    expect(sent(2).messages[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'r', content: [text('Received.')] },
      text('<note kind="verification_failed">\n1 test fails\n</note>'),
    ]);
  });

  it('the report tool beside another call is a call', async () => {
    provider.answer(answers([reportCall('too early'), toolUse('b', 'npm test')], 'tool_use'));
    const output = await worker().turn(await inputFor());
    expect(output).toMatchObject({ stop: 'tools', report: null });
    expect(output.tool_calls.map(({ summary }) => summary)).toEqual(['report', 'run npm test']);
  });

  it('no words at all are a report that says so; two jobs with the same words have a report each', async () => {
    provider.answer(answers([]), answers([]));
    const { turn } = worker();
    const one = await turn(await inputFor());
    expect((await artifacts.get(one.report!.sha256)).toString()).toBe('(The model ended without a report.)');
    const two = await turn(await inputFor({ job_id: `${TRACE}-2` }));
    expect([one.report!.name, two.report!.name]).toEqual([`${JOB}-report.md`, `${TRACE}-2-report.md`]);
  });

  it('calls in an answer that cannot be used are closed in the chain, and not offered to anybody', async () => {
    provider.answer(answers([toolUse('a', 'ls'), toolUse('b', 'ls')], 'max_tokens'));
    const { turn, conversation } = worker();
    const output = await turn(await inputFor());
    expect(output).toMatchObject({ stop: 'cut_off', tool_calls: [] });
    expect((await conversation.read(output.head)).at(-1)).toMatchObject({
      role: 'tools',
      results: [
        { call_id: 'a', is_error: true },
        { call_id: 'b', is_error: true },
      ],
    });
  });

  it('a refusal is told', async () => {
    provider.answer(answers([text('I will not.')], 'refusal'));
    expect(await worker().turn(await inputFor())).toMatchObject({ stop: 'refused', text: 'I will not.', report: null });
  });
});

describe('calls', () => {
  it('beyond 32 stay in the chain, unseen; the output fits a payload', async () => {
    const calls = Array.from({ length: 40 }, (_, n) => toolUse(`toolu_${n}`, `echo ${'x'.repeat(1_000)}`));
    provider.answer(answers([text('é'.repeat(4_000)), ...calls], 'tool_use'));
    const { turn, conversation } = worker();
    const output = await turn(await inputFor());
    expect(output.tool_calls).toHaveLength(32);
    expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(PAYLOAD_LIMIT_BYTES);
    const last = (await conversation.read(output.head)).at(-1) as Extract<Entry, { role: 'assistant' }>;
    expect(last.tool_calls).toHaveLength(40);
  });

  it('whose ids repeat, also from turn to turn, get ids of ours; the provider hears its own', async () => {
    const twice = answers([toolUse('same', 'ls'), toolUse('same', 'pwd')], 'tool_use');
    provider.answer(twice, twice, answers([text('done')]));
    const { turn, conversation } = worker();
    let head: string | null = null;
    const seen: string[] = [];
    for (const n of [1, 2]) {
      const output: ModelTurnOutput = await turn(await inputFor({ turn: n, head }));
      seen.push(...output.tool_calls.map(({ id }) => id));
      const results = output.tool_calls.map(({ id, summary }) => toolResult(id, summary));
      head = await conversation.append(output.head, [{ role: 'tools', results }]);
    }
    expect(seen).toEqual(['same', 'call_1_1', 'call_2_0', 'call_2_1']);
    await turn(await inputFor({ turn: 3, head }));
    const results = JSON.stringify(sent(3).messages).match(
      /"tool_use_id":"[^"]*","content":\[\{"type":"text","text":"[^"]*"/g,
    );
    expect(results).toEqual(
      ['run ls', 'run pwd', 'run ls', 'run pwd'].map(
        (words) => `"tool_use_id":"same","content":[{"type":"text","text":"${words}"`,
      ),
    );
  });

  it('no secret reaches the provider, the chain, the output or the trace', async () => {
    const words = `the password is ${SECRET}`;
    provider.answer(answers([text(words), toolUse('a', `login ${SECRET}`)], 'tool_use'));
    const { turn, conversation } = worker();
    const plan = await planned({ instruction: words, context: words });
    const output = await turn(await inputFor({ plan, notes: [{ kind: 'steer', text: words }] }));
    expect(output.text).toBe('the password is [secret]');
    expect(output.tool_calls[0]!.summary).toBe('run login [secret]');
    const everything = JSON.stringify([sent(), output, await conversation.read(output.head), traced('model_turn')]);
    expect(everything).not.toContain(SECRET);
  });
});

describe('bought once', () => {
  const done = answers([text('done')]);

  it('an attempt that died after the answer was kept is not paid twice: the next one makes no request', async () => {
    provider.answer(done);
    const input = await inputFor();
    // Dead from the moment on at which the answer is kept: nothing of it runs until the test is over.
    const dead = Promise.withResolvers<void>();
    const funeral = Promise.withResolvers<never>();
    const dying: ArtifactStore = {
      ...artifacts,
      claimRef: async (key, value) => {
        await artifacts.claimRef(key, value);
        dead.resolve();
        return funeral.promise;
      },
    };
    const corpse = worker({ artifacts: dying }).turn(input);
    await dead.promise;
    expect(traced('model_turn')).toEqual([]);

    const successor = worker();
    const output = await successor.turn(input, attempt(2));
    expect(provider.requests).toHaveLength(1);
    expect(output).toMatchObject({ stop: 'end', text: 'done', cost_usd: 0.013, cost_source: 'priced', reused: true });
    expect(traced('model_turn')).toHaveLength(1); // what the dead one could not tell any more
    expect(await successor.metrics.registry.metrics()).not.toMatch(/cost_usd_total\{/);
    funeral.reject(new Error('killed'));
    await failureOf(corpse);
  });

  it('an attempt whose result was lost on the way is not paid twice either, and its event is the same event', async () => {
    provider.answer(done);
    const input = await inputFor();
    const first = await worker().turn(input);
    const second = await worker().turn(input, attempt(2));
    expect(second).toEqual({ ...first, reused: true });
    expect(provider.requests).toHaveLength(1);
    expect(new Set(traced('model_turn').map(({ event_id }) => event_id)).size).toBe(1);
    expect(new Set(traced('running').map(({ event_id }) => event_id)).size).toBe(1);
  });

  it('a deploy with another default model between two attempts buys nothing again', async () => {
    provider.answer(done);
    const input = await inputFor();
    await worker().turn(input);
    const later = await worker({ codingModel: 'claude-opus-5-5' }).turn(input);
    expect(later).toMatchObject({ reused: true, model: 'claude-sonnet-5-5' });
    expect(provider.requests).toHaveLength(1);
  });

  it.each<[string, Partial<ModelTurnInput>]>([
    ['another job', { job_id: `${TRACE}-2` }],
    ['another turn', { turn: 2 }],
    ['a person who steered meanwhile', { notes: [{ kind: 'steer', text: 'wait' }] }],
  ])('%s is another turn', async (_, change) => {
    provider.answer(done, done);
    const { turn } = worker();
    await turn(await inputFor());
    expect(await turn(await inputFor(change))).toMatchObject({ reused: false });
    expect(provider.requests).toHaveLength(2);
  });

  it('the same turn at another place of the conversation (a reset in the Web UI) is another turn', async () => {
    provider.answer(done, done);
    const { turn, conversation } = worker();
    for (const words of ['one', 'another']) {
      const head = await conversation.append(null, [{ role: 'user', content: [{ type: 'text', text: words }] }]);
      expect(await turn(await inputFor({ turn: 2, head }))).toMatchObject({ reused: false });
    }
  });

  it('a request still at the provider when the process died is bought again, and marked uncertain', async () => {
    provider.answer(silence, silence, done);
    const input = await inputFor();
    const first = failureOf(worker().turn(input));
    await provider.received(1);
    const second = failureOf(worker().turn(input));
    await provider.received(2);
    const output = await worker().turn(input, attempt(3));
    expect(output).toMatchObject({ cost_usd: 0.013, cost_source: 'uncertain', reused: false });
    expect(traced('model_turn')[0]).toMatchObject({ cost_source: 'uncertain', payload: { uncertain_requests: 2 } });
    provider.hangUp();
    await Promise.all([first, second]);
  });

  it('a stream cut in the middle leaves the turn uncertain, an error answer does not', async () => {
    const cut = events([{ type: 'ping' }], 'cut');
    provider.answer(overloaded('1'), cut, done, overloaded('0'), done);
    const { turn } = worker();
    const input = await inputFor();
    await failureOf(turn(input));
    await failureOf(turn(input));
    expect(await turn(input)).toMatchObject({ cost_source: 'uncertain' });
    expect(traced('model_turn')[0]!.payload['uncertain_requests']).toBe(1);
    const other = await inputFor({ job_id: `${TRACE}-2` });
    await failureOf(turn(other));
    expect(await turn(other)).toMatchObject({ cost_source: 'priced' });
  });

  it('of two attempts at once (a frozen process woke up) the first answer stays, and the other is owned up to', async () => {
    let wakeUp: () => void = () => undefined;
    const late: Answer = (response) => (wakeUp = () => answers([text('too late')])(response));
    provider.answer(late, done);
    const input = await inputFor();
    const frozen = worker().turn(input);
    await provider.received(1);
    const newer = await worker().turn(input, attempt(2));
    expect(newer).toMatchObject({ text: 'done', cost_source: 'uncertain', reused: false });
    wakeUp();
    expect(await frozen).toEqual({ ...newer, reused: true });
    expect(await worker().turn(input)).toMatchObject({ text: 'done' });
  });
});

describe('what goes wrong', () => {
  it("a provider's answer becomes a failure with its type and its wish for patience", async () => {
    provider.answer(overloaded('7'), json({ error: { message: 'bad' } }, 400));
    const { turn } = worker();
    const busy = await failureOf(turn(await inputFor()));
    expect(busy).toMatchObject({ type: 'RateLimited', nonRetryable: false, nextRetryDelay: 7_000 });
    const final = await failureOf(turn(await inputFor()));
    expect(final).toMatchObject({ type: 'BadInput', nonRetryable: true, message: 'Anthropic answered 400: bad' });
  });

  it('cancellation reaches the socket and comes out as cancellation; meanwhile it beats', async () => {
    provider.answer(silence, answers([text('done')]));
    const input = await inputFor();
    const env = attempt(1);
    const beat = once(env, 'heartbeat');
    const run = worker().turn(input, env);
    const cancelled = expect(run).rejects.toBeInstanceOf(CancelledFailure);
    const request = await provider.received(1);
    expect(await beat).toEqual(['turn 1: claude-sonnet-5-5 answers']);
    env.cancel();
    await cancelled;
    await request.closed;
    expect(await worker().turn(input)).toMatchObject({ cost_source: 'uncertain' });
  });

  it('a model without a known price is refused before anything is sent, with what to do', async () => {
    const { turn } = worker({ codingModel: 'claude-next' });
    const failure = await failureOf(turn(await inputFor()));
    expect(failure).toMatchObject({ type: 'BadInput', nonRetryable: true });
    expect(failure.message).toMatch(/claude-next.*PRICES_FILE.*ALLOW_UNPRICED/);
    expect(provider.requests).toHaveLength(0);
  });

  it('allowed, it costs null (never 0) and is counted as "other"', async () => {
    const unknown = json({
      ...{ id: 'msg', type: 'message', role: 'assistant', model: 'claude-next', usage },
      content: [text('done')],
      stop_reason: 'end_turn',
    });
    provider.answer(unknown);
    const { turn, metrics } = worker({ codingModel: 'claude-next' });
    const output = await turn(await inputFor({ allow_unpriced: true }));
    expect(output).toMatchObject({ cost_usd: null, cost_source: 'unknown' });
    expect(traced('model_turn')[0]).toMatchObject({ cost_usd: null, cost_source: 'unknown', price_version: null });
    const counted = await metrics.registry.metrics();
    expect(counted).toContain('dual_orchestrator_tokens_total{agent="coding",model="other",type="input"} 13000');
    expect(counted).not.toMatch(/claude-next|cost_usd_total\{/);
  });

  it('a rehearsal needs no price, costs 0 and says so', async () => {
    provider.answer(answers([text('done')]), answers([text('done')]));
    const { turn } = worker({ rehearsal: true, codingModel: 'rehearsal-1' });
    expect(await turn(await inputFor())).toMatchObject({ cost_usd: 0, cost_source: 'rehearsal', rehearsal: true });
    expect(traced('model_turn')[0]).toMatchObject({ cost_usd: 0, price_version: null, payload: { rehearsal: true } });
  });

  it.each<[string, string, () => Promise<Partial<ModelTurnInput>>]>([
    ['a plan that is not there', 'NotFound', () => Promise.resolve({ plan: 'f'.repeat(64) })],
    [
      'a plan that is none',
      'BadInput',
      async () => ({ plan: (await artifacts.put('{}', { name: 'x', mediaType: 'x' })).sha256 }),
    ],
    ['a conversation that is not there', 'NotFound', () => Promise.resolve({ head: 'f'.repeat(64), turn: 2 })],
  ])('%s ends the job with %s', async (_, type, change) => {
    const failure = await failureOf(worker().turn(await inputFor(await change())));
    expect(failure).toMatchObject({ type, nonRetryable: true });
    expect(provider.requests).toHaveLength(0);
  });

  it('a full disk after the answer is a failure that may be tried again, and the turn is uncertain then', async () => {
    provider.answer(answers([text('done')]), answers([text('done')]));
    const full: ArtifactStore = { ...artifacts, claimRef: () => Promise.reject(new Error('ENOSPC: no space left')) };
    const failure = await failureOf(worker({ artifacts: full }).turn(await inputFor()));
    expect(failure).toMatchObject({ type: 'Internal', nonRetryable: false });
    expect(await worker().turn(await inputFor())).toMatchObject({ cost_source: 'uncertain' });
  });
});
