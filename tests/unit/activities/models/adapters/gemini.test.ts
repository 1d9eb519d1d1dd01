import { afterEach, describe, expect, it } from '@jest/globals';
import { createGeminiModel } from '../../../../../activities/models/adapters/gemini.ts';
import type { GeminiOptions } from '../../../../../activities/models/adapters/gemini.ts';
import { ModelError } from '../../../../../activities/models/model.ts';
import type { Entry, Model, ToolCall, TurnReply, TurnRequest } from '../../../../../activities/models/model.ts';
import { toFailure } from '../../../../../activities/failures.ts';
import { TOOL_DEFINITIONS } from '../../../../../activities/tool-definitions.ts';
import { cutJson, json, silence, startProvider } from '../../../../fakes/provider-server.ts';
import type { Answer, ProviderServer } from '../../../../fakes/provider-server.ts';
import { OperationError } from '../../../../../platform/errors.ts';
import { PNG, screenshot, toolCall, toolResult, turnRequest, userSays } from '../../../../fakes/turn-request.ts';

const KEY = 'AIzaTest-0123456789abcdefghijklmnopq';
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
const modelAt = (server: ProviderServer, options: Partial<GeminiOptions> = {}): Model =>
  createGeminiModel({ apiKey: KEY, baseUrl: server.url, ...options });

const USAGE = {
  promptTokenCount: 1_000,
  cachedContentTokenCount: 600,
  candidatesTokenCount: 30,
  thoughtsTokenCount: 70,
  toolUsePromptTokenCount: 5,
  totalTokenCount: 1_105,
};
const reply = (parts: unknown[] | undefined, finishReason = 'STOP', more: Record<string, unknown> = {}) => ({
  candidates: [{ content: { role: 'model', ...(parts ? { parts } : {}) }, finishReason, index: 0 }],
  usageMetadata: USAGE,
  modelVersion: 'gemini-3.5-flash-001',
  ...more,
});
const functionCall = (name: string, args: Record<string, unknown> = {}, id?: string) => ({
  functionCall: { ...(id ? { id } : {}), name, args },
});

const browserRequest = (change: Partial<TurnRequest> = {}): TurnRequest =>
  turnRequest({
    model: 'gemini-3.5-flash',
    instructions: 'You operate a page.',
    tools: [...TOOL_DEFINITIONS.computer, ...TOOL_DEFINITIONS.page, ...TOOL_DEFINITIONS.report],
    entries: [userSays('check the site')],
    maxOutputTokens: 8_000,
    ...change,
  });
const turn = async (answer: Answer): Promise<TurnReply> =>
  modelAt(await provider(answer)).turn(browserRequest(), never);
