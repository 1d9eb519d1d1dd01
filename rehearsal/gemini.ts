import { hashOf, canonicalJson, sign } from './canonical.ts';
import type { Conversation, Reply } from './conversation.ts';
import type { Fault } from './faults.ts';
import { conversationOf, demandsSignatures, readGenerateContentRequest, signedCall } from './gemini-request.ts';
import type { GenerateContentRequest } from './gemini-request.ts';
import type { PrefixCache, PromptBlock } from './prefix-cache.ts';
import { CHARS_PER_TOKEN, IMAGE_TOKENS, estimateTokens } from './tokens.ts';

interface ReplyPart {
  text?: string;
  thought?: true;
  functionCall?: { id?: string; name: string; args: Record<string, unknown> };
  thoughtSignature?: string;
}

/** `GenerateContentResponse` (v1beta). */
export interface GenerateContentResponse {
  candidates: {
    content: { role: 'model'; parts?: ReplyPart[] };
    finishReason: 'STOP' | 'MAX_TOKENS' | 'SAFETY' | 'MALFORMED_FUNCTION_CALL';
    finishMessage?: string;
    index: 0;
  }[];
  usageMetadata: {
    promptTokenCount: number;
    candidatesTokenCount?: number;
    totalTokenCount: number;
    cachedContentTokenCount?: number;
    thoughtsTokenCount?: number;
    promptTokensDetails: { modality: 'TEXT' | 'IMAGE'; tokenCount: number }[];
  };
  modelVersion: string;
  responseId: string;
}

/** The prompt in the order the provider caches it; caching is implicit, so every block may be a prefix's end. */
const promptOf = (request: GenerateContentRequest): { blocks: PromptBlock[]; images: number } => {
  const blocks: PromptBlock[] = [];
  let all = 0;
  const add = (value: unknown): void => {
    if (value === undefined) return;
    let images = 0;
    const text = JSON.stringify(value, (key, field: unknown) => {
      if (key !== 'data' || typeof field !== 'string') return field;
      images += 1;
      return hashOf(field);
    });
    all += images;
    blocks.push({ text, tokens: estimateTokens(text) + images * IMAGE_TOKENS.gemini, keep: '5m' });
  };
  add(request.systemInstruction);
  request.tools?.forEach(add);
  request.contents.forEach(add);
  return { blocks, images: all };
};

const tokensOf = (part: ReplyPart): number =>
  estimateTokens(part.text ?? '') +
  (part.functionCall ? estimateTokens(part.functionCall.name + canonicalJson(part.functionCall.args)) : 0);

/** Reads a body. @throws RequestProblem as the provider would refuse it. */
export const readGemini = (
  model: string,
  body: unknown,
): { request: GenerateContentRequest; conversation: Conversation } => {
  const { request, contents } = readGenerateContentRequest(model, body);
  return { request, conversation: conversationOf(model, request, contents) };
};

/** The provider's response for a program's reply, spoiled by `fault` where it concerns the content. */
export const answerGemini = (
  model: string,
  request: GenerateContentRequest,
  reply: Reply,
  fault: Fault | null,
  cache: PrefixCache,
  bodyHash: string,
): GenerateContentResponse => {
  const next = reply.calls.map((call) => call.name).join(', ') || 'answer';
  const thought = `A rehearsal, not a model. By the program, next: ${next}.`;
  const shown: ReplyPart[] = request.generationConfig?.thinkingConfig?.includeThoughts
    ? [{ text: thought, thought: true }]
    : [];
  let parts: ReplyPart[] = reply.text === '' ? [] : [{ text: reply.text }];
  for (const [index, call] of reply.calls.entries()) {
    const functionCall = {
      ...(demandsSignatures(model) ? { id: `re${bodyHash.slice(0, 10)}${index}` } : {}),
      name: call.name,
      args: call.input,
    };
    parts.push({
      functionCall,
      ...(index === 0 ? { thoughtSignature: sign(signedCall(functionCall), bodyHash) } : {}),
    });
  }

  let finish: GenerateContentResponse['candidates'][number]['finishReason'] = 'STOP';
  let message: string | undefined;
  const count = (list: ReplyPart[]): number => list.reduce((sum, part) => sum + tokensOf(part), 0);
  const room =
    fault?.kind === 'max_tokens'
      ? Math.floor(count(parts) / 2)
      : (request.generationConfig?.maxOutputTokens ?? Infinity);
  if (count(parts) > room) {
    finish = 'MAX_TOKENS';
    parts = reply.text === '' ? [] : [{ text: reply.text.slice(0, room * CHARS_PER_TOKEN) }];
  }
  if (fault?.kind === 'refusal') [finish, parts, message] = ['SAFETY', [], 'A rehearsed refusal.'];
  if (fault?.kind === 'malformed')
    [finish, parts, message] = ['MALFORMED_FUNCTION_CALL', [], `Malformed function call: print(default_api.${next}(`];

  const { blocks, images } = promptOf(request);
  const prompt = cache.use(`gemini|${model}`, blocks);
  const promptTokens = prompt.fresh + prompt.read + prompt.written5m + prompt.written1h;
  const candidateTokens = count(parts);
  const thoughtTokens = estimateTokens(thought);
  const content = { role: 'model' as const, ...(parts.length > 0 ? { parts: [...shown, ...parts] } : {}) };
  return {
    candidates: [{ content, finishReason: finish, ...(message ? { finishMessage: message } : {}), index: 0 }],
    usageMetadata: {
      promptTokenCount: promptTokens,
      ...(candidateTokens > 0 ? { candidatesTokenCount: candidateTokens } : {}),
      totalTokenCount: promptTokens + candidateTokens + thoughtTokens,
      ...(prompt.read > 0 ? { cachedContentTokenCount: prompt.read } : {}),
      thoughtsTokenCount: thoughtTokens,
      promptTokensDetails: [
        { modality: 'TEXT' as const, tokenCount: promptTokens - images * IMAGE_TOKENS.gemini },
        ...(images > 0 ? [{ modality: 'IMAGE' as const, tokenCount: images * IMAGE_TOKENS.gemini }] : []),
      ],
    },
    modelVersion: model,
    responseId: `re${bodyHash.slice(0, 20)}`,
  };
};
