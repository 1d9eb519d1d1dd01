import type { MessagesRequest, Turn } from './anthropic-request.ts';
import { isSignatureOf } from './canonical.ts';
import { RequestProblem } from './conversation.ts';

export const invalid = (message: string): RequestProblem => new RequestProblem(400, 'invalid_request_error', message);

const TOOL_TYPES: Record<string, string> = {
  bash_20250124: 'bash',
  text_editor_20250728: 'str_replace_based_edit_tool',
};

/** Whose first characters say that this turn began with a thinking block, so that a lost one is noticed. */
export const TOOL_ID = { plain: 'toolu_re0', afterThinking: 'toolu_re1' } as const;

export const checkTools = (request: MessagesRequest): void => {
  const names = new Set<string>();
  for (const [index, tool] of (request.tools ?? []).entries()) {
    const native = tool.type ? TOOL_TYPES[tool.type] : undefined;
    if (tool.type && tool.type !== 'custom' && native === undefined)
      throw invalid(
        `tools.${index}: Input tag '${tool.type}' found using 'type' does not match any of the expected tags: ` +
          `${Object.keys(TOOL_TYPES)
            .map((type) => `'${type}'`)
            .join(', ')}, 'custom'`,
      );
    if (native !== undefined && tool.name !== native)
      throw invalid(`tools.${index}.${tool.type}.name: Input should be '${native}'`);
    if (native !== undefined && (tool.input_schema || tool.description !== undefined))
      throw invalid(
        `tools.${index}.${tool.type}.${tool.input_schema ? 'input_schema' : 'description'}: Extra inputs are not permitted`,
      );
    if (native === undefined && !tool.input_schema) throw invalid(`tools.${index}.custom.input_schema: Field required`);
    if (names.has(tool.name)) throw invalid('tools: Tool names must be unique.');
    names.add(tool.name);
  }
  const choice = request.tool_choice?.type ?? 'auto';
  if (choice === 'any' || choice === 'tool')
    throw invalid(`tool_choice: rehearsal decides by itself which tool it calls; "${choice}" is not rehearsed`);
};

export const checkCacheControl = (request: MessagesRequest): void => {
  const marked = JSON.stringify([request.tools, request.system, request.messages]).match(/"cache_control":\{/g) ?? [];
  const count = marked.length + (request.cache_control ? 1 : 0);
  if (count > 4) throw invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${count}.`);
};

export const checkThinking = (request: MessagesRequest, turns: Turn[]): void => {
  if (request.thinking?.type === 'enabled' && request.thinking.budget_tokens >= request.max_tokens)
    throw invalid('max_tokens: must be greater than thinking.budget_tokens');
  const loopStart = turns.findLastIndex(
    (turn) => turn.role === 'user' && !turn.blocks.some((block) => block.type === 'tool_result'),
  );
  for (const [index, turn] of turns.entries()) {
    for (const [place, block] of turn.blocks.entries()) {
      if (block.type !== 'thinking') continue;
      if (turn.role === 'user')
        throw invalid(`messages.${turn.at}.content.${place}: thinking blocks belong to the assistant`);
      if (!isSignatureOf(block.signature, block.thinking))
        throw invalid(`messages.${turn.at}.content.${place}: Invalid \`signature\` in \`thinking\` block`);
    }
    const thought = turn.blocks.some(
      (block) => block.type === 'tool_use' && block.id.startsWith(TOOL_ID.afterThinking),
    );
    if (thought && index > loopStart && turn.blocks[0]?.type !== 'thinking')
      throw invalid(
        `messages.${turn.at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${turn.blocks[0]?.type}\`. ` +
          'A final `assistant` message must start with the thinking block it was sent with (preceding the lastmost set of `tool_use` and `tool_result` blocks).',
      );
  }
};

export const checkPairs = (turns: Turn[]): void => {
  const used = new Set<string>();
  for (const [index, turn] of turns.entries()) {
    const asked = turn.blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    if (turn.role === 'user' && asked.length > 0)
      throw invalid(`messages.${turn.at}: \`tool_use\` blocks can only be in \`assistant\` messages`);
    for (const id of asked) {
      if (used.has(id)) throw invalid(`messages.${turn.at}: \`tool_use\` ids must be unique`);
      used.add(id);
    }
    const next = turns[index + 1];
    const lead = next ? next.blocks.findIndex((block) => block.type !== 'tool_result') : 0;
    const leading = next ? next.blocks.slice(0, lead < 0 ? undefined : lead) : [];
    const answered = leading.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
    const missing = asked.filter((id) => !answered.includes(id));
    if (missing.length > 0)
      throw invalid(
        `messages.${turn.at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. ` +
          'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
      );
    const before = turns[index - 1]?.blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])) ?? [];
    const results = turn.blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
    for (const [place, id] of results.entries()) {
      if (turn.role === 'assistant' || !before.includes(id))
        throw invalid(
          `messages.${turn.at}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ` +
            'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
        );
      if (results.indexOf(id) !== place)
        throw invalid(
          `messages.${turn.at}.content.${place}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`,
        );
    }
  }
};
