import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GoogleGenerativeAI, GoogleGenerativeAIFetchError } from '@google/generative-ai';
import type { Content, GenerateContentRequest, EnhancedGenerateContentResponse } from '@google/generative-ai';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';

let rehearsal: Rehearsal;

beforeAll(async () => {
  rehearsal = await startRehearsal({
    script: ({ exchanges, vocabulary }) =>
      exchanges.length === 0 && vocabulary !== null
        ? {
            text: 'I look.',
            calls: [
              { name: 'navigate', input: { url: 'http://h/' } },
              { name: 'page_report', input: {} },
            ],
          }
        : { text: '(rehearsal) done' },
  });
});
afterAll(() => rehearsal.close());

const TOOLS = [
  { computerUse: { environment: 'ENVIRONMENT_BROWSER' } },
  { functionDeclarations: [{ name: 'page_report' }] },
];
type Part = Record<string, unknown>;
interface Turn {
  role: string;
  parts: Part[];
}

/** One request through the SDK, whose types know neither Computer Use nor signatures. */
const ask = async (
  contents: Turn[],
  change: Record<string, unknown> = {},
  model = 'gemini-3.5-flash',
): Promise<EnhancedGenerateContentResponse> => {
  const request = { tools: TOOLS, ...change, contents: contents as unknown as Content[] } as GenerateContentRequest;
  const answer = await new GoogleGenerativeAI('key')
    .getGenerativeModel({ model }, { baseUrl: rehearsal.url })
    .generateContent(request);
  return answer.response;
};

const go: Turn = { role: 'user', parts: [{ text: 'go' }] };
const partsOf = (response: EnhancedGenerateContentResponse): Part[] =>
  (response.candidates?.[0]?.content.parts ?? []) as unknown as Part[];
const results = (parts: Part[], role = 'user'): Turn => ({
  role,
  parts: parts.flatMap(({ functionCall }) =>
    functionCall === undefined
      ? []
      : [
          {
            functionResponse: {
              name: (functionCall as { name: string }).name,
              response: { output: 'ok', url: 'http://h/' },
            },
          },
        ],
  ),
});

describe('a response through the SDK', () => {
  it('asks for functions and, once answered, ends', async () => {
    const first = await ask([go]);
    const candidate = first.candidates?.[0];
    expect(candidate?.finishReason).toBe('STOP');
    expect(first.functionCalls()?.map(({ name }) => name)).toEqual(['navigate', 'page_report']);
    const parts = partsOf(first);
    expect(parts.map((part) => typeof part['thoughtSignature'])).toEqual(['undefined', 'string', 'undefined']);
    for (const role of ['user', 'function']) {
      const second = await ask([go, { role: 'model', parts }, results(parts, role)]);
      expect(second.text()).toBe('(rehearsal) done');
    }
  });

  it('counts prompt, candidates, thoughts and what was cached', async () => {
    const long: Turn = { role: 'user', parts: [{ text: 'All work and no play. '.repeat(300) + Math.random() }] };
    const first = await ask([long]);
    const usage = first.usageMetadata as unknown as Record<string, number>;
    expect(usage['totalTokenCount']).toBe(
      (usage['promptTokenCount'] ?? 0) + (usage['candidatesTokenCount'] ?? 0) + (usage['thoughtsTokenCount'] ?? 0),
    );
    expect(usage['thoughtsTokenCount']).toBeGreaterThan(0);
    expect(usage).not.toHaveProperty('cachedContentTokenCount');
    const second = await ask([long, { role: 'model', parts: partsOf(first) }, results(partsOf(first))]);
    expect((second.usageMetadata as unknown as Record<string, number>)['cachedContentTokenCount']).toBe(
      usage['promptTokenCount'],
    );
  });

  it('is cut at maxOutputTokens', async () => {
    const response = await ask([go], { tools: [], generationConfig: { maxOutputTokens: 2 } });
    expect(response.candidates?.[0]?.finishReason).toBe('MAX_TOKENS');
    expect(response.text()).toBe('(rehears');
  });

  it('shows its thoughts where asked to', async () => {
    const response = await ask([go], { tools: [], generationConfig: { thinkingConfig: { includeThoughts: true } } });
    expect(partsOf(response)[0]).toMatchObject({ thought: true });
  });
});

