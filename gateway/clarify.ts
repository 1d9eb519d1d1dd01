import type { ClarifyReply } from '../contracts/replies.ts';
import type { RegistrySnapshot } from '../skills/registry.ts';
import type { RouteResult, RoutedClause } from '../skills/routing/router.ts';

/** Words of a text: lower case, folded, one space around each, so that a phrase is found as whole words. */
const wordsOf = (text: string): string =>
  ` ${
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.join(' ') ?? ''
  } `;
const says = (text: string, phrase: string): boolean => {
  const words = wordsOf(phrase);
  return words.trim() !== '' && wordsOf(text).includes(words);
};

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

interface ParameterSchema {
  type?: unknown;
  enum?: unknown;
  maxLength?: unknown;
}

/** A longer answer to "which one?" is a new sentence, not a value. */
const MAX_VALUE_CHARS = 80;

const valueIn = (answer: string, schema: ParameterSchema): unknown => {
  if (Array.isArray(schema.enum)) {
    const named = schema.enum.filter((value) => says(answer, String(value)));
    return named.length === 1 ? (named[0] as unknown) : undefined;
  }
  const text = answer.trim().replace(/[.!?]+$/, '');
  switch (schema.type) {
    case 'string': {
      const most = typeof schema.maxLength === 'number' ? Math.min(schema.maxLength, MAX_VALUE_CHARS) : MAX_VALUE_CHARS;
      return text && text.length <= most ? text : undefined;
    }
    case 'integer':
    case 'number': {
      const number = /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
      return Number.isNaN(number) || (schema.type === 'integer' && !Number.isInteger(number)) ? undefined : number;
    }
    default:
      return undefined;
  }
};

const settled = (clause: RoutedClause, change: Partial<RoutedClause>): RoutedClause => {
  const next = { ...clause, ...change };
  return { ...next, ask: next.missing.length > 0 };
};

/**
 * The parked transcript's clauses with the first open one settled by an answer; null when the text is no answer to it.
 * An answer names a value that is missing, names one of the candidates, or is itself an order for one of them.
 * `route` is what the router says about the answer alone.
 */
export const answerClause = (
  parked: readonly RoutedClause[],
  answer: string,
  route: RouteResult,
  snapshot: RegistrySnapshot,
): RoutedClause[] | null => {
  const open = openClause(parked);
  if (!open) return null;
  const { clause, index } = open;
  const replaced = (next: RoutedClause): RoutedClause[] => parked.with(index, next);
  const own = route.clauses.length === 1 ? route.clauses[0] : undefined;
  const candidates = candidatesOf(clause).map(({ skill }) => skill);

  const missing = clause.missing[0];
  if (missing !== undefined) {
    const skill = snapshot.skills.find(({ name }) => name === clause.skill);
    const properties = (skill?.parameters['properties'] ?? {}) as Record<string, ParameterSchema>;
    // The whole order once more, now complete: its own words win over guessing which part of them is the value.
    if (own && route.decision === 'dispatch' && own.skill === clause.skill) {
      return replaced(settled(clause, { text: own.text, parameters: own.parameters, missing: own.missing }));
    }
    // An order for something else is a new sentence, even where any words could be a value.
    const value = route.decision === 'dispatch' ? undefined : valueIn(answer, properties[missing] ?? {});
    if (value === undefined) return null;
    return replaced(
      settled(clause, {
        parameters: { ...clause.parameters, [missing]: value },
        missing: clause.missing.slice(1),
        reason: `${clause.reason}; ${missing} answered`,
      }),
    );
  }

  const named = candidates.filter((name) => says(answer, name) || says(answer, name.replaceAll('-', ' ')));
  const meant = named.length === 1 ? named[0] : candidates.find((name) => own?.skill === name && !own.ask);
  if (meant === undefined) return null;
  const skill = snapshot.skills.find(({ name }) => name === meant);
  if (!skill) return null;
  const same = meant === clause.skill;
  const parameters = { ...skill.defaults, ...(same ? clause.parameters : {}) };
  const required = (skill.parameters['required'] ?? []) as string[];
  return replaced(
    settled(clause, {
      skill: meant,
      agent: skill.agent,
      // A person chose: there is nothing left to be unsure of.
      score: 1,
      margin: 1,
      runner_up: null,
      parameters: own?.skill === meant ? { ...parameters, ...own.parameters } : parameters,
      missing: required.filter(
        (name) => !Object.hasOwn(parameters, name) && !Object.hasOwn(own?.parameters ?? {}, name),
      ),
      reason: `${meant} was chosen by answer`,
    }),
  );
};
