import { afterEach, describe, expect, it } from '@jest/globals';
import { createAnthropicModel } from '../../../../../activities/models/adapters/anthropic.ts';
import type { AnthropicOptions } from '../../../../../activities/models/adapters/anthropic.ts';
import { ModelError } from '../../../../../activities/models/model.ts';
import type { Entry, Model, TurnReply, TurnRequest } from '../../../../../activities/models/model.ts';
import { toFailure } from '../../../../../activities/failures.ts';
import { TOOL_DEFINITIONS } from '../../../../../activities/tool-definitions.ts';
import { events, json, silence, startProvider } from '../../../../fakes/provider-server.ts';
import type { Answer, ProviderServer } from '../../../../fakes/provider-server.ts';
import { OperationError } from '../../../../../platform/errors.ts';
import { PNG, screenshot, toolCall, toolResult, turnRequest, userSays } from '../../../../fakes/turn-request.ts';

const KEY = 'sk-ant-test-0123456789abcdef';
const never = new AbortController().signal;

const servers: ProviderServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
const provider = async (...answers: Answer[]): Promise<ProviderServer> => {
  const server = await startProvider(...answers);
  servers.push(server);
  return server;
};
const modelAt = (server: ProviderServer, options: Partial<AnthropicOptions> = {}): Model =>
  createAnthropicModel({ apiKey: KEY, baseUrl: server.url, ...options });

const USAGE = {
  input_tokens: 100,
  cache_creation_input_tokens: 20,
  cache_read_input_tokens: 3_000,
  output_tokens: 40,
  output_tokens_details: { thinking_tokens: 25 },
};
const message = (content: unknown[], stop_reason: string | null = 'end_turn', more: Record<string, unknown> = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5-5-20261103',
  content,
  stop_reason,
  stop_sequence: null,
  usage: USAGE,
  ...more,
});
const text = (words: string) => ({ type: 'text', text: words, citations: null });
const toolUse = (id: string, name = 'bash', input: unknown = { command: 'npm test' }) => ({
  type: 'tool_use',
  id,
  name,
  input,
});

/** The same message as the provider streams it. */
const streamed = (content: Record<string, unknown>[], stop_reason = 'end_turn', inputJson?: string) => [
  {
    type: 'message_start',
    message: { ...message([], null), usage: { ...USAGE, output_tokens: 1, output_tokens_details: null } },
  },
  { type: 'ping' },
  ...content.flatMap((block, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: { ...block, ...('text' in block ? { text: '' } : {}), ...('input' in block ? { input: {} } : {}) },
    },
    ...deltasOf(block, inputJson).map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]),
  {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 40, output_tokens_details: { thinking_tokens: 25 }, input_tokens: null },
  },
  { type: 'message_stop' },
];
const halves = (words: string): string[] => [words.slice(0, words.length / 2), words.slice(words.length / 2)];
const deltasOf = (block: Record<string, unknown>, inputJson?: string): Record<string, unknown>[] => {
  if (block['type'] === 'text') return halves(String(block['text'])).map((t) => ({ type: 'text_delta', text: t }));
  if (block['type'] === 'tool_use')
    return ['', ...halves(inputJson ?? JSON.stringify(block['input']))].map((partial_json) => ({
      type: 'input_json_delta',
      partial_json,
    }));
  return [
    ...halves('let me think').map((thinking) => ({ type: 'thinking_delta', thinking })),
    { type: 'signature_delta', signature: 'c2lnbmVk' },
  ];
};
const emptyThinking = { type: 'thinking', thinking: '', signature: '' };
const thinking = { type: 'thinking', thinking: 'let me think', signature: 'c2lnbmVk' };

const turn = async (answer: Answer, request: Partial<TurnRequest> = {}): Promise<TurnReply> =>
  modelAt(await provider(answer)).turn(turnRequest(request), never);
/** What the next request says to the provider about these entries. */
const messagesFor = async (entries: Entry[]): Promise<unknown> => {
  const server = await provider(json(message([text('ok')])));
  await modelAt(server).turn(turnRequest({ entries }), never);
  return server.requests[0]?.body['messages'];
};
const assistant = (raw: unknown[], ...ids: string[]): Entry => ({
  role: 'assistant',
  provider: 'anthropic',
  model: 'm',
  text: '',
  tool_calls: ids.map((id) => toolCall(id)),
  raw,
});
const failure = async (run: Promise<unknown>): Promise<ModelError> => {
  const error = await run.then(
    () => new Error('it did not fail'),
    (e: unknown) => e,
  );
  if (!(error instanceof ModelError)) throw error;
  return error;
};

