import type { Skill } from '../../contracts/skill.ts';
import { messageOf } from '../../platform/errors.ts';
import { unlessAborted } from '../../platform/lifecycle.ts';
import type { Log } from '../../platform/log.ts';
import type { Registry } from '../registry.ts';
import { composeReading, UnusableReading } from './compose-reading.ts';
import type { Composed } from './compose-reading.ts';
import { doubtWordIn } from './doubt-words.ts';
import { TIE } from './judge.ts';
import { LanguageFault } from './language-model.ts';
import type { LanguageReading, LanguageRouter } from './language-model.ts';
import type { RoutedClause, RouteResult, Router, SecondOpinion } from './router.ts';

export interface SecondOpinionOptions {
  /** `shadow`: asks and writes down, but the embedded answer stands. It waits for the answer all the same. */
  mode: 'on' | 'shadow';
  registry: Pick<Registry, 'current'>;
  log: Pick<Log, 'warn'>;
  /** Milliseconds from the question to the answer; default 1,500. Then the embedded answer stands. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 1_500;
/** Characters of a sentence that is asked about: a longer one could not be read back in time. */
export const MAX_ASKED = 1_000;
const tied = ({ skill, runner_up, margin }: RoutedClause, skills: readonly Skill[]): boolean => {
  const priorityOf = (name: string | undefined | null): number =>
    skills.find((each) => each.name === name)?.routing.priority ?? 0;
  return runner_up !== null && Math.abs(margin) < TIE && priorityOf(skill) === priorityOf(runner_up.skill);
};

/** A person would have to say which skill was meant; a value nobody named is no such doubt. */
const isDoubted = (clause: RoutedClause, skills: readonly Skill[]): boolean =>
  clause.ask && (clause.missing.length === 0 || tied(clause, skills));

/** Why a sentence is worth a question, in words; null when the embedded router is sure and no word says otherwise. */
export const reasonToAsk = (text: string, embedded: RouteResult, skills: readonly Skill[]): string | null => {
  if (embedded.decision === 'control' || text.trim() === '' || text.length > MAX_ASKED) return null;
  if (embedded.decision === 'clarify' && embedded.clauses.some((clause) => isDoubted(clause, skills)))
    return 'the embedded router would ask which skill is meant';
  const doubt = doubtWordIn(text);
  return doubt && `the sentence has "${doubt.word}" (${doubt.kind})`;
};

type Bought = Omit<SecondOpinion, 'mode' | 'used' | 'reason' | 'answer' | 'provider' | 'model' | 'duration_ms'>;

const NOTHING_BOUGHT: Bought = {
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  cost_usd: null,
  cost_source: null,
  price_version: null,
};

const boughtIn = ({ usage, cost_usd, cost_source, price_version }: LanguageReading): Bought => ({
  input_tokens: usage?.input_tokens ?? null,
  output_tokens: usage?.output_tokens ?? null,
  cache_read_tokens: usage?.cache_read_tokens ?? null,
  cache_write_tokens: usage?.cache_write_tokens ?? null,
  cost_usd,
  cost_source,
  price_version,
});

type Answer = Pick<SecondOpinion, 'answer' | 'model'> & { bought: Bought } & (
    { composed: Composed; problem: null } | { composed: null; problem: string }
  );

const same = (a: Composed, b: Composed): boolean => {
  const essence = ({ decision, clauses }: Composed): unknown => [
    decision,
    clauses.map(({ skill, parameters, depends_on }) => [skill, Object.entries(parameters).sort(), depends_on]),
  ];
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
};

/**
 * A router that asks a language model where the embedded one is torn, or where a word of negation, correction or
 * condition stands in the sentence. It chooses among the registry's skills and their values, nothing else: approvals,
 * limits and agents stay the skill files'. No answer in time, or none that can be used: the embedded answer stands.
 */
export const withSecondOpinion = (
  router: Router,
  language: LanguageRouter,
  { mode, registry, log, timeoutMs = TIMEOUT_MS }: SecondOpinionOptions,
): Router => {
  const ask = async (sentence: string, embedded: RouteResult, signal: AbortSignal): Promise<Answer> => {
    // One snapshot for question and answer.
    const { skills } = registry.current();
    let answer: SecondOpinion['answer'] = null;
    let bought = NOTHING_BOUGHT;
    let model = language.model;
    try {
      signal.throwIfAborted();
      const request = { sentence, skills: skills.map(describe), embedded };
      const reading = await unlessAborted(language.read(request, signal), signal);
      bought = boughtIn(reading);
      ({ model, clauses: answer } = reading);
      if (reading.clauses === null) return { answer, model, bought, composed: null, problem: reading.problem };
      const composed = composeReading(reading.clauses, sentence, embedded, skills, model);
      return { answer, model, bought, composed, problem: null };
    } catch (error) {
      if (error instanceof UnusableReading) return { answer, model, bought, composed: null, problem: error.message };
      const lost = signal.aborted || (error instanceof LanguageFault && error.mayBeBilled);
      if (lost) bought = { ...NOTHING_BOUGHT, cost_source: 'uncertain' };
      return { answer: null, model, bought, composed: null, problem: messageOf(error) };
    }
  };

  return {
    get version() {
      return router.version;
    },
    route: async (text, signal) => {
      const embedded = await router.route(text, signal);
      const why = reasonToAsk(text, embedded, registry.current().skills);
      if (why === null) return embedded;

      const started = performance.now();
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const answer = await ask(text, embedded, signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
      clearTimeout(timer);
      const durationMs = Math.round((performance.now() - started) * 1_000) / 1_000;

      const { composed, problem, model } = answer;
      if (problem !== null) log.warn({ model, problem }, 'no second opinion; the embedded answer stands');
      const used = mode === 'on' && composed !== null;
      const outcome = problem ?? (used ? 'used' : same(composed, embedded) ? 'agrees' : 'differs');
      const { aside, ...rest } = embedded;
      return {
        ...rest,
        // What was left aside belongs to the clauses beside it.
        ...(used ? { ...composed, router_version: `${embedded.router_version}+${model}` } : aside && { aside }),
        latency_ms: Math.round((embedded.latency_ms + durationMs) * 1_000) / 1_000,
        second_opinion: {
          mode,
          used,
          reason: `${why}: ${outcome}`,
          answer: answer.answer,
          provider: language.provider,
          model,
          ...answer.bought,
          duration_ms: durationMs,
        },
      };
    },
  };
};

const describe = ({ name, description, parameters }: Skill) => ({ name, description, parameters });
