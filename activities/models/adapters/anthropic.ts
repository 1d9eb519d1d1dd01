import Anthropic, { APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import type { TurnStop } from '../../../contracts/activities.ts';
import { OperationError } from '../../../platform/errors.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { classifyFault, innermostWords, retryAfterOf } from '../classify-error.ts';
import { ModelError } from '../model.ts';
import type { Model, ToolCall, TurnReply, TurnRequest, Usage } from '../model.ts';
import { collectMessage, readMessage } from './anthropic-message.ts';
import type { AnthropicReply } from './anthropic-message.ts';
import { messagesRequest } from './anthropic-request.ts';
import { tapRequest } from './request-tap.ts';
import type { Tap } from './request-tap.ts';
import { createWatchedFetch } from './watched-fetch.ts';

export interface AnthropicOptions {
  apiKey: string;
  /** null: the provider itself. */
  baseUrl: string | null;
  /** How long the answer may take to begin; default three minutes (a long prompt is read before the first token). */
  beginMs?: number;
  /** How long a begun answer may be silent; default 90 s: the provider sends pings between. */
  silenceMs?: number;
}

const STOPS: Readonly<Record<string, TurnStop>> = {
  end_turn: 'end',
  stop_sequence: 'end',
  tool_use: 'tools',
  max_tokens: 'cut_off',
  model_context_window_exceeded: 'cut_off',
  pause_turn: 'cut_off',
  refusal: 'refused',
};

const usageOf = ({ usage }: AnthropicReply): Usage => {
  const read = usage.cache_read_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  return {
    input_tokens: usage.input_tokens + read + written,
    output_tokens: usage.output_tokens,
    cache_read_tokens: read,
    cache_write_tokens: written,
    thinking_tokens: usage.output_tokens_details?.thinking_tokens ?? 0,
  };
};

const replyOf = (reply: AnthropicReply): TurnReply => {
  const stopReason = reply.stop_reason ?? 'none';
  const calls = reply.content.flatMap((block): ToolCall[] =>
    block.type === 'tool_use'
      ? [{ id: block.id, name: block.name, input: { ...(block.input as Record<string, unknown>) }, confirm: null }]
      : [],
  );
  const stop = STOPS[stopReason] ?? 'malformed';
  const text = reply.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n');
  return {
    entry: {
      role: 'assistant',
      provider: 'anthropic',
      model: reply.model,
      text: text || (reply.stop_details?.explanation ?? ''),
      tool_calls: calls,
      raw: reply.content,
    },
    stop: stop === 'tools' && (reply.unreadable || calls.length === 0) ? 'malformed' : stop,
    stopReason,
    model: reply.model,
    usage: usageOf(reply),
  };
};

/**
 * Anthropic Messages. Streams, since a long answer over a silent connection is lost; takes a plain JSON answer too.
 * No retries here: Temporal retries, and honours Retry-After.
 */
export const createAnthropicModel = (options: AnthropicOptions): Model => {
  const scrub = createScrub([options.apiKey]);
  const client = new Anthropic({
    apiKey: options.apiKey,
    // Named in every case: left out, the SDK would ask the environment by itself.
    baseURL: options.baseUrl ?? 'https://api.anthropic.com',
    webhookKey: null,
    maxRetries: 0,
    timeout: options.beginMs ?? 180_000,
    fetch: createWatchedFetch(options.silenceMs ?? 90_000),
    logLevel: 'off',
    openTelemetry: false,
  });

  const send = async (request: TurnRequest, signal: AbortSignal): Promise<AnthropicReply> => {
    const body = await messagesRequest(request);
    const { data, response } = await client.messages.create(body, { signal }).withResponse();
    if (response.headers.get('content-type')?.includes('application/json')) return readMessage(await response.json());
    return collectMessage(data);
  };

  const errorOf = (error: unknown, tap: Tap): ModelError | OperationError => {
    // Ours already: from the conversation (an image that is gone or damaged), not from the provider.
    if (error instanceof ModelError || error instanceof OperationError) return error;
    const answered = error instanceof APIError ? error : null;
    return classifyFault({
      provider: 'Anthropic',
      status: typeof answered?.status === 'number' ? answered.status : null,
      message: scrub(
        error instanceof APIConnectionTimeoutError
          ? 'no answer in time'
          : (answered?.apiMessage ?? innermostWords(error)),
      ),
      retryAfterMs: retryAfterOf((name) => tap.header(name)),
      sent: tap.sent,
    });
  };

  return {
    provider: 'anthropic',
    turn: (request, signal) =>
      tapRequest(async (tap) => {
        signal.throwIfAborted();
        try {
          return replyOf(await send(request, signal));
        } catch (error) {
          signal.throwIfAborted();
          throw errorOf(error, tap);
        }
      }),
  };
};
