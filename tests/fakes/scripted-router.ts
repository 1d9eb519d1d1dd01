import type { RoutedClause, RouteResult, Router } from '../../skills/routing/router.ts';

/** A clause for the skill `coding`, sure of itself; a test overrides what matters to it. */
export const clauseOf = (text: string, change: Partial<RoutedClause> = {}): RoutedClause => ({
  text,
  span: [0, text.length],
  skill: 'coding',
  agent: 'coding',
  score: 0.9,
  runner_up: null,
  margin: 0.8,
  parameters: {},
  missing: [],
  ask: false,
  depends_on: [],
  reason: 'scripted',
  ...change,
});

export const routeOf = (
  decision: RouteResult['decision'],
  clauses: RoutedClause[] = [],
  control: RouteResult['control'] = null,
): RouteResult => ({ decision, clauses, control, router_version: 'scripted-1', latency_ms: 0.1 });

/**
 * Answers from a table; what is not in it is declined. Texts starting with "refactor" are an order for `coding`, so
 * that a test that does not care about routing needs no table.
 */
export const createScriptedRouter = (table: Record<string, RouteResult> = {}): Router & { heard: string[] } => {
  const heard: string[] = [];
  return {
    heard,
    version: 'scripted-1',
    route: async (text) => {
      heard.push(text);
      if (table[text]) return table[text];
      if (/^refactor/i.test(text)) return routeOf('dispatch', [clauseOf(text)]);
      const clauses = text.trim() === '' ? [] : [clauseOf(text, { skill: null, agent: null, reason: 'no skill fits' })];
      return routeOf('decline', clauses);
    },
  };
};
