import { GoogleGenerativeAI, GoogleGenerativeAIFetchError } from '@google/generative-ai';
import { z } from 'zod';
import type { TurnStop } from '../../../contracts/activities.ts';
import { OperationError } from '../../../platform/errors.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { classifyFault, innermostWords, retryAfterOf, retryInfoOf } from '../classify-error.ts';
import { ModelError } from '../model.ts';
import type { Model, ToolCall, TurnReply, TurnRequest, Usage } from '../model.ts';
import { generateRequest, WireAnswer } from './gemini-request.ts';
import { tapRequest } from './request-tap.ts';
import type { Tap } from './request-tap.ts';

export interface GeminiOptions {
  apiKey: string;
  /** null: the provider itself. */
  baseUrl: string | null;
  /** How long a whole answer may take; default 290 s, just under the five minutes after which Node's fetch gives up. */
  timeoutMs?: number;
}

const count = z.number().int().nonnegative().default(0);
const Reply = z.looseObject({
  candidates: z
    .array(
      z.looseObject({
        content: WireAnswer.optional(),
        finishReason: z.string().optional(),
        finishMessage: z.string().optional(),
      }),
    )
    .default([]),
  promptFeedback: z.looseObject({ blockReason: z.string().optional() }).optional(),
  modelVersion: z.string().optional(),
  usageMetadata: z
    .looseObject({
      promptTokenCount: count,
      toolUsePromptTokenCount: count,
      cachedContentTokenCount: count,
      candidatesTokenCount: count,
      thoughtsTokenCount: count,
    })
    .default({
      promptTokenCount: 0,
      toolUsePromptTokenCount: 0,
      cachedContentTokenCount: 0,
      candidatesTokenCount: 0,
      thoughtsTokenCount: 0,
    }),
});
type Reply = z.infer<typeof Reply>;

const FunctionCall = z.looseObject({
  id: z.string().optional(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()).default({}),
});
const SafetyDecision = z.looseObject({ decision: z.string(), explanation: z.string().optional() });

const REFUSALS = new Set([
  ...['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
]);
/** Decisions that need nobody; any other, known or new, asks a person. */
const HARMLESS = new Set(['regular', 'allowed']);

const stopOf = (reason: string, calls: number): TurnStop => {
  if (reason === 'STOP') return calls > 0 ? 'tools' : 'end';
  if (reason === 'MAX_TOKENS') return 'cut_off';
  return REFUSALS.has(reason) ? 'refused' : 'malformed';
};

/** The provider puts its question beside the arguments; the tool must not see it. */
const callOf = (value: unknown): ToolCall[] => {
  const call = FunctionCall.safeParse(value);
  if (!call.success) return [];
  const { safety_decision, ...input } = call.data.args;
  const safety = SafetyDecision.safeParse(safety_decision);
  const asks = safety.success && !HARMLESS.has(safety.data.decision.toLowerCase());
  return [
    {
      id: call.data.id ?? '',
      name: call.data.name,
      input,
      confirm: asks ? (safety.data.explanation ?? 'The provider asks for a confirmation.') : null,
    },
  ];
};

const usageOf = ({ usageMetadata: usage }: Reply): Usage => ({
  input_tokens: usage.promptTokenCount + usage.toolUsePromptTokenCount,
  output_tokens: usage.candidatesTokenCount + usage.thoughtsTokenCount,
  cache_read_tokens: usage.cachedContentTokenCount,
  cache_write_tokens: 0,
  thinking_tokens: usage.thoughtsTokenCount,
});

const replyOf = (request: TurnRequest, reply: Reply): TurnReply => {
  const candidate = reply.candidates[0];
  const blocked = reply.promptFeedback?.blockReason;
  const parts = candidate?.content?.parts ?? [];
  const calls = parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : callOf(functionCall)));
  const text = parts.flatMap((part) =>
    typeof part['text'] === 'string' && part['thought'] !== true ? [part['text']] : [],
  );
  const stopReason = candidate ? (candidate.finishReason ?? 'STOP') : (blocked ?? 'NO_CANDIDATE');
  const stop = candidate ? stopOf(stopReason, calls.length) : blocked ? 'refused' : 'malformed';
  const model = reply.modelVersion ?? request.model;
  return {
    entry: {
      role: 'assistant',
      provider: 'gemini',
      model,
      text: text.join('\n\n') || (stop === 'refused' ? (candidate?.finishMessage ?? '') : ''),
      tool_calls: calls,
      raw: candidate?.content ?? null,
    },
    stop,
    stopReason,
    model,
    usage: usageOf(reply),
  };
};

/** Google says "400" to a wrong key; the reason tells it from a wrong request. */
const isBadKey = (details: readonly unknown[]): boolean =>
  details.some(
    (detail) =>
      typeof detail === 'object' && detail !== null && 'reason' in detail && detail.reason === 'API_KEY_INVALID',
  );

/**
 * Gemini `generateContent`, never its stream: the SDK's streaming loses function calls. No retries here: Temporal
 * retries, and honours what the provider says about when.
 */
export const createGeminiModel = (options: GeminiOptions): Model => {
  const scrub = createScrub([options.apiKey]);
  const client = new GoogleGenerativeAI(options.apiKey);
  const timeoutMs = options.timeoutMs ?? 290_000;

  const send = async (request: TurnRequest, signal: AbortSignal): Promise<Reply> => {
    const body = await generateRequest(request);
    const model = client.getGenerativeModel(
      { model: request.model },
      options.baseUrl === null ? {} : { baseUrl: options.baseUrl.replace(/\/+$/, '') },
    );
    const { response } = await model.generateContent(body, { signal });
    const reply = Reply.safeParse(response);
    if (!reply.success) throw new Error(`the answer cannot be read (${reply.error.issues[0]?.path.join('.') ?? ''})`);
    return reply.data;
  };

  const errorOf = (error: unknown, tap: Tap, timedOut: boolean): ModelError | OperationError => {
    // Ours already: from the conversation (an image that is gone or damaged), not from the provider.
    if (error instanceof ModelError || error instanceof OperationError) return error;
    const answered = error instanceof GoogleGenerativeAIFetchError ? error : null;
    const details: readonly unknown[] = answered?.errorDetails ?? [];
    const words = timedOut ? 'no answer in time' : innermostWords(error);
    return classifyFault({
      provider: 'Gemini',
      status: isBadKey(details) ? 401 : (answered?.status ?? null),
      // The SDK's own preamble repeats the address and the status.
      message: scrub(words.replace(/^\[GoogleGenerativeAI Error\]: (Error fetching from \S+: )?(\[\d+[^\]]*\] )?/, '')),
      retryAfterMs: retryInfoOf(details) ?? retryAfterOf((name) => tap.header(name)),
      sent: tap.sent,
    });
  };

  return {
    provider: 'gemini',
    turn: (request, signal) =>
      tapRequest(async (tap) => {
        signal.throwIfAborted();
        // A signal of the request's own: the SDK never takes its listener off the one it is given.
        const own = new AbortController();
        const abort = (): void => own.abort();
        const timer = setTimeout(abort, timeoutMs);
        signal.addEventListener('abort', abort, { once: true });
        try {
          return replyOf(request, await send(request, own.signal));
        } catch (error) {
          signal.throwIfAborted();
          throw errorOf(error, tap, own.signal.aborted);
        } finally {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
        }
      }),
  };
};