describe('what is sent', () => {
  it('is one Messages request with native tool types, a cache mark and the model name unchanged', async () => {
    const server = await provider(json(message([text('ok')])));
    await modelAt(server).turn(turnRequest({ model: 'my-own/model:1' }), never);
    expect(server.requests).toHaveLength(1);
    const { path, headers, body } = server.requests[0]!;
    expect(path).toBe('/v1/messages');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(headers['anthropic-version']).toBeDefined();
    expect(body).toEqual({
      model: 'my-own/model:1',
      max_tokens: 16_000,
      stream: true,
      cache_control: { type: 'ephemeral' },
      system: 'You change code.',
      tools: [
        { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
        { type: 'bash_20250124', name: 'bash' },
        {
          name: 'report',
          description: TOOL_DEFINITIONS.report[0]!.description,
          input_schema: TOOL_DEFINITIONS.report[0]!.inputSchema,
        },
      ],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'fix the tests' }] }],
    });
  });

  it('leaves out tools and instructions where there are none', async () => {
    const server = await provider(json(message([text('ok')])));
    await modelAt(server).turn(turnRequest({ tools: [], instructions: ' ' }), never);
    expect(Object.keys(server.requests[0]!.body).sort()).toEqual([
      'cache_control',
      'max_tokens',
      'messages',
      'model',
      'stream',
    ]);
  });

  it('asks for 128,000 tokens without the SDK refusing', async () => {
    await expect(turn(events(streamed([text('ok')])), { maxOutputTokens: 128_000 })).resolves.toMatchObject({
      stop: 'end',
    });
  });

  it('the computer tool is refused before anything is sent', async () => {
    const server = await provider();
    const error = await failure(modelAt(server).turn(turnRequest({ tools: TOOL_DEFINITIONS.computer }), never));
    expect(error).toMatchObject({ type: 'BadInput', retryable: false, mayBeBilled: false });
    expect(server.requests).toHaveLength(0);
  });

  it("echoes the provider's content untouched, with results and a later note in one user message", async () => {
    const raw = [thinking, text('I look.'), toolUse('toolu_1'), toolUse('toolu_2', 'bash', {})];
    const messages = await messagesFor([
      userSays('fix', 'please'),
      assistant(raw, 'toolu_1', 'toolu_2'),
      {
        role: 'tools',
        results: [
          toolResult('toolu_1', 'ok', { content: [{ type: 'text', text: 'ok' }, screenshot] }),
          toolResult('toolu_2', 'no such file', { is_error: true }),
        ],
      },
      userSays('<note kind="steer">hurry</note>'),
    ]);
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'fix' },
          { type: 'text', text: 'please' },
        ],
      },
      { role: 'assistant', content: raw },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            content: [
              { type: 'text', text: 'ok' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG.toString('base64') } },
            ],
          },
          {
            type: 'tool_result',
            tool_use_id: 'toolu_2',
            content: [{ type: 'text', text: 'no such file' }],
            is_error: true,
          },
          { type: 'text', text: '<note kind="steer">hurry</note>' },
        ],
      },
    ]);
  });

  it("answers calls by the provider's own ids, also where they repeat and ours do not", async () => {
    const messages = await messagesFor([
      userSays('go'),
      assistant([toolUse('same'), toolUse('same')], 'same', 'call_1_1'),
      { role: 'tools', results: [toolResult('same', 'first'), toolResult('call_1_1', 'second')] },
      assistant([toolUse('same')], 'call_2_0'),
      { role: 'tools', results: [toolResult('call_2_0', 'third')] },
    ]);
    const ids = JSON.stringify(messages).match(/"tool_use_id":"[^"]*"/g);
    expect(ids).toEqual(Array(3).fill('"tool_use_id":"same"'));
  });

  it('never sends what the provider refuses: empty answers, blank text, empty results', async () => {
    const messages = await messagesFor([
      userSays('go', ' '),
      assistant([]),
      userSays('go on'),
      assistant([text('\n'), toolUse('a')], 'a'),
      { role: 'tools', results: [toolResult('a', '')] },
    ]);
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'go' },
          { type: 'text', text: 'go on' },
        ],
      },
      { role: 'assistant', content: [toolUse('a')] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'Done; there was no output.' }] },
    ]);
  });

  it("does not send another provider's conversation", async () => {
    const server = await provider();
    const entry: Entry = { ...assistant([], 'a'), provider: 'gemini' } as Entry;
    const error = await failure(modelAt(server).turn(turnRequest({ entries: [userSays('go'), entry] }), never));
    expect(error).toMatchObject({ type: 'BadInput', retryable: false });
    expect(server.requests).toHaveLength(0);
  });
});

