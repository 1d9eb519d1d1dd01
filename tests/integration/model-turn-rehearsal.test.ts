import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createConversation } from '../../activities/conversation.ts';
import { createReadPlan } from '../../activities/plans.ts';
import { createModelTurn } from '../../activities/model-turn.ts';
import { createModels } from '../../activities/models/index.ts';
import type { ToolResult } from '../../activities/models/model.ts';
import type { ModelTurnInput, ModelTurnOutput } from '../../contracts/activities.ts';
import type { TraceEvent } from '../../contracts/trace-event.ts';
import { createArtifactStore } from '../../platform/artifacts.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { loadPrices } from '../../platform/prices.ts';
import { createScrub } from '../../platform/secrets.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import type { Reply } from '../../rehearsal/conversation.ts';
import type { FaultInput } from '../../rehearsal/faults.ts';
import { startRehearsal } from '../../rehearsal/server.ts';
import { jobPlan } from '../fakes/job-plan.ts';
import { PNG, toolResult } from '../fakes/turn-request.ts';

const TRACE = 'b'.repeat(32);

let dir: string;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-turn-rehearsal-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(dir, { recursive: true, force: true });
});

const browser = {
  environment: 'browser',
  model: { provider: 'gemini', name: null, max_output_tokens: 8_000 },
  tools: ['computer', 'page', 'report'],
} as const;

/** A job's conversation with a provider that checks every request as strictly as the real one. */
const jobWith = async (
  provider: 'anthropic' | 'gemini',
  script: Partial<Reply>[],
  change: Parameters<typeof jobPlan>[0] = {},
) => {
  const rehearsal = await startRehearsal({ script });
  closing.push(() => rehearsal.close());
  const scrub = createScrub([]);
  const log = createLog('test', scrub, 'info', () => undefined);
  const metrics = createMetrics('test', '0');
  const traceLog = createTraceLog({ dir: join(dir, 'traces'), process: 'test', metrics, log, scrub });
  closing.push(() => traceLog.close());
  const artifacts = createArtifactStore(join(dir, 'artifacts'));
  const conversation = createConversation({ artifacts, scrub });
  const to = { apiKey: 'rehearsal-key-0123', baseUrl: rehearsal.url, rehearsal: true, defaultModel: null };
  const modelTurn = createModelTurn({
    models: createModels({ anthropic: to, gemini: to }),
    artifacts,
    readPlan: createReadPlan(artifacts),
    conversation,
    prices: loadPrices(null),
    traceLog,
    metrics,
    log,
    scrub,
  });
  const plan = jobPlan(provider === 'gemini' ? { agent: { ...browser, tools: [...browser.tools] } } : change);
  const about = { name: 'x', mediaType: 'application/json' };
  const planned = await artifacts.put(JSON.stringify(plan), about);
  const picture = await artifacts.put(PNG, { name: 'screenshot.png', mediaType: 'image/png' });
  let head: string | null = null;
  let turns = 0;
  return {
    rehearsal,
    /** The next turn; its calls are answered with `results` before the one after it. */
    turn: async (notes: ModelTurnInput['notes'] = []): Promise<ModelTurnOutput> => {
      const input: ModelTurnInput = {
        ...{ trace_id: TRACE, job_id: `${TRACE}-1`, agent: plan.agent.name, skill: 'x', plan: planned.sha256 },
        ...{ turn: turns + 1, head, notes, predecessors: [], allow_unpriced: false },
      };
      const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      const output: ModelTurnOutput = await env.run(modelTurn, input);
      turns += 1;
      head = output.head;
      if (output.stop === 'tools') {
        const results = output.tool_calls.map((call): ToolResult => {
          const seen = { url: 'http://127.0.0.1:1/', confirmed: call.confirm !== null };
          if (provider === 'anthropic') return toolResult(call.id, 'ok', { name: call.name });
          const shot = { type: 'image', sha256: picture.sha256, media_type: 'image/png' } as const;
          return toolResult(call.id, 'ok', { name: call.name, ...seen, content: [shot] });
        });
        head = await conversation.append(head, [{ role: 'tools', results }]);
      }
      return output;
    },
  };
};
const call = (name: string, input: Record<string, unknown> = {}) => ({ name, input });

