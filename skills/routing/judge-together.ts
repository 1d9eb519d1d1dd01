import type { Clause } from './choose-clauses.ts';
import { wordsOf } from './features.ts';
import { REFUSED } from './judge.ts';
import type { Verdict } from './judge.ts';
import type { Learnt } from './learn.ts';
import { essenceOf } from './speech.ts';
import { deniesAgain, isGuarded, takenBack } from './spoken-refusals.ts';

/** A clause and what it comes to. */
export interface Judged {
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
    const refused = verdict.reason === REFUSED;
    if (
      goesOn &&
      verdict.kind === 'none' &&
      !refused &&
      last.verdict.kind !== 'none' &&
      !beginsWithVerb(clause, verbs)
    ) {
      const text = `${last.clause.text} and ${clause.text}`;
      judged[judged.length - 1] = {
        ...last,
        clause: { ...last.clause, text, end: clause.end, trailing: clause.trailing },
      };
      continue;
    }
    const telling = goesOn && TELLING.has(wordsOf(last.clause.text)[0] ?? '');
    const told = telling && last.verdict.kind === 'none';
    if (telling && !told && verdict.kind === 'order' && verdict.skill && isGuarded(verdict.skill)) {
      judged.push(asked({ clause, verdict }, 'what was said before it may only tell something'));
      continue;
    }
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

/** "ask me before you deploy": what comes before it is no order. */
const waitsForNothing = (judged: readonly Judged[], at: number): boolean => {
  const { clause, verdict } = judged[at] as Judged;
  const before = judged[at - 1];
  return (
    clause.link === 'succeeded' &&
    before?.clause.negated === false &&
    verdict.skill !== null &&
    isGuarded(verdict.skill)
  );
};

/** "deploy if the tests pass", where nobody ordered the tests: nothing will ever meet that condition. */
const unmet = (judged: Judged[]): Judged[] => {
  const first = judged.findIndex(({ verdict }) => verdict.kind !== 'none');
  return judged.map((entry, i) =>
    i === first && (entry.clause.condition || waitsForNothing(judged, i))
      ? asked(entry, 'it waits for something that was not ordered')
      : entry,
  );
};

/** "deploy to production, never mind": what takes the order before it back, wherever that was put. */
const retracted = (text: string, judged: Judged[]): Judged[] => {
  const next = (from: number): number =>
    judged.slice(from).find(({ verdict: { kind } }) => kind !== 'none')?.clause.start ?? text.length;
  return judged.map((entry, i) => {
    const { clause, verdict } = entry;
    if (verdict.skill === null || verdict.kind === 'none') return entry;
    const behind = text.slice(clause.end, Math.max(clause.end, next(i + 1)));
    const guarded = isGuarded(verdict.skill);
    const again = judged
      .slice(i + 1)
      .some((later) => later.verdict.reason === REFUSED && deniesAgain(clause.text, later.clause.text));
    return again || takenBack(clause.text, behind, guarded)
      ? { clause, verdict: { ...verdict, kind: 'none', skill: null, reason: 'taken back' } }
      : guarded && verdict.kind === 'order' && /(?:^|\s)no\s*$/i.test(text.slice(0, clause.start))
        ? asked(entry, 'a "no" stands before it')
        : entry;
  });
};

/** From this score on an order is certain enough to vouch for its neighbours. */
const CERTAIN = 0.85;

/** Beside an order that is certain, a clause that begins like one is one: only which skill does it had to be clear. */
const besideCertain = (judged: Judged[]): Judged[] =>
  judged.some(({ verdict: { kind, score } }) => kind === 'order' && score >= CERTAIN)
    ? judged.map(({ clause, verdict }) =>
        verdict.likely && verdict.kind === 'ask'
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
  reason: REFUSED,
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
export const joinAlike = (clauses: readonly Clause[], { judge, continuous }: Learnt): Clause[] => {
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

/** What each clause of a sentence comes to, the others considered. */
export const judgeTogether = (text: string, clauses: readonly Clause[], learnt: Learnt): Judged[] =>
  unmet(retracted(text, besideCertain(judgeAll(clauses, learnt))));
