import { TOOL_ID } from './anthropic-checks.ts';
import { conversationOf, readMessagesRequest } from './anthropic-request.ts';
import type { MessagesRequest } from './anthropic-request.ts';
import { canonicalJson, hashOf, sign } from './canonical.ts';
import type { Conversation, Reply } from './conversation.ts';
import type { Fault } from './faults.ts';
import type { PrefixCache, PromptBlock, PromptTokens } from './prefix-cache.ts';
import { CHARS_PER_TOKEN, IMAGE_TOKENS, estimateTokens } from './tokens.ts';

/** Content as the provider returns it. */
export type ReplyBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string; citations: null }
  | { type: 'tool_use'; id: string; name: string; input: unknown; caller: { type: 'direct' } };

/** A `Message` of the Messages API (SDK 1.13). */
export interface ReplyMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: ReplyBlock[];
  stop_reason: 'end_turn' | 'tool_use' | 'max_tokens' | 'stop_sequence' | 'refusal';
  stop_sequence: string | null;
  stop_details: { type: 'refusal'; category: 'general_harms'; explanation: string } | null;
  container: null;
  diagnostics: null;
  usage: ReturnType<typeof usageOf>;
}

const usageOf = (prompt: PromptTokens, outputTokens: number, thinkingTokens: number) => ({
  input_tokens: prompt.fresh,
  cache_creation_input_tokens: prompt.written5m + prompt.written1h,
  cache_read_input_tokens: prompt.read,
  cache_creation: { ephemeral_5m_input_tokens: prompt.written5m, ephemeral_1h_input_tokens: prompt.written1h },
  output_tokens: outputTokens,
  output_tokens_details: { thinking_tokens: thinkingTokens },
  server_tool_use: null,
  service_tier: 'standard' as const,
  inference_geo: null,
  speed: null,
});

/** How long a block's prefix is to be kept, if at all. */
const keepOf = (block: object): PromptBlock['keep'] => {
  if (!('cache_control' in block) || typeof block.cache_control !== 'object' || block.cache_control === null)
    return null;
  return 'ttl' in block.cache_control && block.cache_control.ttl === '1h' ? '1h' : '5m';
};

/** The prompt in the order the provider caches it: tools, system, messages; images counted flat. */
const promptOf = (request: MessagesRequest): PromptBlock[] => {
  const blocks: PromptBlock[] = [];
  const add = (value: object, about: string): void => {
    let images = 0;
    const text = JSON.stringify({ ...value, cache_control: undefined, about }, (key, field: unknown) => {
      if (key !== 'data' || typeof field !== 'string') return field;
      images += 1;
      return hashOf(field);
    });
    blocks.push({
      text,
      tokens: estimateTokens(text) + images * IMAGE_TOKENS.anthropic,
      keep: keepOf(value),
    });
  };
  for (const tool of request.tools ?? []) add(tool, 'tool');
  if (typeof request.system === 'string') add({ type: 'text', text: request.system }, 'system');
  else for (const block of request.system ?? []) add(block, 'system');
  for (const message of request.messages) {
    if (typeof message.content === 'string') add({ type: 'text', text: message.content }, message.role);
    else for (const block of message.content) add(block, message.role);
  }
  const last = blocks.at(-1);
  if (request.cache_control && last) last.keep ??= request.cache_control.ttl ?? '5m';
  return blocks;
};

/** What the program answered, in the provider's blocks, before anything is cut off. */
const contentOf = (reply: Reply, request: MessagesRequest, bodyHash: string): ReplyBlock[] => {
  const content: ReplyBlock[] = [];
  const thinks = ['enabled', 'adaptive'].includes(request.thinking?.type ?? '');
  if (thinks) {
    const omitted = request.thinking && 'display' in request.thinking && request.thinking.display === 'omitted';
    const next = reply.calls.map((call) => call.name).join(', ') || 'answer';
    const thinking = omitted ? '' : `A rehearsal, not a model. By the program, next: ${next}.`;
    content.push({ type: 'thinking', thinking, signature: sign(thinking, bodyHash) });
  }
  if (reply.text !== '') content.push({ type: 'text', text: reply.text, citations: null });
  for (const [index, call] of reply.calls.entries()) {
    const prefix = thinks ? TOOL_ID.afterThinking : TOOL_ID.plain;
    const id = `${prefix}${bodyHash.slice(0, 18)}${index.toString(36).padStart(2, '0')}`;
    content.push({ type: 'tool_use', id, ...call, caller: { type: 'direct' } });
  }
  return content;
};

