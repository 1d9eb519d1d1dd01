import Anthropic, { APIError, AnthropicError } from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GoogleGenerativeAI } from '@google/generative-ai';
import type { EnhancedGenerateContentResponse } from '@google/generative-ai';
import { createFaultQueue } from '../../../rehearsal/faults.ts';
import type { FaultInput, FaultKind } from '../../../rehearsal/faults.ts';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';

describe('the queue of faults', () => {
  const kinds = (queue: ReturnType<typeof createFaultQueue>, bodies: string[]): (FaultKind | undefined)[] =>
    bodies.map((body) => queue.take('anthropic', body)?.kind);

  it('spoils the next n requests, in order', () => {
    const queue = createFaultQueue();
    queue.add({ kind: 'server_error', count: 2 });
    queue.add({ kind: 'stall' });
    expect(kinds(queue, ['a', 'b', 'c', 'd'])).toEqual(['server_error', 'server_error', 'stall', undefined]);
  });

  it('matches provider, text and position', () => {
    const queue = createFaultQueue();
    queue.add({ kind: 'refusal', provider: 'gemini' });
    queue.add({ kind: 'cut', nth: 2, contains: 'tests' });
    expect(kinds(queue, ['tests', 'other', 'tests', 'tests'])).toEqual([undefined, undefined, 'cut', undefined]);
    expect(queue.list()).toMatchObject([{ kind: 'refusal', count: 1 }]);
    expect(queue.take('gemini', '')?.kind).toBe('refusal');
  });

  it('counts a request for every fault it fits, so that nth means the same to all', () => {
    const queue = createFaultQueue();
    queue.add({ kind: 'slow', count: 1 });
    queue.add({ kind: 'cut', nth: 2 });
    expect(kinds(queue, ['a', 'b'])).toEqual(['slow', 'cut']);
  });

  it('refuses what is no fault', () => {
    expect(() => createFaultQueue().add({ kind: 'meteor' as FaultKind })).toThrow();
    expect(() => createFaultQueue().add({ kind: 'cut', count: 0 })).toThrow();
  });
});

