import { MAX_JOBS_PER_TASK } from '../../contracts/names.ts';
import { MAX_TEXT } from '../../contracts/transcript.ts';
import { oneLine } from '../../platform/text.ts';
import { createBreather } from './breathe.ts';
import { chooseClauses } from './choose-clauses.ts';
import type { Clause } from './choose-clauses.ts';
import { createContext, joinLeaning } from './context.ts';
import { controlOf } from './control.ts';
import { wordsOf } from './features.ts';
import { joinAlike, judgeTogether } from './judge-together.ts';
import type { Verdict } from './judge.ts';
import type { Learnt } from './learn.ts';
import { inRunningOrder, orderClauses } from './order.ts';
import { requiredOf } from './parameter-schema.ts';
import type { RouteResult, RoutedClause } from './router.ts';
import { piecesOf, wholeOf } from './split.ts';

/** What becomes of a sentence, without the words about how it was decided. */
export type Decided = Pick<RouteResult, 'decision' | 'clauses' | 'control' | 'aside'>;

/** A sentence that is no order, as one clause without a skill. */
export const declined = (text: string, reason: string, score = 0): Decided => ({
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

/** "find and play a song": one order, its first verb only leads to the second. */
const SERIAL = new Set('find go look get try come search take open stop'.split(' '));

/** "Hey Siri, …" is not for us. */
const OTHER_ASSISTANTS = /^(?:(?:hey|ok|okay|hi|hello)\s+)?(?:siri|alexa|google|cortana|bixby)\b/i;

/** Decides about one sentence by what was learnt. @throws the signal's reason. */
export const decide = async (text: string, learnt: Learnt, signal: AbortSignal | undefined): Promise<Decided> => {
  const { judge, verbs } = learnt;
  if (text.trim() === '') return { decision: 'decline', clauses: [], control: null };
  if (text.length > MAX_TEXT) return declined(text.slice(0, MAX_TEXT), `longer than ${MAX_TEXT} characters`);
  if (OTHER_ASSISTANTS.test(text.trim())) return declined(text, 'said to another assistant');
  const control = controlOf(text, learnt.agents);
  if (control) return { decision: 'control', clauses: [], control };

  const rest = createBreather();
  const breathe = async (): Promise<void> => {
    signal?.throwIfAborted();
    await rest();
  };
  // A sentence known word for word is what it is known as, whatever it could be cut into.
  const pieces = judge.knows(text) ? wholeOf(text) : joinLeaning(piecesOf(text, verbs), verbs);
  const { stretch, borrows } = createContext(text, pieces, verbs, judge.prefer);
  const pair = (at: number): boolean => {
    const [left, right] = [
      judge.judge(stretch(at - 1, at).meant, false),
      judge.judge(stretch(at, at + 1).meant, false),
    ];
    if (left.skill === null || right.skill === null) return false;
    if (borrows(at - 1) === 'object')
      return left.skill !== right.skill && !SERIAL.has(wordsOf(stretch(at - 1, at).text)[0] ?? '');
    return (
      borrows(at) === 'verb' &&
      left.skill === right.skill &&
      left.missing.length + right.missing.length === 0 &&
      requiredOf(left.skill).length > 0 &&
      JSON.stringify(left.parameters) !== JSON.stringify(right.parameters)
    );
  };
  const clauses = await chooseClauses(
    pieces,
    stretch,
    judge.fit,
    (at) => at > 0 && (borrows(at - 1) === 'object' || borrows(at) === 'verb') && pair(at),
    2 * MAX_JOBS_PER_TASK,
    breathe,
  );
  const joined = joinAlike(clauses, learnt);
  await learnt.embed(
    joined.map(({ meant }) => meant),
    signal,
  );
  const judged = judgeTogether(text, joined, learnt);
  const orders = judged.filter(({ verdict }) => verdict.kind !== 'none');
  if (orders.length > MAX_JOBS_PER_TASK) return declined(text, `more than ${MAX_JOBS_PER_TASK} orders in one sentence`);
  if (orders.length === 0) {
    const best = judged.toSorted((a, b) => b.verdict.score - a.verdict.score)[0];
    return declined(text, best?.verdict.reason ?? 'no words', best?.verdict.score);
  }
  const dependencies = orderClauses(
    judged.map(({ clause, verdict }) => ({ ...clause, kept: verdict.kind !== 'none' })),
  );
  const sides = judged.filter(({ verdict }) => verdict.kind === 'none');
  const said = sides.map(({ clause }) => `"${oneLine(clause.text, 80)}"`);
  const aside = said.length > 0 ? `; left aside as no order: ${said.join(', ')}` : '';
  return {
    ...(sides.length > 0 && {
      aside: sides.map(({ clause: { text, start, end }, verdict: { reason } }) => ({
        text,
        span: [start, end],
        reason,
      })),
    }),
    decision: orders.some(({ verdict }) => verdict.kind === 'ask') ? 'clarify' : 'dispatch',
    control: null,
    clauses: inRunningOrder(
      orders.map(({ clause, verdict }, i) => routed(clause, verdict, dependencies[i] ?? [], i === 0 ? aside : '')),
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
