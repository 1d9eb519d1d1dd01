import { z } from 'zod';
import { checkCacheControl, checkPairs, checkThinking, checkTools, invalid } from './anthropic-checks.ts';
import type { Conversation, Exchange } from './conversation.ts';

const CacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() });
const cache_control = CacheControl.nullish();

const TextBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  cache_control,
  citations: z.array(z.unknown()).nullish(),
});
const ImageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.union([
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: z.string().min(1),
    }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
  ]),
  cache_control,
});
const ToolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/, "String should match pattern '^[a-zA-Z0-9_-]+$'"),
  name: z.string().min(1).max(200),
  input: z.record(z.string(), z.unknown()),
  caller: z.looseObject({ type: z.string() }).optional(),
  toolset_name: z.string().nullish(),
  cache_control,
});
const ToolResultBlock = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [TextBlock, ImageBlock]))]).optional(),
  is_error: z.boolean().optional(),
  toolset_name: z.string().nullish(),
  cache_control,
});
const ThinkingBlock = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });

const Block = z.discriminatedUnion('type', [TextBlock, ImageBlock, ToolUseBlock, ToolResultBlock, ThinkingBlock]);
export type Block = z.infer<typeof Block>;
const Content = z.union([z.string(), z.array(Block)]);
const Message = z.strictObject({
  role: z.enum(['user', 'assistant'], "Input should be 'user' or 'assistant'"),
  content: Content,
});

const Tool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }).optional(),
  cache_control,
});

const Thinking = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('enabled'),
    budget_tokens: z.number().int().min(1024),
    display: z.enum(['summarized', 'omitted']).nullish(),
  }),
  z.strictObject({ type: z.literal('adaptive'), display: z.enum(['summarized', 'omitted']).nullish() }),
  z.strictObject({ type: z.literal('between_tools') }),
  z.strictObject({ type: z.literal('disabled') }),
]);

const ToolChoice = z.looseObject({ type: z.enum(['auto', 'any', 'tool', 'none']) });

/** The body of `POST /v1/messages`: the fields of the Messages API (SDK 1.13, November 2026); another is a 400. */
export const MessagesRequest = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.number().int().min(0),
  messages: z.array(Message).min(1, 'at least one message is required'),
  system: z.union([z.string(), z.array(TextBlock)]).optional(),
  tools: z.array(Tool).optional(),
  tool_choice: ToolChoice.optional(),
  thinking: Thinking.optional(),
  stream: z.boolean().optional(),
  cache_control,
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.number().int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  metadata: z.looseObject({}).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  speed: z.enum(['standard', 'fast']).nullish(),
  inference_geo: z.string().nullish(),
  output_config: z.looseObject({}).optional(),
  diagnostics: z.looseObject({}).nullish(),
  container: z.unknown().optional(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

const describe = (issue: z.core.$ZodIssue): string => {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return `${[at, issue.keys[0]].filter(Boolean).join('.')}: Extra inputs are not permitted`;
  if (issue.message.endsWith('received undefined')) return `${at}: Field required`;
  if (issue.code === 'invalid_union') {
    // The branch that got furthest says what is wrong; "expected string" of the shorthand does not.
    const branches = issue.errors.map((branch) => branch[0]).filter((first) => first !== undefined);
    const deepest = branches.sort((a, b) => b.path.length - a.path.length)[0];
    if (deepest && deepest.path.length > 0) return describe({ ...deepest, path: [...issue.path, ...deepest.path] });
  }
  return `${at}: ${issue.message}`;
};

/** Consecutive messages of one role are one turn (Messages API, `messages`). */
export interface Turn {
  role: 'user' | 'assistant';
  /** Index of the first message, for error texts. */
  at: number;
  blocks: Block[];
}

const turnsOf = (request: MessagesRequest): Turn[] => {
  const turns: Turn[] = [];
  for (const [at, message] of request.messages.entries()) {
    const blocks: Block[] =
      typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
    if (blocks.length === 0) throw invalid(`messages.${at}: all messages must have non-empty content`);
    if (blocks.some((block) => block.type === 'text' && block.text === ''))
      throw invalid(`messages.${at}: text content blocks must be non-empty`);
    const last = turns.at(-1);
    if (last?.role === message.role) last.blocks.push(...blocks);
    else turns.push({ role: message.role, at, blocks: [...blocks] });
  }
  return turns;
};

/** Sonnet 5 and 5.5 refuse any temperature but the default (November 2026). */
const FIXED_TEMPERATURE = /^claude-sonnet-5/;

/**
 * Parses and checks a request as the provider would.
 * @throws RequestProblem 400, in the provider's words where they are known.
 */
export const readMessagesRequest = (body: unknown): { request: MessagesRequest; turns: Turn[] } => {
  const parsed = MessagesRequest.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(issue ? describe(issue) : 'not a request');
  }
  const request = parsed.data;
  const turns = turnsOf(request);
  if (turns[0]?.role !== 'user') throw invalid('messages: first message must use the "user" role');
  if (turns.at(-1)?.role !== 'user')
    throw invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  if (FIXED_TEMPERATURE.test(request.model) && (request.temperature ?? 1) !== 1)
    throw invalid('`temperature` may only be set to 1 for this model.');
  checkTools(request);
  checkCacheControl(request);
  checkPairs(turns);
  checkThinking(request, turns);
  return { request, turns };
};

const textOf = (content: string | readonly Block[] | undefined): string =>
  typeof content === 'string'
    ? content
    : (content ?? []).flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');

/** The request without its protocol. */
export const conversationOf = (request: MessagesRequest, turns: readonly Turn[]): Conversation => {
  const exchanges: Exchange[] = [];
  for (const [index, turn] of turns.entries()) {
    if (turn.role !== 'assistant') continue;
    const uses = turn.blocks.flatMap((block) => (block.type === 'tool_use' ? [block] : []));
    const answer = turns[index + 1]?.blocks ?? [];
    exchanges.push({
      said: textOf(turn.blocks),
      calls: uses.map(({ name, input }) => ({ name, input })),
      outcomes: uses.map(({ id }) => {
        const result = answer.find((block) => block.type === 'tool_result' && block.tool_use_id === id);
        return result?.type === 'tool_result'
          ? { text: textOf(result.content), isError: result.is_error === true, url: null }
          : { text: '', isError: true, url: null };
      }),
      notes: answer.flatMap((block) => (block.type === 'text' ? [block.text] : [])),
    });
  }
  return {
    provider: 'anthropic',
    model: request.model,
    tools: new Set(request.tool_choice?.type === 'none' ? [] : (request.tools ?? []).map((tool) => tool.name)),
    vocabulary: null,
    opening: textOf(turns[0]?.blocks),
    exchanges,
  };
};
