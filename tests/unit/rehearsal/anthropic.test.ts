import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';

const TOOLS: Anthropic.ToolUnion[] = [
  { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
  { type: 'bash_20250124', name: 'bash' },
  { name: 'report', description: 'd', input_schema: { type: 'object', properties: { text: { type: 'string' } } } },
];
const MODEL = 'claude-sonnet-5-5';

let rehearsal: Rehearsal;
let client: Anthropic;

beforeAll(async () => {
  rehearsal = await startRehearsal({
    script: ({ exchanges, tools }) =>
      exchanges.length === 0 && tools.size > 0
        ? {
            text: 'I look.',
            calls: [
              { name: 'bash', input: { command: 'ls' } },
              { name: 'bash', input: { command: 'pwd' } },
            ],
          }
        : { text: `(rehearsal) ${'done '.repeat(100)}` },
  });
  client = new Anthropic({ apiKey: 'k', baseURL: rehearsal.url, maxRetries: 0 });
});
afterAll(() => rehearsal.close());

const ask = (change: Partial<Anthropic.MessageCreateParamsNonStreaming> = {}): Promise<Anthropic.Message> =>
  client.messages.create({
    model: MODEL,
    max_tokens: 2_000,
    tools: TOOLS,
    messages: [{ role: 'user', content: 'go' }],
    ...change,
  });

const resultsFor = (message: Anthropic.Message): Anthropic.ToolResultBlockParam[] =>
  message.content.flatMap((block) =>
    block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: 'a.ts' }] : [],
  );

