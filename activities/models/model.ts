import type { Provider } from '../../contracts/agent.ts';
import type { FailureType } from '../../contracts/names.ts';
import type { TurnStop } from '../../contracts/activities.ts';
import type { ToolDefinition } from '../tool-definitions.ts';

/** Text, or an image by artifact hash. */
export type Part = { type: 'text'; text: string } | { type: 'image'; sha256: string; media_type: string };

/** One call as the model made it. `confirm`: the provider asks for a person's confirmation, and why. */
export interface ToolCall {
  id: string;
  name: string;
  input: Record<string, unknown>;
  confirm: string | null;
}

/** What one call came to. `url` is where the browser stood afterwards; `confirmed`: a person acknowledged the risk. */
export interface ToolResult {
  call_id: string;
  name: string;
  content: Part[];
  is_error: boolean;
  /** It may or may not have happened; it was not repeated. */
  unknown: boolean;
  /** At most 120 characters, for people. */
  summary: string;
  url: string | null;
  confirmed: boolean;
}

/** One entry of the conversation chain. `raw` is the provider's own content, echoed back untouched. */
export type Entry =
  | { role: 'user'; content: Part[] }
  | { role: 'assistant'; provider: Provider; model: string; text: string; tool_calls: ToolCall[]; raw: unknown }
  | { role: 'tools'; results: ToolResult[] };

/** Tokens of one turn. `input_tokens` is the whole prompt: fresh + cache write + cache read. Thinking counts as output. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  thinking_tokens: number;
}

export interface TurnRequest {
  model: string;
  instructions: string;
  tools: ToolDefinition[];
  entries: Entry[];
  maxOutputTokens: number;
  /** Bytes of an image of the conversation. */
  loadImage(sha256: string): Promise<Buffer>;
}

export interface TurnReply {
  entry: Extract<Entry, { role: 'assistant' }>;
  stop: TurnStop;
  /** The provider's own word for why it stopped. */
  stopReason: string;
  /** The model the provider says answered. */
  model: string;
  usage: Usage;
}

/** One provider. */
export interface Model {
  readonly provider: Provider;
  /** One turn, one request. @throws ModelError with `retryable` and `retryAfterMs` from the provider's own answer. */
  turn(request: TurnRequest, signal: AbortSignal): Promise<TurnReply>;
}

/** What the agents of one provider use. `rehearsal`: the far side is the loopback stand-in, and answers cost nothing. */
export interface ConfiguredModel {
  model: Model;
  /** The name used when an agent names none. */
  defaultModel: string;
  rehearsal: boolean;
}

/** Every provider, as `workers/main.ts` configured it. */
export interface Models {
  of(provider: Provider): ConfiguredModel;
}

/**
 * A provider's refusal or silence, classified. `status` is the HTTP status, null when there was none.
 * `mayBeBilled`: the request was sent and its end is unknown, so the provider may charge for it.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly type: FailureType;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly status: number | null;
  readonly mayBeBilled: boolean;
  constructor(
    type: FailureType,
    message: string,
    about: {
      retryable: boolean;
      retryAfterMs?: number | null;
      status?: number | null;
      mayBeBilled?: boolean;
      cause?: unknown;
    },
  ) {
    super(message, { cause: about.cause });
    this.type = type;
    this.retryable = about.retryable;
    this.retryAfterMs = about.retryAfterMs ?? null;
    this.status = about.status ?? null;
    this.mayBeBilled = about.mayBeBilled ?? false;
  }
}
