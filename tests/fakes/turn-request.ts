import type { Entry, ToolCall, ToolResult, TurnRequest } from '../../activities/models/model.ts';
import { TOOL_DEFINITIONS } from '../../activities/tool-definitions.ts';

/** One pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A turn of a coding agent's, with what a test needs changed. Every image is one pixel. */
export const turnRequest = (change: Partial<TurnRequest> = {}): TurnRequest => ({
  model: 'claude-sonnet-5-5',
  instructions: 'You change code.',
  tools: [...TOOL_DEFINITIONS.editor, ...TOOL_DEFINITIONS.bash, ...TOOL_DEFINITIONS.report],
  entries: [userSays('fix the tests')],
  maxOutputTokens: 16_000,
  loadImage: () => Promise.resolve(PNG),
  ...change,
});

export const userSays = (...texts: string[]): Entry => ({
  role: 'user',
  content: texts.map((text) => ({ type: 'text', text })),
});

export const toolCall = (id: string, name = 'bash', input: Record<string, unknown> = {}): ToolCall => ({
  id,
  name,
  input,
  confirm: null,
});

/** A result as the environments give it. */
export const toolResult = (call_id: string, text: string, change: Partial<ToolResult> = {}): ToolResult => ({
  call_id,
  name: 'bash',
  content: text === '' ? [] : [{ type: 'text', text }],
  is_error: false,
  unknown: false,
  summary: text.slice(0, 100),
  url: null,
  confirmed: false,
  ...change,
});

export const screenshot = { type: 'image', sha256: 'a'.repeat(64), media_type: 'image/png' } as const;
