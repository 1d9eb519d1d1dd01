import type Anthropic from '@anthropic-ai/sdk';
import type { ToolDefinition } from '../../tool-definitions.ts';
import { ModelError } from '../model.ts';
import type { Entry, Part, ToolResult, TurnRequest } from '../model.ts';
import { Content } from './anthropic-message.ts';

type LoadImage = TurnRequest['loadImage'];
type ImageType = Anthropic.Base64ImageSource['media_type'];
const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] satisfies ImageType[];
const isImageType = (type: string): type is ImageType => IMAGE_TYPES.includes(type);

const toolOf = (tool: ToolDefinition): Anthropic.ToolUnion => {
  switch (tool.native) {
    case 'text_editor':
      return { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' };
    case 'bash':
      return { type: 'bash_20250124', name: 'bash' };
    case 'computer':
      throw new ModelError(
        'BadInput',
        'the computer tool is not offered with Anthropic; give the agent another provider',
        {
          retryable: false,
        },
      );
    case null:
      return {
        name: tool.name,
        description: tool.description,
        input_schema: { ...tool.inputSchema, type: 'object' },
      };
  }
};

/** The API refuses blank text. */
const isBlank = (part: { type: string; text?: string }): boolean => part.type === 'text' && !part.text?.trim();

const partsOf = async (
  parts: readonly Part[],
  loadImage: LoadImage,
): Promise<(Anthropic.TextBlockParam | Anthropic.ImageBlockParam)[]> =>
  Promise.all(
    parts
      .filter((part) => !isBlank(part))
      .map(async (part): Promise<Anthropic.TextBlockParam | Anthropic.ImageBlockParam> => {
        if (part.type === 'text') return { type: 'text', text: part.text };
        if (!isImageType(part.media_type)) return { type: 'text', text: `(an image of type ${part.media_type})` };
        const data = (await loadImage(part.sha256)).toString('base64');
        return { type: 'image', source: { type: 'base64', media_type: part.media_type, data } };
      }),
  );

const resultOf = async (
  result: ToolResult,
  toolUseId: string,
  loadImage: LoadImage,
): Promise<Anthropic.ToolResultBlockParam> => {
  const content = await partsOf(result.content, loadImage);
  return {
    type: 'tool_result',
    tool_use_id: toolUseId,
    content: content.length > 0 ? content : 'Done; there was no output.',
    ...(result.is_error || result.unknown ? { is_error: true } : {}),
  };
};

/** Our ids may differ from the provider's (which may repeat); the order does not. */
const providerIds = (
  entry: Extract<Entry, { role: 'assistant' }>,
  content: Anthropic.ContentBlock[],
): Map<string, string> => {
  const ids = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  return new Map(entry.tool_calls.map((call, at) => [call.id, ids[at] ?? call.id]));
};

/** @throws ModelError BadInput when the entry was written by another provider. */
const rawOf = (entry: Extract<Entry, { role: 'assistant' }>): Anthropic.ContentBlock[] => {
  const content = Content.safeParse(entry.raw);
  if (entry.provider !== 'anthropic' || !content.success)
    throw new ModelError('BadInput', 'the conversation holds an answer that is not from Anthropic', {
      retryable: false,
    });
  return content.data.filter((block) => !isBlank(block));
};

const messagesOf = async (entries: readonly Entry[], loadImage: LoadImage): Promise<Anthropic.MessageParam[]> => {
  const messages: { role: 'user' | 'assistant'; content: Anthropic.ContentBlockParam[] }[] = [];
  // Roles alternate on the wire, whatever the chain holds: results and the note after them are one user message.
  const add = (role: 'user' | 'assistant', content: Anthropic.ContentBlockParam[]): void => {
    const last = messages.at(-1);
    if (content.length === 0) return;
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  };
  let ids = new Map<string, string>();
  for (const entry of entries) {
    if (entry.role === 'user') add('user', await partsOf(entry.content, loadImage));
    if (entry.role === 'assistant') {
      const content = rawOf(entry);
      ids = providerIds(entry, content);
      add('assistant', content);
    }
    if (entry.role === 'tools')
      add(
        'user',
        await Promise.all(
          entry.results.map((result) => resultOf(result, ids.get(result.call_id) ?? result.call_id, loadImage)),
        ),
      );
  }
  return messages;
};

/**
 * The body of one turn. `cache_control` at the top marks the last block, so that each turn reads what the turns before
 * it wrote. No temperature: Sonnet 5 and later refuse any but the default.
 */
export const messagesRequest = async (request: TurnRequest): Promise<Anthropic.MessageCreateParamsStreaming> => ({
  model: request.model,
  max_tokens: request.maxOutputTokens,
  stream: true,
  cache_control: { type: 'ephemeral' },
  ...(request.instructions.trim() ? { system: request.instructions } : {}),
  ...(request.tools.length > 0 ? { tools: request.tools.map(toolOf) } : {}),
  messages: await messagesOf(request.entries, (sha256) => request.loadImage(sha256)),
});