const contentsFor = async (entries: Entry[]): Promise<unknown> => {
  const server = await provider(json(reply([{ text: 'ok' }])));
  await modelAt(server).turn(browserRequest({ entries }), never);
  return server.requests[0]?.body['contents'];
};
const assistant = (raw: unknown, ...calls: ToolCall[]): Entry => ({
  role: 'assistant',
  provider: 'gemini',
  model: 'm',
  text: '',
  tool_calls: calls,
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
  it('is one generateContent request with Computer Use beside the function declarations', async () => {
    const server = await provider(json(reply([{ text: 'ok' }])));
    await modelAt(server).turn(browserRequest(), never);
    expect(server.requests).toHaveLength(1);
    const { path, headers, body } = server.requests[0]!;
    expect(path).toBe('/v1beta/models/gemini-3.5-flash:generateContent');
    expect(headers['x-goog-api-key']).toBe(KEY);
    expect(path).not.toContain(KEY);
    expect(body['contents']).toEqual([{ role: 'user', parts: [{ text: 'check the site' }] }]);
    expect(body['systemInstruction']).toMatchObject({ parts: [{ text: 'You operate a page.' }] });
    expect(body['generationConfig']).toEqual({ maxOutputTokens: 8_000 });
    expect(body['tools']).toEqual([
      { computerUse: { environment: 'ENVIRONMENT_BROWSER' } },
      {
        functionDeclarations: [
          // An object without properties is a 400, and so is a word that is not in Google's subset.
          { name: 'page_report', description: TOOL_DEFINITIONS.page[0]!.description },
          {
            name: 'select_option',
            description: TOOL_DEFINITIONS.page[1]!.description,
            parameters: {
              type: 'object',
              properties: {
                label: { type: 'string', description: 'Label or name of the list.' },
                option: { type: 'string', description: 'Visible text or value of the option.' },
              },
              required: ['label', 'option'],
            },
          },
          {
            name: 'report',
            description: TOOL_DEFINITIONS.report[0]!.description,
            parameters: {
              type: 'object',
              properties: {
                text: { type: 'string', description: 'The report, in Markdown, for the person who asked.' },
              },
              required: ['text'],
            },
          },
        ],
      },
    ]);
  });

  it('offers editor and bash as plain functions, and no Computer Use', async () => {
    const server = await provider(json(reply([{ text: 'ok' }])));
    const tools = [...TOOL_DEFINITIONS.editor, ...TOOL_DEFINITIONS.bash];
    await modelAt(server).turn(browserRequest({ tools }), never);
    const sent = server.requests[0]!.body['tools'] as {
      functionDeclarations: { name: string; parameters: unknown }[];
    }[];
    expect(sent).toHaveLength(1);
    expect(sent[0]!.functionDeclarations.map(({ name }) => name)).toEqual(['str_replace_based_edit_tool', 'bash']);
    expect(JSON.stringify(sent)).not.toContain('additionalProperties');
    expect(sent[0]!.functionDeclarations[0]!.parameters).toMatchObject({ required: ['command', 'path'] });
  });

  it('sends no tools where there are none, and a path that the address ends in stays', async () => {
    const server = await provider(json(reply([{ text: 'ok' }])));
    const model = createGeminiModel({ apiKey: KEY, baseUrl: `${server.url}/` });
    await model.turn(browserRequest({ tools: [], instructions: '', model: 'tunedModels/mine' }), never);
    const { path, body } = server.requests[0]!;
    expect(path).toBe('/v1beta/tunedModels/mine:generateContent');
    expect(body).not.toHaveProperty('tools');
    expect(body).not.toHaveProperty('systemInstruction');
  });

  it("echoes signatures and ids untouched; a result carries address, picture and a person's confirmation", async () => {
    const raw = {
      role: 'model',
      parts: [
        { text: 'planning', thought: true },
        {
          ...functionCall('click', { x: 1, y: 2, safety_decision: { decision: 'require_confirmation' } }, 'fc-1'),
          thoughtSignature: 'c2ln',
        },
        functionCall('page_report', {}, 'fc-2'),
      ],
    };
    const contents = await contentsFor([
      userSays('check the site'),
      assistant(raw, { ...toolCall('fc-1', 'click'), confirm: 'Sure?' }, toolCall('call_1_1', 'page_report')),
      {
        role: 'tools',
        results: [
          toolResult('fc-1', '', { name: 'click', content: [screenshot], url: 'http://site/a', confirmed: true }),
          // Approved by a rule of ours; the provider did not ask.
          toolResult('call_1_1', 'title: A', { name: 'page_report', url: 'http://site/a', confirmed: true }),
        ],
      },
      userSays('<note kind="steer">only the first page</note>'),
    ]);
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'check the site' }] },
      raw,
      {
        role: 'user',
        parts: [
          {
            functionResponse: {
              id: 'fc-1',
              name: 'click',
              response: { url: 'http://site/a', safety_acknowledgement: 'true' },
              parts: [{ inlineData: { mimeType: 'image/png', data: PNG.toString('base64') } }],
            },
          },
          {
            functionResponse: {
              id: 'fc-2',
              name: 'page_report',
              response: { url: 'http://site/a', output: 'title: A' },
            },
          },
          { text: '<note kind="steer">only the first page</note>' },
        ],
      },
    ]);
  });

  it('gives no id where the provider gave none, and an address where a Computer Use result has none', async () => {
    const round = (n: number, name: string, change: Parameters<typeof toolResult>[2]): Entry[] => [
      assistant({ role: 'model', parts: [functionCall(name)] }, toolCall(`call_${n}_0`, name)),
      { role: 'tools', results: [toolResult(`call_${n}_0`, 'no', { name, ...change })] },
    ];
    const contents = await contentsFor([
      userSays('go'),
      ...round(1, 'click_at', { is_error: true }),
      ...round(2, 'navigate', { url: 'http://site/b' }),
      ...round(3, 'click_at', { unknown: true }),
      ...round(4, 'page_report', {}),
    ]);
    const responses = (contents as { parts: { functionResponse?: object }[] }[]).flatMap(({ parts }) =>
      parts.flatMap(({ functionResponse }) => functionResponse ?? []),
    );
    expect(responses).toEqual([
      { name: 'click_at', response: { url: 'about:blank', error: 'no' } },
      { name: 'navigate', response: { url: 'http://site/b', output: 'no' } },
      { name: 'click_at', response: { url: 'http://site/b', error: 'no' } },
      { name: 'page_report', response: { output: 'no' } },
    ]);
  });

  it('shows the screenshots of the last three turns that have any', async () => {
    const rounds = [1, 2, 3, 4, 5].flatMap((n): Entry[] => [
      assistant({ role: 'model', parts: [functionCall('click')] }, toolCall(`c${n}`, 'click')),
      {
        role: 'tools',
        results: [toolResult(`c${n}`, '', { name: 'click', url: 'http://s', content: n === 4 ? [] : [screenshot] })],
      },
    ]);
    const contents = await contentsFor([userSays('go'), ...rounds]);
    const shown = (contents as { parts: { functionResponse?: { parts?: unknown } }[] }[]).flatMap(({ parts }) =>
      parts.flatMap(({ functionResponse }) => (functionResponse ? [functionResponse.parts !== undefined] : [])),
    );
    expect(shown).toEqual([false, true, true, false, true]);
  });

  it('leaves out answers without content, so that roles alternate', async () => {
    const contents = await contentsFor([
      userSays('go'),
      assistant(null),
      userSays('again'),
      assistant({ role: 'model', parts: [] }),
      userSays('and again'),
    ]);
    expect(contents).toEqual([{ role: 'user', parts: [{ text: 'go' }, { text: 'again' }, { text: 'and again' }] }]);
  });

  it("does not send another provider's conversation", async () => {
    const server = await provider();
    const entry = { ...assistant([]), provider: 'anthropic' } as Entry;
    const error = await failure(modelAt(server).turn(browserRequest({ entries: [userSays('go'), entry] }), never));
    expect(error).toMatchObject({ type: 'BadInput', retryable: false });
    expect(server.requests).toHaveLength(0);
  });
});