describe('what is answered', () => {
  const expected: TurnReply = {
    entry: {
      role: 'assistant',
      provider: 'anthropic',
      model: 'claude-sonnet-5-5-20261103',
      text: 'I run the tests.',
      tool_calls: [{ id: 'toolu_1', name: 'bash', input: { command: 'npm test' }, confirm: null }],
      raw: [thinking, text('I run the tests.'), toolUse('toolu_1')],
    },
    stop: 'tools',
    stopReason: 'tool_use',
    model: 'claude-sonnet-5-5-20261103',
    usage: {
      input_tokens: 3_120,
      output_tokens: 40,
      cache_read_tokens: 3_000,
      cache_write_tokens: 20,
      thinking_tokens: 25,
    },
  };

  it('a stream becomes one answer with exact usage', async () => {
    const content = [emptyThinking, text('I run the tests.'), toolUse('toolu_1')];
    expect(await turn(events(streamed(content, 'tool_use')))).toEqual(expected);
  });

  it('a stand-in that answers in one piece is understood as well', async () => {
    expect(await turn(json(message([thinking, text('I run the tests.'), toolUse('toolu_1')], 'tool_use')))).toEqual(
      expected,
    );
  });

  it.each([
    ['end_turn', 'end'],
    ['stop_sequence', 'end'],
    ['max_tokens', 'cut_off'],
    ['model_context_window_exceeded', 'cut_off'],
    ['pause_turn', 'cut_off'],
    ['refusal', 'refused'],
    ['tool_use', 'malformed'], // without a tool call
    ['something_new', 'malformed'],
  ])('%s is "%s"', async (reason, stop) => {
    expect(await turn(events(streamed([text('words')], reason)))).toMatchObject({ stop, stopReason: reason });
  });

  it('a refusal says why, where the provider does', async () => {
    const refused = message([], 'refusal', { stop_details: { type: 'refusal', explanation: 'Not that.' } });
    expect(await turn(json(refused))).toMatchObject({ stop: 'refused', entry: { text: 'Not that.' } });
  });

  it.each(['{"command": "npm', '"npm test"', '[1]', 'null'])(
    'a tool input that is no object (%s) was paid for, and is malformed',
    async (input) => {
      const reply = await turn(events(streamed([toolUse('a')], 'tool_use', input)));
      expect(reply).toMatchObject({ stop: 'malformed', usage: expected.usage });
      expect(reply.entry.raw).toEqual([toolUse('a', 'bash', {})]);
    },
  );

  it('a tool input cut off at the token limit is a cut-off answer', async () => {
    const reply = await turn(events(streamed([text('x'), toolUse('a')], 'max_tokens', '{"comm')));
    expect(reply).toMatchObject({ stop: 'cut_off', entry: { tool_calls: [{ id: 'a', input: {} }] } });
  });

  it('counts a message without cache fields', async () => {
    const reply = await turn(json(message([text('ok')], 'end_turn', { usage: { input_tokens: 5, output_tokens: 2 } })));
    expect(reply.usage).toEqual({
      input_tokens: 5,
      output_tokens: 2,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      thinking_tokens: 0,
    });
  });
});

