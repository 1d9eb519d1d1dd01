import type { DependencyCondition } from '../contracts/names.ts';
import type { Skill } from '../contracts/skill.ts';
import type { RouteResult, RoutedClause } from '../skills/routing/router.ts';
import { barsFor } from '../skills/routing/training.ts';
import type { TrainingReport } from '../skills/routing/training.ts';
import { printable } from './words.ts';

/** What the scores of a decision are held against. */
export interface Yardstick {
  skills: readonly Skill[];
  bars: Pick<TrainingReport, 'thresholds' | 'risky'>;
}

const DECISIONS: Record<RouteResult['decision'], string> = {
  dispatch: 'it is an order and would be carried out',
  clarify: 'a question would be asked first; nothing starts before it is answered',
  decline: 'nothing would be done',
  control: 'it steers what is running and starts nothing',
};

const CONDITIONS: Record<DependencyCondition, string> = {
  succeeded: 'if it succeeded',
  failed: 'if it failed',
  finished: 'whether it succeeded or not',
};

const ACTIONS: Record<string, string> = {
  cancel: 'cancel',
  status: 'say how it stands with',
  approve: 'say yes to the question of',
  reject: 'say no to the question of',
  cost: 'say what was spent on',
};

const targetOf = (target: string | null): string => {
  if (target === null || target === 'last') return 'what this session asked for last';
  if (target === 'all') return 'everything this session asked for';
  return /^\d+$/.test(target) ? `job ${target} of the last task` : `the jobs of the agent ${target}`;
};

const fixed = (score: number): string => score.toFixed(2);

const placeOf = ([start, end]: readonly [number, number]): string => `characters ${start} to ${end}`;

const scoreOf = ({ skill, score, ask, runner_up: next }: RoutedClause, { skills, bars }: Yardstick): string => {
  const known = skills.find(({ name }) => name === skill);
  if (!known) return fixed(score);
  const { accept, clarify } = barsFor(known, bars);
  const bar = known.routing.accept === null ? `the bar for ${known.approval.risk}` : "the skill's own bar";
  // Two skills that fit nearly as well are held against the bars together; the one of higher priority is taken.
  if (!ask && next && score < accept)
    return `${fixed(score)}, ${fixed(score + next.score)} together with ${next.skill}; ${fixed(accept)} is enough (${bar})`;
  const enough = score >= clarify ? ` ${fixed(accept)} is enough${score >= accept ? '' : ','}` : '';
  const asked = score >= accept ? '' : ` from ${fixed(clarify)} on it is asked about`;
  return `${fixed(score)};${enough}${asked} (${bar})`;
};

const waitsOf = (depends: RoutedClause['depends_on'], asks: boolean): string =>
  depends.length === 0
    ? asks
      ? 'when every question is answered'
      : 'at once'
    : depends.map(({ clause, when }) => `after clause ${clause + 1}, ${CONDITIONS[when]}`).join('; ');

const questionOf = (clause: RoutedClause, skills: readonly Skill[]): string => {
  const [first] = clause.missing;
  const prompt = skills.find(({ name }) => name === clause.skill)?.slot_prompts[first ?? ''];
  return prompt === undefined ? 'a person says what was meant' : `"${prompt}"`;
};

const rowsOf = (clause: RoutedClause, asks: boolean, yardstick: Yardstick): [string, string][] => {
  const { runner_up: next, parameters, missing } = clause;
  const values = Object.entries(parameters).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  // What was left aside is said once, below all clauses.
  const [reason = ''] = clause.reason.split('; left aside as no order: ');
  return [
    ['why', reason],
    ['score', scoreOf(clause, yardstick)],
    ...(next
      ? [
          ['next', `${next.skill} with ${fixed(next.score)}, ${fixed(Math.max(0, clause.margin))} behind`] as [
            string,
            string,
          ],
        ]
      : []),
    ...(values.length > 0 ? [['with', values.join(', ')] as [string, string]] : []),
    ...(missing.length > 0 ? [['missing', missing.join(', ')] as [string, string]] : []),
    ...(clause.ask ? [['asked', questionOf(clause, yardstick.skills)] as [string, string]] : []),
    ...(clause.skill === null ? [] : [['runs', waitsOf(clause.depends_on, asks)] as [string, string]]),
  ];
};

const clauseText = (clause: RoutedClause, index: number, asks: boolean, yardstick: Yardstick): string[] => {
  const who = clause.skill === null ? 'no order' : `${clause.skill}, done by the agent ${clause.agent ?? 'none'}`;
  return [
    `  ${index + 1}  ${who}: "${clause.text}" (${placeOf(clause.span)})`,
    ...rowsOf(clause, asks, yardstick).map(([name, value]) => `     ${name.padEnd(9)}${value}`),
  ];
};

const opinionText = ({ second_opinion: opinion }: RouteResult): string[] =>
  opinion ? [`  second opinion of ${opinion.model}, ${opinion.used ? 'used' : 'not used'}: ${opinion.reason}`] : [];

/** A decision in full, for a person: what would happen, and for each clause why. */
export const explain = (sentence: string, result: RouteResult, yardstick: Yardstick): string =>
  [
    `${result.decision}: ${sentence}`,
    `  ${DECISIONS[result.decision]}`,
    ...(result.control
      ? [`  it would ${ACTIONS[result.control.action] ?? result.control.action} ${targetOf(result.control.target)}`]
      : []),
    ...result.clauses.flatMap((clause, index) => clauseText(clause, index, result.decision === 'clarify', yardstick)),
    ...(result.aside ?? []).map(({ text, span, reason }) => `  left aside: "${text}" (${placeOf(span)}): ${reason}`),
    ...opinionText(result),
    `  ${result.router_version}, ${result.latency_ms.toFixed(1)} ms`,
  ]
    .map(printable)
    .join('\n');
