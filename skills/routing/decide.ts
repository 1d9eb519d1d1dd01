import { MAX_JOBS_PER_TASK } from '../../contracts/names.ts';
import { MAX_TEXT } from '../../contracts/transcript.ts';
import { oneLine } from '../../platform/text.ts';
import { createBreather } from './breathe.ts';
import { chooseClauses } from './choose-clauses.ts';
import type { Clause } from './choose-clauses.ts';
import { createContext, joinLeaning } from './context.ts';
import { controlOf } from './control.ts';
import { wordsOf } from './features.ts';
import type { Verdict } from './judge.ts';
import type { Learnt } from './learn.ts';
import { inRunningOrder, orderClauses } from './order.ts';
import { requiredOf } from './parameter-schema.ts';
import type { RouteResult, RoutedClause } from './router.ts';
import { essenceOf } from './speech.ts';
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
  const pieces = judge.fit(text).verbatim ? wholeOf(text) : joinLeaning(piecesOf(text, verbs), verbs);
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
    MAX_JOBS_PER_TASK,
    breathe,
  );
  const joined = joinAlike(clauses, learnt);
  await learnt.embed(
    joined.map(({ meant }) => meant),
    signal,
  );
  const judged = unmet(besideCertain(judgeAll(joined, learnt)));
  const orders = judged.filter(({ verdict }) => verdict.kind !== 'none');
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

interface Judged {
  clause: Clause;
  verdict: Verdict;
}

/**
 * What each clause comes to beside the others: a fragment that is no order by itself belongs to the order before it
 * ("… between the mobile and the desktop version"), and what goes on with "and" from something told is told as well.
 */
const judgeAll = (clauses: readonly Clause[], { judge, verbs }: Learnt): Judged[] => {
  const judged: Judged[] = [];
  for (const clause of clauses) {
    if (clause.negated) {
      judged.push({ clause, verdict: unwanted(judge.judge(clause.meant, false)) });
      continue;
    }
    const last = judged.at(-1);
    const alone = clause.meant.length >= clause.text.length && !judged.some(({ verdict: { kind } }) => kind !== 'none');
    const verdict = judge.judge(clause.meant, alone);
    const goesOn = last !== undefined && clause.link === 'with' && !clause.fresh && !last.clause.negated;
    if (goesOn && verdict.kind === 'none' && last.verdict.kind !== 'none' && !beginsWithVerb(clause, verbs)) {
      const text = `${last.clause.text} and ${clause.text}`;
      judged[judged.length - 1] = {
        ...last,
        clause: { ...last.clause, text, end: clause.end, trailing: clause.trailing },
      };
      continue;
    }
    const told = goesOn && last.verdict.kind === 'none' && TELLING.has(wordsOf(last.clause.text)[0] ?? '');
    const entangled = last?.clause.negated === true && clause.link === 'with' && !clause.parted;
    if (entangled && verdict.kind === 'order') {
      judged.push(asked({ clause, verdict }, 'what was said before it must not be done: this either?'));
      continue;
    }
    judged.push({
      clause,
      verdict: told ? { ...verdict, kind: 'none', skill: null, reason: 'told, not ordered' } : verdict,
    });
  }
  return judged;
};

/** Of an order that nothing may start before a person has said more. */
const asked = ({ clause, verdict }: Judged, reason: string): Judged => ({
  clause,
  verdict: { ...verdict, kind: verdict.kind === 'none' ? 'none' : 'ask', reason: `${verdict.reason}; ${reason}` },
});

/** "deploy if the tests pass", where nobody ordered the tests: nothing will ever meet that condition. */
const unmet = (judged: Judged[]): Judged[] => {
  const first = judged.findIndex(({ verdict }) => verdict.kind !== 'none');
  return judged.map((entry, i) =>
    i === first && entry.clause.condition ? asked(entry, 'it waits for something that was not ordered') : entry,
  );
};

/** From this score on an order is certain enough to vouch for its neighbours. */
const CERTAIN = 0.85;

/** Beside an order that is certain, a clause that begins like one is one: only which skill does it had to be clear. */
const besideCertain = (judged: Judged[]): Judged[] =>
  judged.some(({ verdict: { kind, score } }) => kind === 'order' && score >= CERTAIN)
    ? judged.map(({ clause, verdict }) =>
        verdict.likely
          ? { clause, verdict: { ...verdict, kind: 'order', reason: `${verdict.reason}, but beside a certain order` } }
          : { clause, verdict },
      )
    : judged;

const beginsWithVerb = (clause: Clause, verbs: ReadonlySet<string>): boolean =>
  verbs.has(wordsOf(essenceOf(clause.text))[0] ?? '');

/** Words that begin something told rather than ordered. */
const TELLING = new Set(
  'i we he she they it the a an my our his her their its this that these those somebody someone everybody everyone nobody people there why who when how what which did do does is are was were has have'.split(
    ' ',
  ),
);

const unwanted = (verdict: Verdict): Verdict => ({
  ...verdict,
  kind: 'none',
  skill: null,
  reason: 'said not to be done',
});

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
const joinAlike = (clauses: readonly Clause[], { judge, continuous }: Learnt): Clause[] => {
  const joined: Clause[] = [];
  for (const clause of clauses) {
    const last = joined.at(-1);
    if (last && last.trailing === null && clause.trailing === null && !last.negated && !clause.negated) {
      const verdict = judge.judge(last.meant, false);
      const mayJoin =
        clause.link === 'with' || (clause.link === 'succeeded' && continuous.has(verdict.skill?.agent ?? ''));
      const said = `${last.text} ${clause.link === 'with' ? 'and' : 'then'} ${clause.text}`;
      if (
        mayJoin &&
        sameOrder(verdict, judge.judge(clause.meant, false)) &&
        judge.judge(said, false).skill === verdict.skill
      ) {
        joined[joined.length - 1] = { ...last, end: clause.end, trailing: clause.trailing, text: said, meant: said };
        continue;
      }
    }
    joined.push(clause);
  }
  return joined;
};