describe('what goes wrong', () => {
  it.each([
    new OperationError('NotFound', 'no artifact aaaa'),
    new OperationError('Internal', 'artifact aaaa is damaged', { retryable: false }),
  ])('with a picture of the conversation stays what it is, and nothing is sent: %s', async (problem) => {
    const server = await provider();
    const request = turnRequest({
      entries: [{ role: 'user', content: [screenshot] }],
      loadImage: () => Promise.reject(problem),
    });
    await expect(modelAt(server).turn(request, never)).rejects.toBe(problem);
    expect(toFailure(problem, (text) => text)).toMatchObject({ type: problem.type, nonRetryable: true });
    expect(server.requests).toEqual([]);
  });

  const problem = (type: string, words = 'words') => ({ type: 'error', error: { type, message: words } });

  it.each([
    [400, 'BadInput', false],
    [401, 'Forbidden', false],
    [402, 'Forbidden', false],
    [403, 'Forbidden', false],
    [404, 'NotFound', false],
    [408, 'ProviderUnavailable', true],
    [409, 'ProviderUnavailable', true],
    [413, 'PayloadTooLarge', false],
    [422, 'BadInput', false],
    [429, 'RateLimited', true],
    [500, 'ProviderUnavailable', true],
    [503, 'ProviderUnavailable', true],
    [529, 'ProviderUnavailable', true],
  ])('%d is %s (retryable: %p), after one request, and cost nothing', async (status, type, retryable) => {
    const server = await provider(json(problem('x_error'), status, { 'retry-after': '3', 'x-should-retry': 'true' }));
    const error = await failure(modelAt(server).turn(turnRequest(), never));
    expect(error).toMatchObject({
      type,
      retryable,
      status,
      mayBeBilled: false,
      retryAfterMs: retryable ? 3_000 : null,
    });
    expect(error.message).toBe(`Anthropic answered ${status}: words`);
    expect(server.requests).toHaveLength(1);
  });

  it('a proxy that answers HTML', async () => {
    const html: Answer = (response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<h1>Bad gateway</h1>');
    };
    expect(await failure(turn(html))).toMatchObject({ type: 'ProviderUnavailable', retryable: true, status: 502 });
  });

  const started = streamed([text('hello')]).slice(0, 4);
  it.each<[string, Answer, RegExp]>([
    ['a stream that is cut', events(started, 'cut'), /gave no whole answer/],
    ['a stream that ends too soon', events(started, 'end'), /ended before the message did/],
    ['an empty stream', events([], 'end'), /ended before the message did/],
    ['an error in the stream', events([...started, problem('overloaded_error', 'Overloaded')]), /Overloaded/],
    ['JSON that is cut', json('{"type": "mess'), /gave no whole answer/],
    ['JSON that is no message', json({ hello: 'world' }), /is no message \(model\)/],
    ['a connection that is dropped', (response) => response.destroy(), /gave no whole answer/],
  ])('%s may be tried again, and may be billed', async (_, answer, words) => {
    const error = await failure(turn(answer));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, status: null, mayBeBilled: true });
    expect(error.message).toMatch(words);
  });

  it('a provider that cannot be reached may be tried again, and was not billed', async () => {
    const server = await startProvider();
    await server.close();
    const error = await failure(modelAt(server).turn(turnRequest(), never));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, mayBeBilled: false });
    expect(error.message).toMatch(/ECONNREFUSED/);
  });

  it('an answer that does not begin in time', async () => {
    const server = await provider(silence);
    const error = await failure(modelAt(server, { beginMs: 100 }).turn(turnRequest(), never));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, mayBeBilled: true });
    await server.requests[0]!.closed;
  });

  it('an answer that stops in the middle and stays silent', async () => {
    const server = await provider(events(started, 'hang'));
    const error = await failure(modelAt(server, { silenceMs: 100 }).turn(turnRequest(), never));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, mayBeBilled: true });
    expect(error.message).toMatch(/stopped for/);
    await server.requests[0]!.closed;
  });

  it('a slow answer is not silent as long as pings come', async () => {
    const slow: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let pings = 0;
      const beat = setInterval(() => {
        response.write('event: ping\ndata: {"type":"ping"}\n\n');
        pings += 1;
        if (pings < 24) return;
        clearInterval(beat);
        response.end(
          streamed([text('late')])
            .map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`)
            .join(''),
        );
      }, 50);
    };
    const server = await provider(slow);
    const reply = await modelAt(server, { silenceMs: 1_000 }).turn(turnRequest(), never);
    expect(reply.entry.text).toBe('late');
  });

  it('the key is in no message, whatever the provider says', async () => {
    const error = await failure(turn(json(problem('authentication_error', `invalid key ${KEY}`), 401)));
    expect(error.message).toBe('Anthropic answered 401: invalid key [secret]');
    expect(JSON.stringify(error)).not.toContain(KEY);
  });
});

describe('abort', () => {
  const cancelled = new Error('cancelled by a person');

  it('before the start: nothing is sent', async () => {
    const server = await provider();
    await expect(modelAt(server).turn(turnRequest(), AbortSignal.abort(cancelled))).rejects.toBe(cancelled);
    expect(server.requests).toHaveLength(0);
  });

  it.each<[string, Answer]>([
    ['while the provider thinks', silence],
    ['in the middle of a stream', events(streamed([text('hello')]).slice(0, 4), 'hang')],
  ])('%s: reaches the socket', async (_, answer) => {
    const server = await provider(answer);
    const controller = new AbortController();
    const run = modelAt(server).turn(turnRequest(), controller.signal);
    const rejected = expect(run).rejects.toBe(cancelled);
    const request = await server.received(1);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(cancelled);
    await rejected;
    await request.closed;
  });
});