describe.each([
  [
    'anthropic' as const,
    [
      { text: 'I look.', calls: [call('bash', { command: 'ls' })] },
      { calls: [call('bash', { command: 'npm test' }), call('search', { text: 'x' })] },
      { calls: [call('report', { text: '# Done' })] },
      { text: 'Mended.' },
    ],
    ['run ls', 'run npm test', 'search "x"'],
  ],
  [
    'gemini' as const,
    [
      { text: 'I look.', calls: [call('navigate', { url: 'http://127.0.0.1:1/' })] },
      { calls: [call('click', { x: 5, y: 6, intent: 'Sign in' }), call('page_report')] },
      { calls: [call('report', { text: '# Done' })] },
      { text: 'Mended.' },
    ],
    ['open http://127.0.0.1:1/', 'click Sign in', 'inspect the page'],
  ],
])('a conversation with %s, whose every request is checked', (provider, script, summaries) => {
  it('goes through tools, notes, report and mending', async () => {
    const { turn, rehearsal } = await jobWith(provider, script);
    const outputs = [
      await turn(),
      await turn([{ kind: 'steer', text: 'look at a < b too' }]),
      await turn(),
      await turn([{ kind: 'verification_failed', text: '1 test fails' }]),
    ];
    expect(outputs.map(({ stop }) => stop)).toEqual(['tools', 'tools', 'end', 'end']);
    expect(outputs.flatMap(({ tool_calls }) => tool_calls.map(({ summary }) => summary))).toEqual(summaries);
    expect(outputs[2]).toMatchObject({ text: '# Done' });
    expect(outputs[3]).toMatchObject({ text: 'Mended.', cost_usd: 0, cost_source: 'rehearsal', rehearsal: true });
    expect(rehearsal.requests()).toHaveLength(4);
    for (const output of outputs) expect(output.input_tokens).toBeGreaterThan(0);
  });

  it.each<[Omit<FaultInput, 'provider'>, ModelTurnOutput['stop']]>([
    [{ kind: 'max_tokens' }, 'cut_off'],
    [{ kind: 'refusal' }, 'refused'],
    [{ kind: 'slow', delay_ms: 50 }, 'tools'],
  ])('%j: stop is "%s", and the next turn is legal', async (fault, stop) => {
    const { turn, rehearsal } = await jobWith(provider, script);
    rehearsal.inject(fault);
    expect(await turn()).toMatchObject({ stop });
    expect(await turn([{ kind: 'cut_off', text: 'go on' }])).toMatchObject({ stop: 'tools' });
  });

  it('a malformed call: the next turn is legal', async () => {
    const { turn, rehearsal } = await jobWith(provider, script);
    rehearsal.inject({ kind: 'malformed' });
    expect(['tools', 'malformed']).toContain((await turn()).stop);
    expect(await turn([{ kind: 'malformed', text: 'try again' }])).toMatchObject({ stop: 'tools' });
  });

  it.each<[FaultInput, Partial<ApplicationFailure>, string]>([
    [
      { kind: 'rate_limited', retry_after_s: 2 },
      { type: 'RateLimited', nonRetryable: false, nextRetryDelay: 2_000 },
      'rehearsal',
    ],
    [{ kind: 'overloaded', retry_after_s: 1 }, { type: 'ProviderUnavailable', nonRetryable: false }, 'rehearsal'],
    [{ kind: 'server_error' }, { type: 'ProviderUnavailable', nonRetryable: false }, 'rehearsal'],
    [{ kind: 'unauthorized' }, { type: 'Forbidden', nonRetryable: true }, 'rehearsal'],
    [{ kind: 'bad_request' }, { type: 'BadInput', nonRetryable: true }, 'rehearsal'],
    [{ kind: 'too_large' }, { nonRetryable: true }, 'rehearsal'],
    [{ kind: 'cut' }, { type: 'ProviderUnavailable', nonRetryable: false }, 'uncertain'],
  ])('%j: the right failure, and after it the turn is bought', async (fault, failure, source) => {
    const { turn, rehearsal } = await jobWith(provider, script);
    rehearsal.inject(fault);
    const error = await turn().then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject(failure);
    expect(await turn()).toMatchObject({ stop: 'tools', cost_source: source });
  });
});

it('each turn reads from the prompt cache what the turns before it wrote', async () => {
  const look = { calls: [call('bash', { command: 'ls' })] };
  const long = { instructions: 'You change code. '.repeat(2_000) }; // short prompts are not cached at all
  const { turn } = await jobWith('anthropic', [look, look, { text: 'done' }], long);
  for (let n = 0; n < 3; n += 1) await turn();
  const turns = traceFiles(join(dir, 'traces'))
    .flatMap((file) => readTraceLines(file, 0).lines)
    .map((line) => JSON.parse(line) as TraceEvent)
    .filter(({ phase }) => phase === 'model_turn');
  const [first, second, third] = turns.map((event) => ({
    read: event.cache_read_tokens ?? NaN,
    written: event.cache_write_tokens ?? NaN,
  }));
  expect(first!.read).toBe(0);
  expect(second!.read).toBe(first!.written);
  expect(third!.read).toBe(first!.written + second!.written);
});