describe('thought signatures', () => {
  it('must come back on their part, untouched', async () => {
    const parts = partsOf(await ask([go]));
    const without = parts.map(({ thoughtSignature: _, ...part }) => part);
    const other = parts.map((part) => (part['thoughtSignature'] ? { ...part, thoughtSignature: 'AAAA' } : part));
    const moved = parts.map((part) =>
      part['thoughtSignature']
        ? { ...part, functionCall: { ...(part['functionCall'] as object), args: { url: 'http://evil/' } } }
        : part,
    );
    await expect(ask([go, { role: 'model', parts: without }, results(parts)])).rejects.toThrow(
      /missing a thought_signature/,
    );
    await expect(ask([go, { role: 'model', parts: other }, results(parts)])).rejects.toThrow(
      /Thought signature is not valid/,
    );
    await expect(ask([go, { role: 'model', parts: moved }, results(parts)])).rejects.toThrow(
      /Thought signature is not valid/,
    );
  });

  it('are demanded for the current turn only, and not by models before Gemini 3', async () => {
    const parts = partsOf(await ask([go]));
    const without = parts.map(({ thoughtSignature: _, ...part }) => part);
    const past = [
      go,
      { role: 'model', parts: without },
      results(parts),
      { role: 'model', parts: [{ text: 'ok' }] },
      { role: 'user', parts: [{ text: 'more' }] },
    ];
    await expect(ask(past)).resolves.toBeDefined();
    await expect(
      ask([go, { role: 'model', parts: without }, results(parts)], {}, 'gemini-2.5-computer-use-preview-10-2025'),
    ).resolves.toBeDefined();
  });
});

describe('what the provider refuses', () => {
  const call = {
    functionCall: { name: 'page_report', args: {} },
    thoughtSignature: 'skip_thought_signature_validator',
  };
  const answer = { functionResponse: { name: 'page_report', response: {} } };
  it.each<[string, Turn[], Record<string, unknown>, RegExp]>([
    ['no contents', [], {}, /contents is not specified/],
    ['no parts', [{ role: 'user', parts: [] }], {}, /parts must not be empty/],
    ['a part without data', [{ role: 'user', parts: [{ thought: true }] }], {}, /required oneof field 'data'/],
    ['an unknown role', [{ role: 'robot', parts: [{ text: 'x' }] }], {}, /valid role: user, model/],
    ['the model first', [{ role: 'model', parts: [{ text: 'x' }] }, go], {}, /first turn comes from the user/],
    ['the model last', [go, { role: 'model', parts: [{ text: 'x' }] }], {}, /end with a user role/],
    [
      'a call without a response',
      [go, { role: 'model', parts: [call] }, go],
      {},
      /number of function response parts is equal/,
    ],
    ['a response without a call', [{ role: 'user', parts: [answer] }], {}, /immediately after a function call turn/],
    [
      'a response to another function',
      [
        go,
        { role: 'model', parts: [call] },
        { role: 'user', parts: [{ functionResponse: { name: 'other', response: {} } }] },
      ],
      {},
      /does not answer function call page_report/,
    ],
    ['an unknown field', [go], { colour: 'red' }, /Unknown name "colour"/],
    ['an unknown tool', [go], { tools: [{ telepathy: {} }] }, /Unknown name "telepathy" at 'tools\[0\]'/],
    [
      'JSON Schema in parameters',
      [go],
      {
        tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'object', additionalProperties: false } }] }],
      },
      /Unknown name "additionalProperties" at 'tools\[0\]\.function_declarations\[0\]\.parameters'/,
    ],
    [
      'functions of one name',
      [go],
      { tools: [{ functionDeclarations: [{ name: 'f' }, { name: 'f' }] }] },
      /Duplicate function declaration/,
    ],
  ])('%s', async (_name, contents, change, message) => {
    const error: unknown = await ask(contents, change).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GoogleGenerativeAIFetchError);
    expect(error).toMatchObject({ status: 400 });
    expect((error as Error).message).toMatch(message);
  });

  it('no key: 403 PERMISSION_DENIED', async () => {
    const response = await fetch(`${rehearsal.url}/v1beta/models/gemini-3.5-flash:generateContent`, {
      method: 'POST',
      body: JSON.stringify({ contents: [go] }),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
  });

  it('another method: 404 in its own shape', async () => {
    const response = await fetch(`${rehearsal.url}/v1beta/models/gemini-3.5-flash:streamGenerateContent`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
  });
});