describe('what is answered', () => {
  it('calls, words, thoughts and usage', async () => {
    const parts = [
      { text: 'secret thoughts', thought: true },
      { text: 'I click.' },
      { ...functionCall('click', { x: 10, y: 20 }, 'fc-1'), thoughtSignature: 'c2ln' },
      functionCall('click_at', { x: 1, y: 2 }),
    ];
    expect(await turn(json(reply(parts)))).toEqual({
      entry: {
        role: 'assistant',
        provider: 'gemini',
        model: 'gemini-3.5-flash-001',
        text: 'I click.',
        tool_calls: [
          { id: 'fc-1', name: 'click', input: { x: 10, y: 20 }, confirm: null },
          { id: '', name: 'click_at', input: { x: 1, y: 2 }, confirm: null },
        ],
        raw: { role: 'model', parts },
      },
      stop: 'tools',
      stopReason: 'STOP',
      model: 'gemini-3.5-flash-001',
      usage: {
        input_tokens: 1_005,
        output_tokens: 100,
        cache_read_tokens: 600,
        cache_write_tokens: 0,
        thinking_tokens: 70,
      },
    });
  });

  it.each([
    [{ decision: 'require_confirmation', explanation: 'This accepts cookies.' }, 'This accepts cookies.'],
    [{ decision: 'REQUIRE_CONFIRMATION' }, 'The provider asks for a confirmation.'],
    [{ decision: 'something_new', explanation: 'Who knows?' }, 'Who knows?'],
    [{ decision: 'regular' }, null],
    [{ decision: 'allowed' }, null],
    [undefined, null],
  ])('a safety decision %j asks a person: %p', async (safety_decision, confirm) => {
    const args = { x: 1, y: 2, ...(safety_decision ? { safety_decision } : {}) };
    const answer = await turn(json(reply([functionCall('click_at', args)])));
    expect(answer.entry.tool_calls).toEqual([{ id: '', name: 'click_at', input: { x: 1, y: 2 }, confirm }]);
    expect(answer.entry.raw).toEqual({ role: 'model', parts: [functionCall('click_at', args)] });
  });

  const words = [{ text: 'words' }];
  it.each<[string, unknown[] | undefined, string]>([
    ['STOP', words, 'end'],
    ['STOP', undefined, 'end'],
    ['STOP', [functionCall('click')], 'tools'],
    ['MAX_TOKENS', words, 'cut_off'],
    ['MAX_TOKENS', [functionCall('click')], 'cut_off'],
    ['MALFORMED_FUNCTION_CALL', undefined, 'malformed'],
    ['MALFORMED_FUNCTION_CALL', words, 'malformed'],
    ['UNEXPECTED_TOOL_CALL', undefined, 'malformed'],
    ['OTHER', undefined, 'malformed'],
    ['SAFETY', undefined, 'refused'],
    ['RECITATION', undefined, 'refused'],
    ['LANGUAGE', undefined, 'refused'],
    ['BLOCKLIST', undefined, 'refused'],
    ['PROHIBITED_CONTENT', undefined, 'refused'],
    ['SPII', undefined, 'refused'],
  ])('%s with parts %j is "%s"', async (reason, parts, stop) => {
    expect(await turn(json(reply(parts, reason)))).toMatchObject({
      stop,
      stopReason: reason,
      usage: { input_tokens: 1_005 },
    });
  });

  it('a blocked prompt is a refusal, no candidate at all is malformed', async () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 9 } };
    expect(await turn(json(blocked))).toMatchObject({
      stop: 'refused',
      stopReason: 'SAFETY',
      usage: { input_tokens: 9 },
    });
    expect(await turn(json({}))).toMatchObject({
      stop: 'malformed',
      model: 'gemini-3.5-flash',
      usage: { input_tokens: 0 },
    });
  });
});

