import type { Skill } from '../../contracts/skill.ts';
import type { Classifier, Ranking } from './classify.ts';
import type { Fit } from './split.ts';
import { fillSlots, namesTwoValues } from './slots.ts';

/** What one clause comes to. `ask`: a person has to say which, or to name what is missing. */
export interface Verdict {
  kind: 'order' | 'ask' | 'none';
  skill: Skill | null;
  score: number;
  runnerUp: { skill: string; score: number } | null;
  margin: number;
  parameters: Record<string, unknown>;
  missing: string[];
  reason: string;
}

export interface Judge {
  judge: (text: string) => Verdict;
  /** How well a text fits each skill, and last, in what it is worth as a clause, no order at all. */
  fit: (text: string) => Fit;
}

/** Two skills whose scores are this close are tied. */
const TIE = 0.12;
/** What a clause that is no order is worth beside orders: enough to cut small talk off, too little to invent it. */
const NONE_WORTH = 0.6;
/** Factor for a clause that names two values of one parameter ("staging and production"). */
const TWO_VALUES = 0.4;
/** Texts whose ranking is remembered for the next question about them. */
const REMEMBERED = 1_000;

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

export const createJudge = (skills: readonly Skill[], classifier: Classifier): Judge => {
  const byName = new Map(skills.map((skill) => [skill.name, skill]));
  const numberOf = new Map(skills.map((skill, i) => [skill.name, i]));
  const remembered = new Map<string, Ranking>();
  const rank = (text: string): Ranking => {
    let ranking = remembered.get(text);
    if (!ranking) {
      ranking = classifier.rank(text);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(text, ranking);
    }
    return ranking;
  };
  const priorityOf = (name: string): number => byName.get(name)?.routing.priority ?? 0;

  /** The winner and the next; of two that are tied, the one of higher priority wins and `tied` is over. */
  const bestOf = ({ ranked }: Ranking): { best?: Scored; next?: Scored; tied: boolean; sum: number } => {
    const [first, second] = ranked;
    if (!first || !second || first.score - second.score >= TIE)
      return { ...(first && { best: first }), ...(second && { next: second }), tied: false, sum: first?.score ?? 0 };
    const sum = first.score + second.score;
    const lead = priorityOf(first.skill) - priorityOf(second.skill);
    return lead < 0
      ? { best: second, next: first, tied: false, sum }
      : { best: first, next: second, tied: lead === 0, sum };
  };

  return {
    fit: (text) => {
      const { ranked, none, verbatim } = rank(text);
      const scores = skills.map(() => 0);
      for (const { skill: name, score } of ranked) {
        const at = numberOf.get(name) ?? 0;
        const skill = skills[at];
        scores[at] = score * (skill && namesTwoValues(skill, text) ? TWO_VALUES : 1);
      }
      return { scores: [...scores, none * NONE_WORTH], verbatim };
    },
    judge: (text) => {
      const ranking = rank(text);
      const { best, next, tied, sum } = bestOf(ranking);
      const skill = best && byName.get(best.skill);
      const base = {
        score: round(best?.score ?? 0),
        runnerUp: next ? { skill: next.skill, score: round(next.score) } : null,
        margin: round((best?.score ?? 0) - (next?.score ?? 0)),
        parameters: {},
        missing: [],
      };
      if (!skill || !best) return { ...base, kind: 'none', skill: null, reason: 'no skill fits' };
      const accept = skill.routing.accept ?? classifier.thresholds.accept;
      const clarify = Math.min(skill.routing.clarify ?? classifier.thresholds.clarify, accept);
      if (sum < clarify || (ranking.verbatim && ranking.none > sum))
        return {
          ...base,
          kind: 'none',
          skill: null,
          reason:
            ranking.none > sum
              ? `no order (${ranking.none.toFixed(2)}); nearest skill ${best.skill} (${best.score.toFixed(2)})`
              : `nearest skill ${best.skill} fits too little (${best.score.toFixed(2)} of ${clarify.toFixed(2)})`,
        };
      const { parameters, missing } = fillSlots(skill, text);
      const filled = { ...base, skill, parameters, missing };
      if (tied && next)
        return {
          ...filled,
          kind: 'ask',
          reason: `${best.skill} (${best.score.toFixed(2)}) or ${next.skill} (${next.score.toFixed(2)})?`,
        };
      if (sum < accept || ranking.none > sum)
        return {
          ...filled,
          kind: 'ask',
          reason: `${best.skill} fits (${best.score.toFixed(2)}), but not surely (${accept.toFixed(2)})`,
        };
      if (missing.length > 0) return { ...filled, kind: 'ask', reason: `${best.skill} needs ${missing.join(', ')}` };
      return {
        ...filled,
        kind: 'order',
        reason: ranking.verbatim
          ? `word for word an example of ${best.skill}`
          : `fits ${best.skill} (${best.score.toFixed(2)}; ${accept.toFixed(2)} is enough)`,
      };
    },
  };
};

interface Scored {
  skill: string;
  score: number;
}
