import type { ClarifyReply } from '../contracts/replies.ts';
import type { Skill } from '../contracts/skill.ts';
import type { RegistrySnapshot } from '../skills/registry.ts';
import { answeredIn, isBareChoice, mentionedIn } from '../skills/routing/answers.ts';
import { parametersOf, requiredOf } from '../skills/routing/parameter-schema.ts';
import type { SlotOptions } from '../skills/routing/parameter-schema.ts';
import type { RouteResult, RoutedClause } from '../skills/routing/router.ts';
import { fillSlots } from '../skills/routing/slots.ts';
import { answerDoubt, isGuarded, wantsNothing } from '../skills/routing/spoken-refusals.ts';
import { plainWords } from '../skills/routing/spoken-words.ts';

/** One space around each word, so that a phrase is found as whole words. */
const wordsOf = (text: string): string => ` ${plainWords(text).join(' ')} `;
const says = (text: string, phrase: string): boolean => {
  const words = wordsOf(phrase);
  const at = words.trim() === '' ? -1 : wordsOf(text).indexOf(words);
  return at >= 0 && !DENIED.test(wordsOf(text).slice(0, at));
};
/** "not coding", "don't do the deploy": what ends like this denies the name behind it. */
const DENIED = / (?:no|not|don['’]?t|never|neither|nor|without|stop|cancel|skip)(?: (?:do|the|want|a))*$/;

/** The first clause that waits for an answer; null when the transcript can be dispatched. */
export const openClause = (clauses: readonly RoutedClause[]): { clause: RoutedClause; index: number } | null => {
  const index = clauses.findIndex(({ ask }) => ask);
  const clause = clauses[index];
  return clause ? { clause, index } : null;
};

const candidatesOf = ({ skill, score, runner_up }: RoutedClause): { skill: string; score: number }[] => [
  ...(skill === null ? [] : [{ skill, score }]),
  ...(runner_up === null ? [] : [runner_up]),
];

/** What to ask about a clause, and among what. */
export const questionFor = (traceId: string, clause: RoutedClause, snapshot: RegistrySnapshot): ClarifyReply => {
  const skillOf = (name: string | null) => snapshot.skills.find((skill) => skill.name === name);
  const descriptionOf = (name: string): string => skillOf(name)?.description ?? name;
  const missing = clause.missing[0];
  const skill = skillOf(clause.skill);
  const candidates = candidatesOf(clause).map(({ skill: name, score }) => ({
    skill: name,
    text: descriptionOf(name),
    score,
  }));
  if (missing !== undefined) {
    const question =
      skill?.slot_prompts[missing] ?? `For "${clause.text}", what is the ${missing.replace(/[_-]/g, ' ')}?`;
    return {
      status: 'clarify',
      trace_id: traceId,
      question,
      candidates: candidates.filter((candidate) => candidate.skill === clause.skill),
      missing: clause.missing,
    };
  }
  const choices = candidates.map((candidate) => `${candidate.skill} (${candidate.text})`).join(', or ');
  return {
    status: 'clarify',
    trace_id: traceId,
    question: choices ? `For "${clause.text}", do you mean ${choices}?` : `What should be done about "${clause.text}"?`,
    candidates,
    missing: [],
  };
};

/** "The second one", for a question that offers several. */
const PLACES: readonly ReadonlySet<string>[] = [
  new Set(['first', 'former', '1st']),
  new Set(['second', 'latter', 'last', '2nd']),
];
const AGREED = new Set(
  'yes|yes please|yeah|yep|sure|correct|right|exactly|yes that one|thats right|yes thats right|that one|yes i do|i do|please do|do it|go ahead'.split(
    '|',
  ),
);

/** The candidate an answer picks by its place, or by agreeing to the only one; null when it does not. */
const pickedBy = (answer: string, candidates: readonly string[]): string | null => {
  const words = plainWords(answer);
  if (candidates.length === 1) return AGREED.has(words.join(' ')) ? (candidates[0] ?? null) : null;
  if (words.length > 5) return null;
  const places = PLACES.flatMap((names, at) => (words.some((word) => names.has(word)) ? [at] : []));
  return places.length === 1 ? (candidates[places[0] ?? 0] ?? null) : null;
};

const settled = (clause: RoutedClause, change: Partial<RoutedClause>): RoutedClause => {
  const next = { ...clause, ...change };
  return { ...next, ask: next.missing.length > 0 };
};

/**
 * The parked transcript's clauses with the first open one settled by an answer; null when the text is no answer to it.
 * An answer names a value that is missing, names one of the candidates, or is itself an order for one of them. Values
 * are read as those of an order are, by the same code. `route` is what the router says about the answer alone.
 */
export const answerClause = (
  parked: readonly RoutedClause[],
  answer: string,
  route: RouteResult,
  snapshot: RegistrySnapshot,
  options: SlotOptions = {},
): RoutedClause[] | null => {
  const open = openClause(parked);
  if (!open) return null;
  const { clause, index } = open;
  const replaced = (next: RoutedClause): RoutedClause[] => parked.with(index, next);
  const own = route.clauses.length === 1 ? route.clauses[0] : undefined;
  const skillOf = (name: string | null) => snapshot.skills.find((skill) => skill.name === name);
  const doubtful = (skill: Skill | undefined): boolean =>
    skill !== undefined && isGuarded(skill) && answerDoubt(answer) !== null;

  const missing = clause.missing[0];
  if (doubtful(skillOf(clause.skill)) && missing !== undefined) return null;
  if (missing !== undefined) {
    const skill = skillOf(clause.skill);
    if (!skill) return null;
    const schema = new Map(parametersOf(skill)).get(missing);
    const bare = schema !== undefined && isBareChoice(schema, answer, options);
    // The whole order once more, now complete: its own words win over guessing which part of them is the value.
    if (own && route.decision === 'dispatch' && own.skill === clause.skill) {
      return replaced(settled(clause, { text: own.text, parameters: own.parameters, missing: own.missing }));
    }
    // An order for something else is a new sentence, even where any words could be a value.
    if (route.decision === 'dispatch' && !bare) return null;
    const answered = answeredIn(skill, clause.missing, answer, options);
    if (Object.keys(answered).length === 0) return null;
    return replaced(
      settled(clause, {
        parameters: { ...clause.parameters, ...answered },
        missing: clause.missing.filter((name) => !Object.hasOwn(answered, name)),
        reason: `${clause.reason}; ${Object.keys(answered).join(', ')} answered`,
      }),
    );
  }

  const candidates = candidatesOf(clause).map(({ skill }) => skill);
  const named = candidates.filter((name) => says(answer, name) || says(answer, name.replaceAll('-', ' ')));
  const meant =
    named.length === 1
      ? named[0]
      : (candidates.find((name) => own?.skill === name && !own.ask) ?? pickedBy(answer, candidates));
  const skill = skillOf(meant ?? null);
  if (!skill || doubtful(skill)) return null;
  const same = skill.name === clause.skill;
  const parameters = {
    ...(same ? { ...skill.defaults, ...clause.parameters } : fillSlots(skill, clause.text, options).parameters),
    ...(own?.skill === skill.name ? own.parameters : {}),
    ...mentionedIn(skill, answer, options),
  };
  return replaced(
    settled(clause, {
      skill: skill.name,
      agent: skill.agent,
      // A person chose: there is nothing left to be unsure of.
      score: 1,
      margin: 1,
      runner_up: null,
      parameters,
      missing: requiredOf(skill).filter((name) => !Object.hasOwn(parameters, name)),
      reason: `${skill.name} was chosen by answer`,
    }),
  );
};

/** Whether an answer says that what is asked about is not wanted after all. */
export const refusesQuestion = (
  parked: readonly RoutedClause[],
  answer: string,
  snapshot: RegistrySnapshot,
): boolean => {
  if (wantsNothing(answer)) return true;
  const open = openClause(parked)?.clause;
  const names = open ? candidatesOf(open).map(({ skill }) => skill) : [];
  const guarded = snapshot.skills.some((skill) => names.includes(skill.name) && isGuarded(skill));
  return guarded && answerDoubt(answer) === 'denied';
};
