import type { Skill } from '../../contracts/skill.ts';
import type { Fit } from './choose-clauses.ts';
import type { Classifier, Ranking } from './classify.ts';
import type { Wording } from './context.ts';
import { wordsOf } from './features.ts';
import type { SlotOptions } from './parameter-schema.ts';
import { fillSlots, namesTwoValues } from './slots.ts';
import type { Slots } from './slots.ts';
import { essenceOf } from './speech.ts';
import { beginningsOf, doubtAbout, isGuarded, isRefused, unlikeAnOrder } from './spoken-refusals.ts';
import type { Respell } from './respell.ts';
import type { Verbs } from './split.ts';
import { barsFor, isRisky } from './training.ts';

/** What one clause comes to. `ask`: a person has to say which, or to name what is missing. */
export interface Verdict {
  kind: 'order' | 'ask' | 'none';
  skill: Skill | null;
  score: number;
  runnerUp: { skill: string; score: number } | null;
  margin: number;
  parameters: Record<string, unknown>;
  missing: string[];
  /** The only doubt is whether it is an order at all; which skill would do it is clear. */
  likely: boolean;
  reason: string;
}

export interface Judge {
  /** `alone`: nothing was said before it that "it" could mean. */
  judge: (text: string, alone: boolean) => Verdict;
  /** How well a text fits each skill, and last, in what it is worth as a clause, no order at all. */
  fit: (text: string) => Fit;
  /** The text is a line that was learnt, word for word. */
  knows: (text: string) => boolean;
  /** Sentence vectors of clauses, for the questions that follow about them. */
  know(vectors: ReadonlyMap<string, Float32Array>): void;
  /** Which of several wordings of a clause is meant, its own first, behind an order that was said before it. */
  prefer: (wordings: readonly Wording[], before: string | undefined) => number;
}

/** Why what was said not to be done is no order. */
export const REFUSED = 'said not to be done';
/** Two skills whose scores are this close are tied. */
export const TIE = 0.12;
/** What a clause that is no order is worth beside orders: enough to cut small talk off, too little to invent it. */
const NONE_WORTH = 0.6;
/** Factor for a clause that names two values of one parameter ("staging and production"). */
const TWO_VALUES = 0.4;
/** A fragment that begins like an order is asked about from this share of the lower bar on. */
const LIKE_AN_ORDER = 0.5;
/** A wording with borrowed words is taken from this score on, even where the bare one scores more. */
const SURE = 0.5;
/** A bare wording with this score is not overruled by words of the order before. */
const SAYS_ENOUGH = 0.2;
/** What begins like an order, and could only be this skill's, needs to be an order more likely than not. */
const EVEN = 0.5;
/** Share of all skills' scores that one has when it is clear which would do it. */
const CLEARLY = 0.65;
/** Texts whose ranking is remembered for the next question about them. */
const REMEMBERED = 2_000;
/** Words that stand for something said before; an order of a verb and these alone says nothing by itself. */
const EMPTY = new Set(
  'it them that this these those one something thing things stuff everything all again another other look have'.split(
    ' ',
  ),
);

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

interface Scored {
  skill: string;
  score: number;
}