describe('a fault on the wire', () => {
  let rehearsal: Rehearsal;
  let anthropic: Anthropic;
  beforeAll(async () => {
    rehearsal = await startRehearsal({
      script: () => ({ text: 'fine '.repeat(50), calls: [{ name: 'bash', input: { command: 'ls' } }] }),
    });
    anthropic = new Anthropic({ apiKey: 'k', baseURL: rehearsal.url, maxRetries: 0 });
  });
  afterAll(() => rehearsal.close());
  afterEach(async () => {
    await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'DELETE' });
  });

  const inject = async (...faults: FaultInput[]): Promise<void> => {
    const response = await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'POST', body: JSON.stringify(faults) });
    expect(response.status).toBe(200);
  };
  const body = { model: 'claude-sonnet-5-5', max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'go' }] };
  const claude = (signal?: AbortSignal): Promise<Anthropic.Message> =>
    anthropic.messages.create(body, { ...(signal ? { signal } : {}) });
  const claudeStream = async (): Promise<Anthropic.Message> => anthropic.messages.stream(body).finalMessage();
  const gemini = async (): Promise<EnhancedGenerateContentResponse> =>
    (
      await new GoogleGenerativeAI('k')
        .getGenerativeModel({ model: 'gemini-3.5-flash' }, { baseUrl: rehearsal.url })
        .generateContent('go')
    ).response;
  const last = () => rehearsal.requests().at(-1);

  it.each<[FaultKind, number, string, number, string]>([
    ['rate_limited', 429, 'rate_limit_error', 429, 'RESOURCE_EXHAUSTED'],
    ['overloaded', 529, 'overloaded_error', 503, 'UNAVAILABLE'],
    ['unauthorized', 401, 'authentication_error', 401, 'UNAUTHENTICATED'],
    ['bad_request', 400, 'invalid_request_error', 400, 'INVALID_ARGUMENT'],
    ['too_large', 413, 'request_too_large', 413, 'INVALID_ARGUMENT'],
    ['server_error', 500, 'api_error', 500, 'INTERNAL'],
  ])('%s', async (kind, status, type, geminiStatus, word) => {
    await inject({ kind, count: 2, retry_after_s: 7 });
    const error = (await claude().catch((thrown: unknown) => thrown)) as APIError;
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status, type });
    expect((error.headers as Headers).get('retry-after')).toBe('7');
    expect(last()).toMatchObject({ outcome: 'refused', status, fault: kind });
    const response = await fetch(`${rehearsal.url}/v1beta/models/m:generateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': 'k' },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'go' }] }] }),
    });
    expect(response.status).toBe(geminiStatus);
    expect(await response.json()).toMatchObject({
      error: { code: geminiStatus, status: word, details: [{ retryDelay: '7s' }] },
    });
    expect((await claude()).stop_reason).toBe('tool_use');
  });

  it('stall: no answer until the client goes', async () => {
    await inject({ kind: 'stall' });
    const controller = new AbortController();
    const asked = claude(controller.signal).catch((error: unknown) => error);
    await until(() => last()?.fault === 'stall');
    expect(last()).toMatchObject({ outcome: 'open' });
    controller.abort();
    expect(await asked).toBeInstanceOf(AnthropicError);
    await until(() => last()?.outcome === 'cut');
  });

  it('cut: the socket dies in the middle of the answer', async () => {
    await inject({ kind: 'cut', count: 3 });
    await expect(claude()).rejects.toThrow();
    expect(last()).toMatchObject({ outcome: 'cut', fault: 'cut' });
    await expect(claudeStream()).rejects.toThrow();
    await expect(gemini()).rejects.toThrow();
    expect((await claude()).stop_reason).toBe('tool_use');
  });

  it('stream_error: the stream ends in an error event; a plain answer is refused', async () => {
    await inject({ kind: 'stream_error', count: 2 });
    await expect(claudeStream()).rejects.toMatchObject({ status: undefined, type: 'overloaded_error' });
    await expect(claude()).rejects.toMatchObject({ status: 529 });
  });

  it('malformed: a call nobody can execute', async () => {
    await inject({ kind: 'malformed', count: 3 });
    const plain = await claude();
    expect(plain.stop_reason).toBe('tool_use');
    expect(plain.content.at(-1)).toMatchObject({ type: 'tool_use', name: 'bash', input: '{"command": "vie' });
    let json = '';
    for await (const event of await anthropic.messages.create({ ...body, stream: true }))
      if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta')
        json += event.delta.partial_json;
    expect(() => JSON.parse(json) as unknown).toThrow();
    const response = await gemini();
    expect(response.candidates?.[0]).toMatchObject({
      finishReason: 'MALFORMED_FUNCTION_CALL',
      content: { role: 'model' },
    });
    expect(response.text()).toBe('');
  });

  it('refusal and max_tokens', async () => {
    await inject({ kind: 'refusal', count: 2 });
    expect(await claude()).toMatchObject({ stop_reason: 'refusal', content: [], stop_details: { type: 'refusal' } });
    expect((await gemini()).candidates?.[0]?.finishReason).toBe('SAFETY');
    await inject({ kind: 'max_tokens', count: 2 });
    const cut = await claude();
    expect(cut.stop_reason).toBe('max_tokens');
    expect(cut.content.map((block) => block.type)).toEqual(['text']);
    expect((await gemini()).candidates?.[0]?.finishReason).toBe('MAX_TOKENS');
  });

  it('slow: later, but whole', async () => {
    await inject({ kind: 'slow', delay_ms: 60 });
    const started = performance.now();
    expect((await claude()).stop_reason).toBe('tool_use');
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('does not use up a fault on a request without a key', async () => {
    await inject({ kind: 'server_error' });
    const response = await fetch(`${rehearsal.url}/v1/messages`, { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(401);
    await expect(claude()).rejects.toMatchObject({ status: 500 });
  });

  it('is refused when it is none', async () => {
    const response = await fetch(`${rehearsal.url}/rehearsal/faults`, { method: 'POST', body: '{"kind":"meteor"}' });
    expect(response.status).toBe(400);
  });
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
