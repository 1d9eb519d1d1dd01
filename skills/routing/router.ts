import type { DependencyCondition } from '../../contracts/names.ts';

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
  router_version: string;
  latency_ms: number;
}

/** Turns one sentence into orders, a question, or an honest "no". @throws nothing: what it cannot read it declines. */
export interface Router {
  readonly version: string;
  route(text: string, signal?: AbortSignal): Promise<RouteResult>;
}