const tokensOf = (block: ReplyBlock): number =>
  estimateTokens(
    block.type === 'text'
      ? block.text
      : block.type === 'thinking'
        ? block.thinking
        : block.name + canonicalJson(block.input),
  );

/** Blocks up to a number of tokens: the last text is cut, a call that does not fit whole is not made. */
const cutTo = (content: ReplyBlock[], maxTokens: number): ReplyBlock[] => {
  const kept: ReplyBlock[] = [];
  let left = maxTokens;
  for (const block of content) {
    const tokens = tokensOf(block);
    if (tokens > left) {
      if (block.type === 'text' && left > 0) kept.push({ ...block, text: block.text.slice(0, left * CHARS_PER_TOKEN) });
      break;
    }
    kept.push(block);
    left -= tokens;
  }
  return kept;
};

/** What a malformed call's arguments are. */
export const BROKEN_INPUT = '{"command": "vie';

const REFUSED = { type: 'refusal', category: 'general_harms', explanation: 'A rehearsed refusal.' } as const;

/** Reads a body. @throws RequestProblem as the provider would refuse it. */
export const readAnthropic = (body: unknown): { request: MessagesRequest; conversation: Conversation } => {
  const { request, turns } = readMessagesRequest(body);
  return { request, conversation: conversationOf(request, turns) };
};

/** The provider's message for a program's reply, spoiled by `fault` where it concerns the content. */
export const answerAnthropic = (
  request: MessagesRequest,
  reply: Reply,
  fault: Fault | null,
  cache: PrefixCache,
  bodyHash: string,
): ReplyMessage => {
  let content = contentOf(reply, request, bodyHash);
  let stop: ReplyMessage['stop_reason'] = reply.calls.length > 0 ? 'tool_use' : 'end_turn';
  let sequence: string | null = null;
  const total = content.reduce((sum, block) => sum + tokensOf(block), 0);

  const text = content.find((block) => block.type === 'text');
  const [at, found] =
    (request.stop_sequences ?? [])
      .map((mark) => [text?.text.indexOf(mark) ?? -1, mark] as const)
      .filter(([place]) => place >= 0)
      .sort(([a], [b]) => a - b)[0] ?? [];
  if (text && found !== undefined) {
    content = [...content.slice(0, content.indexOf(text)), { ...text, text: text.text.slice(0, at) }];
    [stop, sequence] = ['stop_sequence', found];
  }
  if (fault?.kind === 'refusal') [content, stop] = [[], 'refusal'];
  if (fault?.kind === 'malformed')
    [content, stop] = [
      [...content.filter((block) => block.type !== 'tool_use'), malformedCall(reply, bodyHash)],
      'tool_use',
    ];
  const room = fault?.kind === 'max_tokens' ? Math.floor(total / 2) : request.max_tokens;
  if (content.reduce((sum, block) => sum + tokensOf(block), 0) > room)
    [content, stop, sequence] = [cutTo(content, room), 'max_tokens', null];

  const thinking = content.reduce((sum, block) => sum + (block.type === 'thinking' ? tokensOf(block) : 0), 0);
  const output = Math.max(
    1,
    content.reduce((sum, block) => sum + tokensOf(block), 0),
  );
  return {
    id: `msg_re${bodyHash.slice(0, 22)}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: stop,
    stop_sequence: sequence,
    stop_details: fault?.kind === 'refusal' ? REFUSED : null,
    container: null,
    diagnostics: null,
    usage: usageOf(cache.use(`anthropic|${request.model}`, promptOf(request)), output, thinking),
  };
};

/** A call whose input breaks off: no JSON in a stream, no object in a plain answer. */
const malformedCall = (reply: Reply, bodyHash: string): ReplyBlock => ({
  type: 'tool_use',
  id: `${TOOL_ID.plain}${bodyHash.slice(0, 18)}xx`,
  name: reply.calls[0]?.name ?? 'no_such_tool',
  input: BROKEN_INPUT,
  caller: { type: 'direct' },
});
