import type { CostSource, DependencyCondition } from '../../contracts/names.ts';
import type { TokenCounts } from '../../platform/prices.ts';
import type { RouteResult } from './router.ts';

/** What a language model is shown of a sentence. Nothing of approvals, limits or agents: it chooses among skills. */
export interface LanguageRequest {
  sentence: string;
  /** The registry's skills; `parameters` is the skill's own JSON Schema. */
  skills: readonly { name: string; description: string; parameters: Record<string, unknown> }[];
  /** What the embedded router made of the sentence. */
  embedded: RouteResult;
}

/** One order as a language model reads it; nothing in it has been checked against the registry. */
export interface LanguageClause {
  /** Should be a stretch of the sentence, in the speaker's own words. */
  text: string;
  /** null: no order. */
  skill: string | null;
  /** A careful listener would ask back. */
  unsure: boolean;
  /** Values by parameter name, as said: numbers and truth values may still be text. */
  parameters: Record<string, unknown>;
  /** Indices into the same list of clauses that come first. */
  depends_on: { clause: number; when: DependencyCondition }[];
}

/** One answer, and what it cost; an answer that cannot be used was bought all the same. */
export type LanguageReading = {
  /** The model that answered, by its provider's name for it. */
  model: string;
  /** null: the provider did not say. */
  usage: TokenCounts | null;
  /** US dollars; null when there is no price for the model, or no usage. */
  cost_usd: number | null;
  cost_source: CostSource;
  price_version: string;
} & ({ clauses: LanguageClause[]; problem: null } | { clauses: null; problem: string });

/** Reads a sentence with a language model. One request a call, never repeated. */
export interface LanguageRouter {
  readonly provider: string;
  /** The model that is asked. */
  readonly model: string;
  /** @throws LanguageFault when there is no answer; whatever the abort reason is when the signal aborts. */
  read(request: LanguageRequest, signal: AbortSignal): Promise<LanguageReading>;
}

/** No answer. The message holds no secret. */
export class LanguageFault extends Error {
  override readonly name = 'LanguageFault';
  /** The request may have reached the provider, which may have worked on it. */
  readonly mayBeBilled: boolean;
  constructor(message: string, mayBeBilled: boolean) {
    super(message);
    this.mayBeBilled = mayBeBilled;
  }
}