/** Decides about clauses by a classifier's scores, its bars, and the skills' own settings. */
export const createJudge = (
  skills: readonly Skill[],
  classifier: Pick<Classifier, 'rank' | 'knows'>,
  verbs: Verbs,
  respell: Respell,
  options: SlotOptions,
): Judge => {
  const byName = new Map(skills.map((skill) => [skill.name, skill]));
  const numberOf = new Map(skills.map((skill, i) => [skill.name, i]));
  const choosing = skills.filter((skill) => Object.keys(skill.parameters['properties'] ?? {}).length > 0);
  const beginnings = new Map(skills.filter(isGuarded).map((skill) => [skill.name, beginningsOf(skill)]));
  const remembered = new Map<string, { ranking: Ranking; two: ReadonlySet<string> }>();
  const vectors = new Map<string, Float32Array>();
  const lookUp = (text: string): { ranking: Ranking; two: ReadonlySet<string> } => {
    let known = remembered.get(text);
    if (!known) {
      const ranking = classifier.rank(text, { respell, vector: vectors.get(text) });
      const top = new Set(ranking.ranked.slice(0, 2).map(({ skill }) => skill));
      const two = choosing.filter((skill) => top.has(skill.name) && namesTwoValues(skill, text, options));
      known = { ranking, two: new Set(two.map(({ name }) => name)) };
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(text, known);
    }
    return known;
  };
  const priorityOf = (name: string): number => byName.get(name)?.routing.priority ?? 0;

  /** The winner and the next; of two that are tied, the one of higher priority wins and `tied` is over. */
  const bestOf = ({ ranked }: Ranking): { best?: Scored; next?: Scored; tied: boolean; sum: number } => {
    const [first, second] = ranked;
    if (!first || !second || first.score - second.score >= TIE)
      return { ...(first && { best: first }), ...(second && { next: second }), tied: false, sum: first?.score ?? 0 };
    // Two skills of one agent share the doubt; which of them it is matters less than that it is one of them.
    const kin = byName.get(first.skill)?.agent === byName.get(second.skill)?.agent;
    const sum = kin ? first.score + second.score : first.score;
    const lead = priorityOf(first.skill) - priorityOf(second.skill);
    return lead < 0
      ? { best: second, next: first, tied: false, sum }
      : { best: first, next: second, tied: lead === 0, sum };
  };

  /** Names stay as they were said; what is missing may have been written wrongly by the recogniser. */
  const fill = (skill: Skill, text: string): Slots => {
    const said = fillSlots(skill, text, options);
    const respelled = said.missing.length > 0 || Object.keys(skill.defaults).length > 0 ? respell(text) : text;
    if (respelled === text) return said;
    const meant = fillSlots(skill, respelled, options);
    return meant.missing.length < said.missing.length || said.missing.length === 0 ? meant : said;
  };

  const judge = (text: string, alone: boolean): Verdict => {
    const { ranking } = lookUp(text);
    const { best, next, tied, sum } = bestOf(ranking);
    const skill = best && byName.get(best.skill);
    const base = {
      score: round(best?.score ?? 0),
      runnerUp: next ? { skill: next.skill, score: round(next.score) } : null,
      margin: round((best?.score ?? 0) - (next?.score ?? 0)),
      parameters: {},
      missing: [],
      likely: false,
    };
    if (!skill || !best) return { ...base, kind: 'none', skill: null, reason: 'no skill fits' };
    const words = wordsOf(essenceOf(text));
    const orders = verbs.has(words[0] ?? '');
    const { accept, clarify } = barsFor(skill, ranking.bars);
    // A fragment beside orders that begins like one is asked about rather than dropped.
    const likeAnOrder = orders && !alone && !ranking.verbatim && sum >= clarify * LIKE_AN_ORDER;
    if ((sum < clarify && !likeAnOrder) || (ranking.verbatim && ranking.none > sum))
      return {
        ...base,
        kind: 'none',
        skill: null,
        reason:
          ranking.none > sum
            ? `no order (${ranking.none.toFixed(2)}); nearest skill ${best.skill} (${best.score.toFixed(2)})`
            : `nearest skill ${best.skill} fits too little (${best.score.toFixed(2)} of ${clarify.toFixed(2)})`,
      };
    if (!ranking.verbatim && isRefused(text)) return { ...base, kind: 'none', skill: null, reason: REFUSED };
    const plain = beginnings.get(skill.name);
    const doubt = plain && !ranking.verbatim ? doubtAbout(text, plain, respell) : null;
    if (doubt?.kind === 'refused') return { ...base, kind: 'none', skill: null, reason: REFUSED };
    const { parameters, missing } = fill(skill, text);
    const filled = { ...base, skill, parameters, missing };
    if (alone && orders && !ranking.verbatim && words.slice(1).every((word) => EMPTY.has(word)))
      return { ...filled, kind: 'ask', reason: `"${words.join(' ')}" does not say what` };
    if (tied && next)
      return {
        ...filled,
        kind: 'ask',
        reason: `${best.skill} (${best.score.toFixed(2)}) or ${next.skill} (${next.score.toFixed(2)})?`,
      };
    const clear = orders && !isRisky(skill) && sum >= CLEARLY * (1 - ranking.none);
    const enough = clear && skill.routing.accept === null ? Math.min(accept, Math.max(clarify, EVEN)) : accept;
    if (sum < enough && !ranking.verbatim)
      return {
        ...filled,
        kind: 'ask',
        likely: clear && missing.length === 0,
        reason: `${best.skill} fits (${best.score.toFixed(2)}), but not surely (${accept.toFixed(2)})`,
      };
    const unlike = doubt?.reason ?? (ranking.verbatim ? null : unlikeAnOrder(text, skill));
    if (unlike !== null) return { ...filled, kind: 'ask', reason: unlike };
    if (missing.length > 0) return { ...filled, kind: 'ask', reason: `${best.skill} needs ${missing.join(', ')}` };
    return {
      ...filled,
      kind: 'order',
      reason: ranking.verbatim
        ? `word for word an example of ${best.skill}`
        : `fits ${best.skill} (${best.score.toFixed(2)}; ${accept.toFixed(2)} is enough)`,
    };
  };

  return {
    judge,
    knows: (text) => classifier.knows(text),
    know: (found) => {
      if (vectors.size >= REMEMBERED) vectors.clear();
      for (const [text, vector] of found) {
        vectors.set(text, vector);
        remembered.delete(text);
      }
    },
    fit: (text) => {
      const { ranking, two } = lookUp(text);
      const scores = skills.map(() => 0);
      for (const { skill, score } of ranking.ranked)
        scores[numberOf.get(skill) ?? 0] = score * (two.has(skill) ? TWO_VALUES : 1);
      return { scores: [...scores, ranking.none * NONE_WORTH], verbatim: ranking.verbatim };
    },
    prefer: (wordings, before) => {
      const top = wordings.map(({ text }) => lookUp(text).ranking.ranked[0] ?? { skill: '', score: 0 });
      const own = top[0];
      if (!own || lookUp(wordings[0]?.text ?? '').ranking.verbatim) return 0;
      const earlier = before === undefined ? undefined : lookUp(before).ranking.ranked[0]?.skill;
      let best = 0;
      for (const [i, { skill, score }] of top.entries()) {
        const by = wordings[i]?.by;
        if (by === 'tail' && own.score > SURE) continue;
        // Words borrowed from the order before pull towards its skill: that says nothing.
        if (by === 'pronoun' && skill === earlier && own.skill !== earlier && own.score > SAYS_ENOUGH) continue;
        if (i > 0 && best === 0 ? score > Math.min(own.score, SURE) : score > (top[best]?.score ?? 0)) best = i;
      }
      return best;
    },
  };
};
