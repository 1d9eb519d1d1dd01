import type { Provider } from '../contracts/agent.ts';

/** A tool call as a program plans it; the protocol adds ids. */
export interface PlannedCall {
  name: string;
  input: Record<string, unknown>;
}

/** What a call came to, as the client told it. `url`: where the browser stood afterwards. */
export interface Outcome {
  text: string;
  isError: boolean;
  url: string | null;
}

/** One assistant turn and the user's answer to it. `outcomes` has one entry per call, in the calls' order. */
export interface Exchange {
  said: string;
  calls: PlannedCall[];
  outcomes: Outcome[];
  /** Text the user's side added after the results: a person's steering, or a notice of the orchestrator. */
  notes: string[];
}

/**
 * The two Computer Use vocabularies: `legacy` (`click_at`, `scroll_document`) up to Gemini 3, `current`
 * (`click`, `take_screenshot`, each with an `intent`) from Gemini 3.5 on.
 */
export type Vocabulary = 'legacy' | 'current';

/** What a request says, whichever protocol it came in. */
export interface Conversation {
  provider: Provider;
  model: string;
  /** Names of the functions the model may call. Computer Use actions are not among them. */
  tools: ReadonlySet<string>;
  /** null: no Computer Use. */
  vocabulary: Vocabulary | null;
  /** The first user message. */
  opening: string;
  exchanges: Exchange[];
}

/** What the model answers: calls to make, or (without calls) its last words. */
export interface Reply {
  text: string;
  calls: PlannedCall[];
}

/**
 * A request the provider would refuse. `type` is the provider's own word for it; null: its usual word for the status.
 * `retryAfterS`: seconds for the `Retry-After` header.
 */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly status: number;
  readonly type: string | null;
  readonly details: unknown;
  readonly retryAfterS: number | undefined;
  constructor(
    status: number,
    type: string | null,
    message: string,
    about: { details?: unknown; retryAfterS?: number | undefined } = {},
  ) {
    super(message);
    this.status = status;
    this.type = type;
    this.details = about.details;
    this.retryAfterS = about.retryAfterS;
  }
}
