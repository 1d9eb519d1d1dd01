import type { CostSource, DependencyCondition } from '../../contracts/names.ts';
import type { LanguageClause } from './language-model.ts';

/** One order found in a sentence. `span` is [start, end) in characters of the sentence; `score` is a probability. */
export interface RoutedClause {
  text: string;
  span: [number, number];
  skill: string | null;
  agent: string | null;
  score: number;
  runner_up: { skill: string; score: number } | null;
  margin: number;
  parameters: Record<string, unknown>;
  /** Required parameters nobody named. */
  missing: string[];
  /** A person has to say which skill was meant, or name what is missing, before this clause may run. */
  ask: boolean;
  /** Indices of clauses of the same sentence that come first. */
  depends_on: { clause: number; when: DependencyCondition }[];
  /** Why, in words. */
  reason: string;
}

export type RouteDecision = 'dispatch' | 'clarify' | 'decline' | 'control';

/** What `dual route --json` prints and the `routed` trace event holds. */
export interface RouteResult {
  decision: RouteDecision;
  clauses: RoutedClause[];
  control: { action: string; target: string | null } | null;
  /** Stretches beside the clauses that are no order, and why not; only where there are any. */
  aside?: { text: string; span: [number, number]; reason: string }[];
  router_version: string;
  latency_ms: number;
  /** Only where a language model was asked as well. */
  second_opinion?: SecondOpinion;
}

/** What a language model made of the same sentence. `shadow`: written down for comparison, never used. */
export interface SecondOpinion {
  mode: 'on' | 'shadow';
  /** The clauses of the result are the language model's. */
  used: boolean;
  /** Why it was asked, and what came of it, in words. */
  reason: string;
  /** null: no answer, or none that could be read. */
  answer: LanguageClause[] | null;
  provider: string;
  model: string;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  /** US dollars; null when it is not known. */
  cost_usd: number | null;
  /** null: nothing was bought. */
  cost_source: CostSource | null;
  price_version: string | null;
  /** Of the question alone; `latency_ms` includes it. */
  duration_ms: number;
}

/** Turns one sentence into orders, a question, or an honest "no". @throws nothing: what it cannot read it declines. */
export interface Router {
  readonly version: string;
  route(text: string, signal?: AbortSignal): Promise<RouteResult>;
}
