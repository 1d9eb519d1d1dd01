import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { MAX_JOBS_PER_TASK } from '../../contracts/names.ts';
import { MAX_TEXT } from '../../contracts/transcript.ts';
import { messageOf } from '../../platform/errors.ts';
import { oneLine } from '../../platform/text.ts';
import type { Registry, RegistrySnapshot } from '../registry.ts';
import { createBreather } from './breathe.ts';
import { trainClassifier } from './classify.ts';
import { controlOf } from './control.ts';
import { orderClauses } from './order.ts';
import type { RouteResult, RoutedClause, Router } from './router.ts';
import { createJudge } from './judge.ts';
import type { Judge, Verdict } from './judge.ts';
import { chooseClauses, piecesOf } from './split.ts';
import type { Clause } from './split.ts';

export interface RouterOptions {
  registry: Pick<Registry, 'current' | 'onChange'>;
}

/** Changes with the way of routing, so that a recorded decision says which rules made it. */
const RULES = 'tfidf-1';

/** Lines that are no order, one each; `#` starts a comment line. */
export const parseNoneLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

interface Trained {
  version: string;
  judge: Judge;
  /** Agents whose steps need one session: what they opened is gone with the job. */
  continuous: ReadonlySet<string>;
}

const train = async (snapshot: RegistrySnapshot, noneLines: readonly string[]): Promise<Trained> => {
  const hash = createHash('sha256')
    .update(JSON.stringify([snapshot.version, noneLines]))
    .digest('hex');
  return {
    version: `${RULES}-${hash.slice(0, 12)}`,
    judge: createJudge(snapshot.skills, await trainClassifier(snapshot.skills, noneLines)),
    continuous: new Set(snapshot.agents.filter((agent) => agent.environment === 'browser').map((agent) => agent.name)),
  };
};

/**
 * A router over the registry's skills. It follows the registry's changes: while it learns the new skills the old ones
 * answer. The first `route` waits until it has learnt.
 */
export const createRouter = (options: RouterOptions): Router => {
  const { registry } = options;
  const noneLines = parseNoneLines(readFileSync(join(import.meta.dirname, 'none-lines.txt'), 'utf8'));
  let snapshot = registry.current();
  let latest: Trained | undefined;
  let ready = train(snapshot, noneLines).then((trained) => (latest ??= trained));
  ready.catch(() => undefined); // each `route` says it
  registry.onChange((next) => {
    if (next.version === snapshot.version) return;
    snapshot = next;
    const following = train(next, noneLines).then((trained) => {
      if (snapshot === next) latest = trained;
      return trained;
    });
    following.catch(() => undefined);
    ready = following;
  });

  return {
    get version() {
      return latest?.version ?? `${RULES}-untrained`;
    },
    route: async (text, signal) => {
      let started = performance.now();
      const end = (result: Omit<RouteResult, 'router_version' | 'latency_ms'>, version: string): RouteResult => ({
        ...result,
        router_version: version,
        latency_ms: Math.round((performance.now() - started) * 1000) / 1000,
      });
      try {
        const trained = latest ?? (await ready);
        started = performance.now(); // learning is no part of routing
        return end(await decide(text, trained, signal), trained.version);
      } catch (error) {
        return end(declined(text, `could not be read: ${messageOf(error)}`), latest?.version ?? `${RULES}-untrained`);
      }
    },
  };
};

type Decided = Pick<RouteResult, 'decision' | 'clauses' | 'control'>;

const declined = (text: string, reason: string, score = 0): Decided => ({
  decision: 'decline',
  control: null,
  clauses: [
    {
      text: text.trim(),
      span: [text.length - text.trimStart().length, text.trimEnd().length],
      skill: null,
      agent: null,
      score,
      runner_up: null,
      margin: 0,
      parameters: {},
      missing: [],
      ask: false,
      depends_on: [],
      reason,
    },
  ],
});

const decide = async (text: string, trained: Trained, signal: AbortSignal | undefined): Promise<Decided> => {
  const { judge } = trained;
  if (text.trim() === '') return { decision: 'decline', clauses: [], control: null };
  if (text.length > MAX_TEXT) return declined(text.slice(0, MAX_TEXT), `longer than ${MAX_TEXT} characters`);
  const control = controlOf(text);
  if (control) return { decision: 'control', clauses: [], control };

  const rest = createBreather();
  const breathe = async (): Promise<void> => {
    signal?.throwIfAborted();
    await rest();
  };
  const clauses = await chooseClauses(text, piecesOf(text), judge.fit, MAX_JOBS_PER_TASK, breathe);
  const judged = joinAlike(clauses, text, trained).map((clause) => ({ clause, verdict: judge.judge(clause.text) }));
  const orders = judged.filter(({ verdict }) => verdict.kind !== 'none');
  if (orders.length === 0) {
    const best = judged.toSorted((a, b) => b.verdict.score - a.verdict.score)[0];
    return declined(text, best?.verdict.reason ?? 'no words', best?.verdict.score);
  }
  const dependencies = orderClauses(
    judged.map(({ clause, verdict }) => ({ ...clause, kept: verdict.kind !== 'none' })),
  );
  const sides = judged
    .filter(({ verdict }) => verdict.kind === 'none')
    .map(({ clause }) => `"${oneLine(clause.text, 80)}"`);
  const aside = sides.length > 0 ? `; left aside as no order: ${sides.join(', ')}` : '';
  return {
    decision: orders.some(({ verdict }) => verdict.kind === 'ask') ? 'clarify' : 'dispatch',
    control: null,
    clauses: orders.map(({ clause, verdict }, i) =>
      routed(clause, verdict, dependencies[i] ?? [], i === 0 ? aside : ''),
    ),
  };
};

const routed = (
  clause: Clause,
  verdict: Verdict,
  depends_on: RoutedClause['depends_on'],
  aside: string,
): RoutedClause => ({
  text: clause.text,
  span: [clause.start, clause.end],
  skill: verdict.skill?.name ?? null,
  agent: verdict.skill?.agent ?? null,
  score: verdict.score,
  runner_up: verdict.runnerUp,
  margin: verdict.margin,
  parameters: verdict.parameters,
  missing: verdict.missing,
  ask: verdict.kind === 'ask',
  depends_on,
  reason: verdict.reason + aside,
});

const sameOrder = (a: Verdict, b: Verdict): boolean =>
  a.skill !== null &&
  a.skill === b.skill &&
  a.missing.length + b.missing.length === 0 &&
  JSON.stringify(a.parameters) === JSON.stringify(b.parameters);

/**
 * Neighbours that ask the same skill for more of the same are one job: "refactor the API and add tests". Said with
 * "then" they stay two, except where the second would find nothing of what the first had open: "open the login page,
 * then sign in" is one visit of the browser.
 */
const joinAlike = (clauses: readonly Clause[], text: string, { judge, continuous }: Trained): Clause[] => {
  const joined: Clause[] = [];
  for (const clause of clauses) {
    const last = joined.at(-1);
    if (last && last.trailing === null) {
      const verdict = judge.judge(last.text);
      const mayJoin =
        clause.link === 'with' || (clause.link === 'succeeded' && continuous.has(verdict.skill?.agent ?? ''));
      const whole = text.slice(last.start, clause.end);
      if (mayJoin && sameOrder(verdict, judge.judge(clause.text)) && judge.judge(whole).skill === verdict.skill) {
        joined[joined.length - 1] = { ...last, end: clause.end, trailing: clause.trailing, text: whole };
        continue;
      }
    }
    joined.push(clause);
  }
  return joined;
};