describe('what goes wrong', () => {
  it.each([
    new OperationError('NotFound', 'no artifact aaaa'),
    new OperationError('Internal', 'artifact aaaa is damaged', { retryable: false }),
  ])('with a picture of the conversation stays what it is, and nothing is sent: %s', async (problem) => {
    const server = await provider();
    const request = browserRequest({
      entries: [{ role: 'user', content: [screenshot] }],
      loadImage: () => Promise.reject(problem),
    });
    await expect(modelAt(server).turn(request, never)).rejects.toBe(problem);
    expect(toFailure(problem, (text) => text)).toMatchObject({ type: problem.type, nonRetryable: true });
    expect(server.requests).toEqual([]);
  });

  const problem = (code: number, message = 'words', details?: unknown[]) => ({
    error: { code, message, status: 'X', ...(details ? { details } : {}) },
  });

  it.each([
    [400, 'BadInput', false],
    [401, 'Forbidden', false],
    [403, 'Forbidden', false],
    [404, 'NotFound', false],
    [408, 'ProviderUnavailable', true],
    [409, 'ProviderUnavailable', true],
    [413, 'PayloadTooLarge', false],
    [422, 'BadInput', false],
    [429, 'RateLimited', true],
    [500, 'ProviderUnavailable', true],
    [503, 'ProviderUnavailable', true],
    [504, 'ProviderUnavailable', true],
  ])('%d is %s (retryable: %p), after one request, and cost nothing', async (status, type, retryable) => {
    const server = await provider(json(problem(status), status, { 'Retry-After': '3' }));
    const error = await failure(modelAt(server).turn(browserRequest(), never));
    expect(error).toMatchObject({
      type,
      retryable,
      status,
      mayBeBilled: false,
      retryAfterMs: retryable ? 3_000 : null,
    });
    expect(error.message).toBe(`Gemini answered ${status}: words`);
    expect(server.requests).toHaveLength(1);
  });

  it("Google's own RetryInfo comes before the header", async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17s' }];
    const error = await failure(turn(json(problem(429, 'quota', details), 429, { 'retry-after': '3' })));
    expect(error).toMatchObject({ type: 'RateLimited', retryAfterMs: 17_000 });
  });

  it('each of several requests at once finds its own Retry-After', async () => {
    const limited = [1, 2, 3, 4, 5].map((s) => json(problem(429, `wait ${s}`), 429, { 'retry-after': String(s) }));
    const model = modelAt(await provider(...limited));
    const errors = await Promise.all(limited.map(() => failure(model.turn(browserRequest(), never))));
    for (const error of errors)
      expect(error.message).toBe(`Gemini answered 429: wait ${(error.retryAfterMs ?? 0) / 1_000}`);
    expect(new Set(errors.map(({ retryAfterMs }) => retryAfterMs)).size).toBe(5);
  });

  it('a wrong key is a 400 at Google, and Forbidden here', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
    const error = await failure(turn(json(problem(400, `API key not valid: ${KEY}`, details), 400)));
    expect(error).toMatchObject({ type: 'Forbidden', retryable: false });
    expect(error.message).toContain('API key not valid: [secret]');
    expect(JSON.stringify(error)).not.toContain(KEY);
  });

  it.each<[string, Answer]>([
    ['an answer that is cut', cutJson],
    ['an answer that is no JSON', json('<html>')],
    ['an answer of another shape', json({ candidates: 'none' })],
    ['a connection that is dropped', (response) => response.destroy()],
  ])('%s may be tried again, and may be billed', async (_, answer) => {
    const error = await failure(turn(answer));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, status: null, mayBeBilled: true });
  });

  it('a provider that cannot be reached may be tried again, and was not billed', async () => {
    const server = await startProvider();
    await server.close();
    const error = await failure(modelAt(server).turn(browserRequest(), never));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, mayBeBilled: false });
  });

  it('an answer that does not come in time', async () => {
    const server = await provider(silence);
    const error = await failure(modelAt(server, { timeoutMs: 100 }).turn(browserRequest(), never));
    expect(error).toMatchObject({ type: 'ProviderUnavailable', retryable: true, mayBeBilled: true });
    expect(error.message).toBe('Gemini gave no whole answer: no answer in time');
    await server.requests[0]!.closed;
  });
});

describe('abort', () => {
  const cancelled = new Error('cancelled by a person');

  it('before the start: nothing is sent, though the SDK itself would not look', async () => {
    const server = await provider();
    await expect(modelAt(server).turn(browserRequest(), AbortSignal.abort(cancelled))).rejects.toBe(cancelled);
    expect(server.requests).toHaveLength(0);
  });

  const begun: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"candidates": [');
  };
  it.each<[string, Answer]>([
    ['while the provider thinks', silence],
    ['in the middle of the answer', begun],
  ])('%s: reaches the socket', async (_, answer) => {
    const server = await provider(answer);
    const controller = new AbortController();
    const rejected = expect(modelAt(server).turn(browserRequest(), controller.signal)).rejects.toBe(cancelled);
    const request = await server.received(1);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(cancelled);
    await rejected;
    await request.closed;
  });
});
