import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';

const isBlock = (value: unknown): boolean => typeof value === 'object' && value !== null && 'type' in value;

/** Content as the provider sent it; its fields are the provider's affair, and go back untouched. */
export const Content = z.array(z.custom<Anthropic.ContentBlock>(isBlock));

const tokens = z.number().int().nonnegative().nullish();
const Reply = z.looseObject({
  model: z.string(),
  stop_reason: z.string().nullable(),
  /** Why it refused. */
  stop_details: z.looseObject({ explanation: z.string().nullish() }).nullish(),
  content: Content,
  usage: z.looseObject({
    input_tokens: z.number().int().nonnegative(),
    output_tokens: z.number().int().nonnegative(),
    cache_creation_input_tokens: tokens,
    cache_read_input_tokens: tokens,
    output_tokens_details: z.looseObject({ thinking_tokens: tokens }).nullish(),
  }),
});
/** The parts of a `Message` that matter here. `unreadable`: a tool's input was no JSON object; it is `{}` in `content`. */
export type AnthropicReply = z.infer<typeof Reply> & { unreadable: boolean };

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a whole message. @throws Error when it is none. */
export const readMessage = (value: unknown): AnthropicReply => {
  const found = Reply.safeParse(value);
  if (!found.success) throw new Error(`the answer is no message (${found.error.issues[0]?.path.join('.') ?? ''})`);
  const reply = found.data;
  let unreadable = false;
  const content = reply.content.map((block) => {
    if (block.type !== 'tool_use' || isRecord(block.input)) return block;
    unreadable = true;
    return { ...block, input: {} };
  });
  return { ...reply, content, unreadable };
};

/**
 * Puts a streamed message together. The SDK's own accumulator throws the whole message away, usage included, when a
 * tool's input is no JSON; here it becomes an unreadable call that was paid for.
 * @throws Error when the stream ends before the message does.
 */
export const collectMessage = async (
  events: AsyncIterable<Anthropic.RawMessageStreamEvent>,
): Promise<AnthropicReply> => {
  let message: Anthropic.Message | undefined;
  const inputs = new Map<number, string>();
  let whole = false;
  for await (const event of events) {
    if (event.type === 'message_start') message = { ...event.message, content: [...event.message.content] };
    if (!message) continue;
    switch (event.type) {
      case 'content_block_start':
        message.content[event.index] = { ...event.content_block };
        break;
      case 'content_block_delta':
        extend(message.content[event.index], event.delta, (json) =>
          inputs.set(event.index, (inputs.get(event.index) ?? '') + json),
        );
        break;
      case 'message_delta':
        message.stop_reason = event.delta.stop_reason;
        message.stop_details = event.delta.stop_details;
        // Totals of the whole message; what does not apply is left out or null.
        for (const [name, count] of Object.entries(event.usage))
          if (count !== null) message.usage = { ...message.usage, [name]: count as unknown };
        break;
      case 'message_stop':
        whole = true;
        break;
      case 'message_start':
      case 'content_block_stop':
        break;
    }
  }
  if (!message || !whole) throw new Error('the stream ended before the message did');
  for (const [index, json] of inputs) {
    const block = message.content[index];
    if (block?.type === 'tool_use' && json.trim() !== '') block.input = parsed(json);
  }
  return readMessage(message);
};

const extend = (
  block: Anthropic.ContentBlock | undefined,
  delta: Anthropic.RawContentBlockDelta,
  addInput: (json: string) => void,
): void => {
  if (delta.type === 'text_delta' && block?.type === 'text') block.text += delta.text;
  else if (delta.type === 'thinking_delta' && block?.type === 'thinking') block.thinking += delta.thinking;
  else if (delta.type === 'signature_delta' && block?.type === 'thinking') block.signature = delta.signature;
  else if (delta.type === 'input_json_delta') addInput(delta.partial_json);
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined; // no object: `readMessage` marks the call unreadable
  }
};
