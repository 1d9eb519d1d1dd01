import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/activity';
import type { Entry, ToolCall, ToolResult } from '../../../activities/models/model.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { createRunTools } from '../../../activities/run-tools.ts';
import type { RunToolsInput, RunToolsOutput } from '../../../contracts/activities.ts';
import { OperationError } from '../../../platform/errors.ts';
import { eventIdOf } from '../../../platform/trace-log.ts';
import { attempt, failureOf, openActivityBench } from '../../fakes/activity-bench.ts';
import type { ActivityBench } from '../../fakes/activity-bench.ts';
import { recordingEnvironment } from '../../fakes/recording-environment.ts';
import type { RecordingEnvironment } from '../../fakes/recording-environment.ts';
import { toolCall, toolResult, userSays } from '../../fakes/turn-request.ts';

const TRACE = 'a'.repeat(32);
const JOB = `${TRACE}-1`;
const FROM = 'c'.repeat(64);
const TO = 'd'.repeat(64);

let bench: ActivityBench;
beforeEach(() => {
  bench = openActivityBench();
});
afterEach(() => bench.close());

/** A worker with this environment alone; a second one is a second process on the same disk. */
const worker = (environment: RecordingEnvironment, secrets: string[] = []) => {
  const { conversation, traceLog } = bench.worker(secrets);
  const runTools = createRunTools({
    environments: new Map([[environment.name, environment]]),
    conversation,
    traceLog,
    scrub: createScrub(secrets),
  });
  return {
    conversation,
    run: (input: RunToolsInput, n = 1): Promise<RunToolsOutput> => attempt(n).run(runTools, input),
    runTools,
  };
};

const answer = (calls: ToolCall[]): Entry => ({
  role: 'assistant',
  provider: 'anthropic',
  model: 'm',
  text: 'I work.',
  tool_calls: calls,
  raw: { content: [] },
});

/** Stores a conversation that ends in these calls, and briefs all of them. */
const asking = async (calls: ToolCall[], change: Partial<RunToolsInput> = {}): Promise<RunToolsInput> => ({
  trace_id: TRACE,
  job_id: JOB,
  agent: 'coding',
  skill: 'fix-tests',
  plan: '0'.repeat(64),
  session: { session_id: 'session-1', owner_queue: 'dual-coding-test-owner', environment: 'coding' },
  turn: 7,
  head: await bench.worker().conversation.append(null, [userSays('fix the tests'), answer(calls)]),
  checkpoint: FROM,
  calls: calls.map(({ id, name }) => ({ id, name, summary: `run ${id}`, confirm: null })),
  denied: [],
  confirmed: [],
  rehearsal: true,
  ...change,
});