/** The 400 a raw body meets; the SDK's types would not let it through. */
const refusal = async (
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string; message: string }> => {
  const response = await fetch(`${rehearsal.url}/v1/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer k',
      'anthropic-version': '2026-10-21',
      ...headers,
    },
    body: JSON.stringify({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'go' }], ...body }),
  });
  const answer = (await response.json()) as { type: string; error: { type: string; message: string } };
  expect(answer.type).toBe('error');
  return { status: response.status, ...answer.error };
};

describe('a message through the SDK', () => {
  it('asks for tools and, once answered, ends', async () => {
    const first = await ask();
    expect(first).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: MODEL,
      stop_reason: 'tool_use',
      stop_sequence: null,
    });
    expect(first.content.map((block) => block.type)).toEqual(['text', 'tool_use', 'tool_use']);
    const second = await ask({
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: first.content },
        { role: 'user', content: resultsFor(first) },
      ],
    });
    expect(second.stop_reason).toBe('end_turn');
  });

  it('says the same as a stream', async () => {
    const plain = await ask();
    const streamed = await client.messages
      .stream({ model: MODEL, max_tokens: 2_000, tools: TOOLS, messages: [{ role: 'user', content: 'go' }] })
      .finalMessage();
    const withoutIds = ({ content }: Anthropic.Message): unknown[] => content.map((block) => ({ ...block, id: '' }));
    expect(withoutIds(streamed)).toEqual(withoutIds(plain));
    expect(streamed.stop_reason).toBe('tool_use');
    expect(streamed.usage.output_tokens).toBe(plain.usage.output_tokens);
  });

  it('sends the events in the documented order', async () => {
    const stream = await client.messages.create({
      model: MODEL,
      max_tokens: 2_000,
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
    });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types[0]).toBe('message_start');
    expect(types[1]).toBe('content_block_start');
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect(types.filter((type) => type === 'content_block_delta').length).toBeGreaterThan(1);
  });

  it('is cut at max_tokens', async () => {
    const message = await ask({ tools: [], max_tokens: 20 });
    expect(message.stop_reason).toBe('max_tokens');
    expect(message.usage.output_tokens).toBeLessThanOrEqual(20);
  });

  it('stops at a stop sequence', async () => {
    const message = await ask({ tools: [], stop_sequences: ['done'] });
    expect(message).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: 'done',
      content: [{ text: '(rehearsal) ' }],
    });
  });
});

describe('the prompt cache', () => {
  const long = 'All work and no play. '.repeat(400);
  it('writes a marked prefix once and reads it in the next turn', async () => {
    const cache_control = { type: 'ephemeral' } as const;
    const opening: Anthropic.MessageParam = { role: 'user', content: `${long} ${Math.random()}` };
    const first = await ask({ messages: [opening], cache_control });
    expect(first.usage.cache_read_input_tokens).toBe(0);
    expect(first.usage.cache_creation_input_tokens).toBeGreaterThan(2_000);
    expect(first.usage.input_tokens).toBe(0);
    const second = await ask({
      messages: [opening, { role: 'assistant', content: first.content }, { role: 'user', content: resultsFor(first) }],
      cache_control,
    });
    expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
    expect(second.usage.cache_creation_input_tokens).toBeGreaterThan(0);
    expect(second.usage.cache_creation_input_tokens).toBeLessThan(200);
  });

  it('stays out of it when nothing is marked', async () => {
    const { usage } = await ask({ messages: [{ role: 'user', content: long }] });
    expect([usage.cache_read_input_tokens, usage.cache_creation_input_tokens]).toEqual([0, 0]);
    expect(usage.input_tokens).toBeGreaterThan(2_000);
  });
});

describe('thinking', () => {
  const thinking = { type: 'enabled', budget_tokens: 1_024 } as const;
  const continued = (first: Anthropic.Message, content: Anthropic.ContentBlockParam[]): Promise<Anthropic.Message> =>
    ask({
      thinking,
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content },
        { role: 'user', content: resultsFor(first) },
      ],
    });

  it('comes first, is counted, and goes back unchanged', async () => {
    const first = await ask({ thinking });
    expect(first.content[0]?.type).toBe('thinking');
    expect(first.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
    expect((await continued(first, first.content)).stop_reason).toBe('end_turn');
  });

  it('is a 400 when it was changed or left out', async () => {
    const first = await ask({ thinking });
    const changed = first.content.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'other' } : block));
    await expect(continued(first, changed)).rejects.toThrow(/Invalid `signature` in `thinking` block/);
    await expect(continued(first, first.content.slice(1))).rejects.toThrow(
      /Expected `thinking` or `redacted_thinking`, but found `text`/,
    );
  });
});

describe('what the provider refuses', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no max_tokens', { max_tokens: undefined }, /^max_tokens: Field required/],
    ['no messages', { messages: [] }, /^messages: at least one message is required/],
    ['an unknown field', { colour: 'red' }, /^colour: Extra inputs are not permitted/],
    [
      'an unknown role',
      { messages: [{ role: 'robot', content: 'x' }] },
      /^messages\.0\.role: Input should be 'user' or 'assistant'/,
    ],
    [
      'an assistant first',
      {
        messages: [
          { role: 'assistant', content: 'x' },
          { role: 'user', content: 'y' },
        ],
      },
      /first message must use the "user" role/,
    ],
    [
      'a prefill',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: 'y' },
        ],
      },
      /does not support assistant message prefill/,
    ],
    ['empty text', { messages: [{ role: 'user', content: '' }] }, /text content blocks must be non-empty/],
    [
      'an unknown tool type',
      { tools: [{ type: 'bash_19990101', name: 'bash' }] },
      /^tools\.0: Input tag 'bash_19990101' found using 'type'/,
    ],
    ['a misnamed native tool', { tools: [{ type: 'bash_20250124', name: 'shell' }] }, /Input should be 'bash'/],
    [
      'a schema on a native tool',
      { tools: [{ type: 'bash_20250124', name: 'bash', input_schema: { type: 'object' } }] },
      /Extra inputs/,
    ],
    ['a custom tool without schema', { tools: [{ name: 'x' }] }, /input_schema: Field required/],
    [
      'tools of one name',
      {
        tools: [
          { name: 'x', input_schema: { type: 'object' } },
          { name: 'x', input_schema: { type: 'object' } },
        ],
      },
      /Tool names must be unique/,
    ],
    ['a temperature', { temperature: 0 }, /temperature/],
    [
      'a thinking budget over max_tokens',
      { thinking: { type: 'enabled', budget_tokens: 1_024 } },
      /must be greater than thinking\.budget_tokens/,
    ],
    [
      'a block of an unknown type',
      { messages: [{ role: 'user', content: [{ type: 'smell' }] }] },
      /^messages\.0\.content\.0/,
    ],
    [
      'five breakpoints',
      { system: Array.from({ length: 5 }, () => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } })) },
      /maximum of 4 blocks with cache_control.*Found 5/,
    ],
  ])('%s', async (_name, body, message) => {
    const refused = await refusal(body);
    expect(refused).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refused.message).toMatch(message);
  });

  const use = { type: 'tool_use', id: 'toolu_1', name: 'bash', input: {} };
  it.each<[string, unknown[], RegExp]>([
    [
      'a call without a result',
      [
        { role: 'assistant', content: [use] },
        { role: 'user', content: 'and?' },
      ],
      /`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1/,
    ],
    [
      'a result behind other content',
      [
        { role: 'assistant', content: [use] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'tool_result', tool_use_id: 'toolu_1' },
          ],
        },
      ],
      /without `tool_result` blocks/,
    ],
    [
      'a result without a call',
      [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_9' }] }],
      /unexpected `tool_use_id` found in `tool_result` blocks: toolu_9/,
    ],
    [
      'two results for one call',
      [
        { role: 'assistant', content: [use] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1' },
            { type: 'tool_result', tool_use_id: 'toolu_1' },
          ],
        },
      ],
      /single result/,
    ],
    [
      'an id used twice',
      [
        { role: 'assistant', content: [use, use] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
      ],
      /ids must be unique/,
    ],
  ])('%s', async (_name, rest, message) => {
    expect((await refusal({ messages: [{ role: 'user', content: 'go' }, ...rest] })).message).toMatch(message);
  });

  it('no key, no version, no JSON', async () => {
    expect(await refusal({}, { authorization: '' })).toMatchObject({ status: 401, type: 'authentication_error' });
    expect(await refusal({}, { 'anthropic-version': '' })).toMatchObject({
      status: 400,
      message: 'anthropic-version: header is required',
    });
    const raw = await fetch(`${rehearsal.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k' },
      body: '{',
    });
    expect(await raw.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });

  it('takes either header for the key', async () => {
    const byKey = await fetch(`${rehearsal.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: MODEL, max_tokens: 10, messages: [{ role: 'user', content: 'go' }] }),
    });
    expect(byKey.status).toBe(200);
  });

  it('is a typed error in the SDK, with its request id', async () => {
    const error: unknown = await ask({ max_tokens: -1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect((error as APIError).requestID).toMatch(/^req_/);
  });
});
