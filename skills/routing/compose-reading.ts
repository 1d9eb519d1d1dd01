import { MAX_JOBS_PER_TASK } from '../../contracts/names.ts';
import type { Skill } from '../../contracts/skill.ts';
import { fittingParameters } from '../parameters.ts';
import type { LanguageClause } from './language-model.ts';
import { locate } from './locate.ts';
import { runningOrder } from './order.ts';
import { parametersOf, requiredOf } from './parameter-schema.ts';
import type { RoutedClause, RouteResult } from './router.ts';
import { isRisky } from './training.ts';

/** A runner-up below this is the least bad of the rest, no thought of its own. */
const THOUGHT_OF = 0.2;

export type Composed = Pick<RouteResult, 'decision' | 'clauses' | 'control'>;

/** A reading that may not be used, in words. */
export class UnusableReading extends Error {}

interface Placed {
  read: LanguageClause;
  skill: Skill;
  text: string;
  span: [number, number];
}

const letters = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');

/** Words with which marks are spoken: "user service dot t s" is `userService.ts`. */
const SPOKEN_MARKS = /(?<!\p{L})(dot|point|slash|dash|hyphen|underscore|colon)(?!\p{L})/giu;

/** The value's letters and digits are said in the sentence, whatever stands between them ("get user" for `getUser`). */
const isSaid = (value: unknown, sentence: string): boolean => {
  const wanted = letters(String(value).replace(/^https?:\/\//i, '')); // nobody says it
  return (
    wanted !== '' && [sentence, sentence.replace(SPOKEN_MARKS, ' ')].some((words) => letters(words).includes(wanted))
  );
};

/** Free text must have been said; where something is at stake, so must a listed value. The rest is left to defaults. */
const valuesOf = ({ read, skill }: Placed, sentence: string): Record<string, unknown> => {
  const mayInfer = !isRisky(skill);
  const schemas = new Map(parametersOf(skill));
  const said = Object.entries(fittingParameters(skill, read.parameters)).filter(([name, value]) => {
    const { type, enum: values, 'x-synonyms': synonyms } = schemas.get(name) ?? {};
    if (mayInfer && (Array.isArray(values) || type !== 'string')) return true;
    return [value, ...(synonyms?.[String(value)] ?? [])].some((words) => isSaid(words, sentence));
  });
  return { ...skill.defaults, ...Object.fromEntries(said) };
};

type Thought = Pick<RoutedClause, 'score' | 'margin' | 'runner_up'>;

/** How sure the embedded router was of this skill, and of what else; null when it did not think of it. */
const thoughtOf = (name: string, [start, end]: [number, number], embedded: RouteResult): Thought | null => {
  const overlap = ({ span }: RoutedClause): number => Math.min(end, span[1]) - Math.max(start, span[0]);
  const nearest = embedded.clauses.toSorted((a, b) => overlap(b) - overlap(a));
  const chosen = nearest.find(({ skill }) => skill === name);
  if (chosen) return { score: chosen.score, margin: chosen.margin, runner_up: chosen.runner_up };
  const second = nearest.find(({ runner_up }) => runner_up?.skill === name && runner_up.score >= THOUGHT_OF);
  if (!second?.runner_up) return null;
  const { skill, score, runner_up } = second;
  return { score: runner_up.score, margin: 0, runner_up: skill === null ? null : { skill, score } };
};

/** Orders with a known skill, each with its place in the sentence, and where each stood in the answer. */
const placedIn = (
  answer: readonly LanguageClause[],
  sentence: string,
  skills: readonly Skill[],
): Map<number, Placed> => {
  const byName = new Map(skills.map((skill) => [skill.name, skill]));
  const placed = new Map<number, Placed>();
  let from = 0;
  answer.forEach((read, index) => {
    if (read.skill === null) return;
    const skill = byName.get(read.skill);
    if (!skill) throw new UnusableReading('it names a skill that is not in the registry');
    // The speaker's words alone reach an agent: what is no part of the sentence becomes the whole of it.
    const span = locate(read.text, sentence, from) ?? locate(read.text, sentence, 0) ?? wholeOf(sentence);
    from = span[1];
    placed.set(index, { read, skill, span, text: sentence.slice(...span) });
  });
  return placed;
};

const wholeOf = (sentence: string): [number, number] => [
  sentence.length - sentence.trimStart().length,
  sentence.trimEnd().length,
];

/** In the answer's own indices, without what waits for no order, for itself, or twice for the same. */
const dependenciesOf = (placed: ReadonlyMap<number, Placed>): Map<number, LanguageClause['depends_on']> =>
  new Map(
    [...placed].map(([index, { read }]) => [
      index,
      read.depends_on.filter(
        ({ clause }, at, all) =>
          placed.has(clause) && clause !== index && all.findIndex((other) => other.clause === clause) === at,
      ),
    ]),
  );

/**
 * A language model's answer as a decision of ours. Scores stay the embedded router's, so that a skill's own
 * `on_low_confidence` holds. A skill that writes outside and that the embedded router did not think of is asked about.
 * @throws UnusableReading: more orders than one sentence may start, a skill outside the registry, a circle.
 */
export const composeReading = (
  answer: readonly LanguageClause[],
  sentence: string,
  embedded: RouteResult,
  skills: readonly Skill[],
  model: string,
): Composed => {
  if (answer.filter(({ skill }) => skill !== null).length > MAX_JOBS_PER_TASK)
    throw new UnusableReading(`it has more than ${MAX_JOBS_PER_TASK} orders`);
  const placed = placedIn(answer, sentence, skills);
  if (placed.size === 0) return declined(sentence, model);
  const dependencies = dependenciesOf(placed);
  const indices = [...placed.keys()];
  const position = (index: number): number => indices.indexOf(index);
  const order = runningOrder(
    indices.map((index) => (dependencies.get(index) ?? []).map(({ clause }) => position(clause))),
  ).map((at) => indices[at] ?? 0);
  if (order.length < indices.length) throw new UnusableReading('its clauses wait for each other in a circle');
  const clauses = order.flatMap((index): RoutedClause[] => {
    const each = placed.get(index);
    if (!each) return [];
    const waits = (dependencies.get(index) ?? []).map(({ clause, when }) => ({ clause: order.indexOf(clause), when }));
    return [clauseOf(each, waits, sentence, embedded, model)];
  });
  return { decision: clauses.some(({ ask }) => ask) ? 'clarify' : 'dispatch', control: null, clauses };
};

const clauseOf = (
  each: Placed,
  depends_on: RoutedClause['depends_on'],
  sentence: string,
  embedded: RouteResult,
  model: string,
): RoutedClause => {
  const { skill, text, span, read } = each;
  const parameters = valuesOf(each, sentence);
  const missing = requiredOf(skill).filter((name) => !Object.hasOwn(parameters, name));
  const thought = thoughtOf(skill.name, span, embedded);
  // What goes outside the machine, or cannot be undone: the embedded router has to have thought of it too.
  const alone = thought === null && isRisky(skill);
  // It thought of it and doubts that it is an order at all: a model is easier to talk into one.
  const doubted =
    isRisky(skill) &&
    embedded.clauses.some((clause) => clause.skill === skill.name && clause.ask && clause.missing.length === 0);
  const because = [
    ...(doubted ? ['the embedded router doubts it'] : []),
    ...(read.unsure ? ['not surely'] : []),
    ...(alone ? [`alone: the embedded router did not think of it, and it is ${skill.approval.risk}`] : []),
    ...(missing.length > 0 ? [`needs ${missing.join(', ')}`] : []),
  ];
  return {
    text,
    span,
    skill: skill.name,
    agent: skill.agent,
    ...(thought ?? { score: 0, margin: 0, runner_up: null }),
    parameters,
    missing,
    ask: because.length > 0,
    depends_on,
    reason: [`${model} reads it as ${skill.name}`, ...because].join('; '),
  };
};

const declined = (sentence: string, model: string): Composed => {
  const span = wholeOf(sentence);
  const nothing = { skill: null, agent: null, score: 0, runner_up: null, margin: 0, parameters: {}, missing: [] };
  return {
    decision: 'decline',
    control: null,
    clauses: [
      {
        ...nothing,
        text: sentence.slice(...span),
        span,
        ask: false,
        depends_on: [],
        reason: `${model} reads no order`,
      },
    ],
  };
};