/** The results the model will read, from the chain. */
const resultsIn = async (head: string): Promise<ToolResult[]> => {
  const last = (await bench.worker().conversation.read(head)).at(-1);
  if (last?.role !== 'tools') throw new Error('the chain does not end in results');
  return last.results;
};
const textOf = (result: ToolResult | undefined): string =>
  (result?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('\n');

describe('a batch of tool calls', () => {
  it('reaches the environment once, whole and in order, with the session, the attempt and the checkpoint', async () => {
    const environment = recordingEnvironment({ checkpoint: TO });
    const calls = [toolCall('one', 'bash', { command: 'ls' }), toolCall('two', 'search', { text: 'x' })];
    const output = await worker(environment).run(await asking(calls, { confirmed: ['two'] }), 3);
    expect(environment.batches.map(({ request }) => request)).toEqual([
      { sessionId: 'session-1', jobId: JOB, turn: 7, calls, confirmed: ['two'], checkpoint: FROM },
    ]);
    expect(environment.batches[0]?.control.attempt).toBe(3);
    expect(output).toEqual({ head: expect.stringMatching(/^[0-9a-f]{64}$/), checkpoint: TO, failed: 0, unknown: 0 });
  });

  it('ends as one new node of the conversation, its results in the order of the calls', async () => {
    const environment = recordingEnvironment({ results: (results) => results.toReversed() });
    const calls = [toolCall('one'), toolCall('two'), toolCall('three')];
    const input = await asking(calls);
    const { head } = await worker(environment).run(input);
    const node = await bench.artifacts.getJson(head);
    expect(node).toMatchObject({ prev: input.head, entries: [{ role: 'tools' }] });
    expect((node as { entries: unknown[] }).entries).toHaveLength(1);
    expect((await resultsIn(head)).map((result) => [result.call_id, textOf(result)])).toEqual([
      ['one', 'ran one'],
      ['two', 'ran two'],
      ['three', 'ran three'],
    ]);
    expect(bench.traced('tool_call').map((event) => event.payload['gen_ai.tool.call.id'])).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  it('answers a call of which the environment says nothing with an error, and leaves out what nobody asked', async () => {
    const environment = recordingEnvironment({
      call: ({ id }) => (id === 'silent' ? null : toolResult(id, 'ran')),
      results: (results) => [...results, toolResult('nobody', 'asked')],
    });
    const output = await worker(environment).run(await asking([toolCall('silent'), toolCall('two')]));
    expect(output).toMatchObject({ failed: 1, unknown: 0 });
    expect(await resultsIn(output.head)).toMatchObject([
      { call_id: 'silent', is_error: true },
      { call_id: 'two', is_error: false },
    ]);
  });

  it('counts errors and unknown outcomes in its output, each for itself', async () => {
    const about: Record<string, Partial<ToolResult>> = {
      failed: { is_error: true },
      lost: { unknown: true },
      both: { is_error: true, unknown: true },
    };
    const environment = recordingEnvironment({ call: ({ id }) => toolResult(id, id, about[id]) });
    const calls = ['fine', 'failed', 'lost', 'both'].map((id) => toolCall(id));
    expect(await worker(environment).run(await asking(calls))).toMatchObject({ failed: 2, unknown: 2 });
    expect(bench.traced('tool_call').map((event) => [event.error_type, event.payload['unknown']])).toEqual([
      [null, false],
      ['ToolFailed', false],
      [null, true],
      ['ToolFailed', true],
    ]);
  });
});

describe('what never reaches a tool', () => {
  it('is a call a person said no to; the model is told so, and why', async () => {
    const environment = recordingEnvironment();
    const calls = [toolCall('deploy'), toolCall('test'), toolCall('push')];
    const denied = [
      { id: 'deploy', note: 'not before Monday' },
      { id: 'push', note: '' },
    ];
    const output = await worker(environment).run(await asking(calls, { denied }));
    expect(environment.calls().map(({ id }) => id)).toEqual(['test']);
    const [deploy, test, push] = await resultsIn(output.head);
    expect(textOf(deploy)).toMatch(/^A person did not approve this: not before Monday.* Do not try it again/);
    expect(textOf(push)).toMatch(/^A person did not approve this\. Do not try it again/);
    expect([deploy?.is_error, test?.is_error, push?.is_error]).toEqual([true, false, true]);
    expect(output).toMatchObject({ failed: 2, unknown: 0 });
  });

  it('is any call of a batch that was denied whole', async () => {
    const environment = recordingEnvironment({ checkpoint: FROM });
    const output = await worker(environment).run(
      await asking([toolCall('deploy')], { denied: [{ id: 'deploy', note: '' }] }),
    );
    expect(environment.calls()).toEqual([]);
    expect(output).toMatchObject({ checkpoint: FROM, failed: 1 });
  });

  it('is a call beyond those the workflow was shown; each is answered with an error', async () => {
    const environment = recordingEnvironment();
    const calls = Array.from({ length: 34 }, (_, n) => toolCall(`call-${n}`));
    const input = await asking(calls);
    const output = await worker(environment).run({ ...input, calls: input.calls.slice(0, 32) });
    expect(environment.calls()).toEqual(calls.slice(0, 32));
    const results = await resultsIn(output.head);
    expect(results.map(({ call_id }) => call_id)).toEqual(calls.map(({ id }) => id));
    for (const result of results.slice(32)) {
      expect(textOf(result)).toBe('Not run: at most 32 calls in one answer.');
      expect(result.is_error).toBe(true);
    }
    expect(output.failed).toBe(2);
  });

  it('is a report beside other calls: it is noted, no error, and asked for again alone', async () => {
    const environment = recordingEnvironment();
    const calls = [toolCall('one'), toolCall('two', 'report', { text: 'all done' })];
    const output = await worker(environment).run(await asking(calls));
    expect(environment.calls().map(({ id }) => id)).toEqual(['one']);
    const report = (await resultsIn(output.head))[1];
    expect(report).toMatchObject({ call_id: 'two', name: 'report', is_error: false });
    expect(textOf(report)).toContain('alone');
    expect(output.failed).toBe(0);
  });

  it('is a denied report as well: a no is a no', async () => {
    const input = await asking([toolCall('one', 'report'), toolCall('two')], { denied: [{ id: 'one', note: 'why' }] });
    const { head } = await worker(recordingEnvironment()).run(input);
    expect((await resultsIn(head))[0]?.is_error).toBe(true);
  });
});

describe('the trace of a batch', () => {
  it('is one event a call, with what was called and what came of it', async () => {
    const environment = recordingEnvironment({
      call: ({ id }) => toolResult(id, '3 tests failed', { name: 'bash', is_error: true, summary: 'npm test: exit 1' }),
    });
    await worker(environment).run(await asking([toolCall('one'), toolCall('two', 'report')]), 2);
    const events = bench.traced('tool_call');
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      trace_id: TRACE,
      job_id: JOB,
      agent: 'coding',
      skill: 'fix-tests',
      attempt: 2,
      workflow_id: 'test',
      run_id: expect.any(String),
      error_type: 'ToolFailed',
      payload: {
        turn: 7,
        'gen_ai.tool.name': 'bash',
        'gen_ai.tool.call.id': 'one',
        summary: 'npm test: exit 1',
        unknown: false,
        rehearsal: true,
      },
    });
    expect(events[1]).toMatchObject({
      error_type: null,
      payload: { 'gen_ai.tool.name': 'report', 'gen_ai.tool.call.id': 'two' },
    });
    // The time of the batch is told once, so that a sum over the calls is the time that passed.
    expect(events.map(({ duration_ms }) => duration_ms === null)).toEqual([false, true]);
  });

  it('is the same events again when another process repeats the batch, and the same node', async () => {
    const input = await asking([toolCall('one'), toolCall('two')]);
    const first = await worker(recordingEnvironment()).run(input, 1);
    const second = await worker(recordingEnvironment()).run(input, 2);
    expect(second).toEqual(first);
    const ids = ['7.0', '7.1'].map((key) => eventIdOf({ trace_id: TRACE, job_id: JOB, phase: 'tool_call', key }));
    const events = bench.traced('tool_call');
    expect(events.map(({ event_id }) => event_id)).toEqual([...ids, ...ids]);
    expect(events.map((event) => event.attempt)).toEqual([1, 1, 2, 2]);
  });

  it('is other events for the calls of another turn', async () => {
    const { run } = worker(recordingEnvironment());
    const input = await asking([toolCall('one'), toolCall('two')]);
    await run(input);
    await run({ ...input, turn: 8 });
    expect(new Set(bench.traced('tool_call').map(({ event_id }) => event_id)).size).toBe(4);
  });

  it('shows no secret, nor does the conversation', async () => {
    const secret = 'correct-horse-battery';
    const environment = recordingEnvironment({ call: ({ id }) => toolResult(id, `TOKEN=${secret}`) });
    const { head } = await worker(environment, [secret]).run(await asking([toolCall('one')]));
    expect(textOf((await resultsIn(head))[0])).toBe('TOKEN=[secret]');
    expect(bench.traced('tool_call')[0]?.payload['summary']).toBe('TOKEN=[secret]');
  });
});

describe('a batch that fails', () => {
  it.each([
    ['ends in words', [answer([])]],
    ['ends in results', [answer([toolCall('one')]), { role: 'tools', results: [toolResult('one', 'done')] }]],
    ['ends in what a person said', [userSays('hello')]],
  ] satisfies [string, Entry[]][])('is BadInput, and final, when the conversation %s', async (_, entries) => {
    const environment = recordingEnvironment();
    const head = await bench.worker().conversation.append(null, entries);
    const failure = await failureOf(worker(environment).run({ ...(await asking([toolCall('one')])), head }));
    expect(failure).toMatchObject({ type: 'BadInput', nonRetryable: true });
    expect(environment.batches).toEqual([]);
    expect(bench.traced('tool_call')).toEqual([]);
  });

  it('is EnvironmentUnavailable, and final, on a worker without the environment', async () => {
    const environment = recordingEnvironment({ name: 'browser' });
    const failure = await failureOf(worker(environment).run(await asking([toolCall('one')])));
    expect(failure).toMatchObject({ type: 'EnvironmentUnavailable', nonRetryable: true });
    expect(environment.batches).toEqual([]);
  });

  it('says what the environment said, and leaves neither node nor event', async () => {
    const environment = recordingEnvironment({
      call: () => {
        throw new OperationError('SessionLost', 'the session is not here');
      },
    });
    const failure = await failureOf(worker(environment).run(await asking([toolCall('one')])));
    expect(failure).toMatchObject({ type: 'SessionLost', message: 'the session is not here', nonRetryable: true });
    expect(bench.traced('tool_call')).toEqual([]);
  });

  it('is a cancellation when it was cancelled, whatever the tool made of it', async () => {
    const env = attempt(1);
    const environment = recordingEnvironment({
      call: (_, { signal }) => {
        env.cancel('CANCELLED');
        if (signal.aborted) throw new OperationError('ToolFailed', 'the tool was killed');
        return null;
      },
    });
    const { runTools } = worker(environment);
    await expect(env.run(runTools, await asking([toolCall('one')]))).rejects.toThrow(CancelledFailure);
    expect(bench.traced('tool_call')).toEqual([]);
  });
});
