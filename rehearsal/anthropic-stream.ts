import { BROKEN_INPUT } from './anthropic.ts';
import type { ReplyMessage } from './anthropic.ts';

type Event = { type: string } & Record<string, unknown>;

const frame = (event: Event): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Characters in one delta: small enough that an answer is several. */
const DELTA_CHARS = 120;
const pieces = (text: string): string[] => text.match(new RegExp(`[^]{1,${DELTA_CHARS}}`, 'g')) ?? [];

/** The same message as server-sent events, in the provider's order. */
export const streamAnthropic = (message: ReplyMessage): string[] => {
  const { usage } = message;
  const events: Event[] = [
    {
      type: 'message_start',
      message: {
        ...message,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: { ...usage, output_tokens: 1 },
      },
    },
    { type: 'ping' },
  ];
  for (const [index, block] of message.content.entries()) {
    const start = (content_block: object): void =>
      void events.push({ type: 'content_block_start', index, content_block });
    const delta = (change: object): void => void events.push({ type: 'content_block_delta', index, delta: change });
    switch (block.type) {
      case 'text':
        start({ ...block, text: '' });
        for (const text of pieces(block.text)) delta({ type: 'text_delta', text });
        break;
      case 'thinking':
        start({ type: 'thinking', thinking: '', signature: '' });
        for (const thinking of pieces(block.thinking)) delta({ type: 'thinking_delta', thinking });
        delta({ type: 'signature_delta', signature: block.signature });
        break;
      case 'tool_use':
        start({ ...block, input: {} });
        delta({ type: 'input_json_delta', partial_json: '' });
        for (const partial_json of pieces(block.input === BROKEN_INPUT ? BROKEN_INPUT : JSON.stringify(block.input)))
          delta({ type: 'input_json_delta', partial_json });
        break;
    }
    events.push({ type: 'content_block_stop', index });
  }
  const { stop_reason, stop_sequence, stop_details, container } = message;
  events.push(
    {
      type: 'message_delta',
      delta: { stop_reason, stop_sequence, stop_details, container },
      usage: {
        input_tokens: usage.input_tokens,
        cache_creation_input_tokens: usage.cache_creation_input_tokens,
        cache_read_input_tokens: usage.cache_read_input_tokens,
        output_tokens: usage.output_tokens,
        output_tokens_details: usage.output_tokens_details,
        server_tool_use: null,
      },
    },
    { type: 'message_stop' },
  );
  return events.map(frame);
};
