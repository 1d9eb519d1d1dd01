import type { Skill } from '../../contracts/skill.ts';
import type { Log } from '../../platform/log.ts';
import type { Thresholds } from './calibrate.ts';
import type { Classifier } from './classify.ts';
import type { Router } from './router.ts';

/** What a router learnt, each line scored by a model that did not see it; and the bars that follow from it. */
export interface TrainingReport extends Pick<
  Classifier,
  'report' | 'thresholds' | 'risky' | 'missed' | 'accepted' | 'temperature' | 'noneOdds'
> {
  router_version: string;
}

/** A router that can say how well its skills are told apart. */
export interface TrainedRouter extends Router {
  /** Of the skills as they are now; waits until they are learnt, sentence vectors included. */
  training(): Promise<TrainingReport>;
}

/** With fewer examples than this a skill is a guess. */
export const FEW_EXAMPLES = 8;

export const trainingReportOf = (router_version: string, classifier: Classifier): TrainingReport => {
  const { report, thresholds, risky, missed, accepted, temperature, noneOdds } = classifier;
  return { router_version, report, thresholds, risky, missed, accepted, temperature, noneOdds };
};

/** The share of all examples that a model which did not see them gives to their own skill; null without any. */
export const rightUnseen = ({ report }: Pick<TrainingReport, 'report'>): number | null => {
  const examples = report.reduce((sum, skill) => sum + skill.examples, 0);
  return examples === 0 ? null : report.reduce((sum, skill) => sum + skill.right, 0) / examples;
};

/** Whether a skill's mistakes reach beyond the machine. */
export const isRisky = ({ approval: { risk } }: Pick<Skill, 'approval'>): boolean =>
  risk === 'writes_remote' || risk === 'irreversible';

/** The bars in force for a skill: its own, else those for its risk. */
export const barsFor = (
  skill: Pick<Skill, 'approval' | 'routing'>,
  { thresholds, risky }: Pick<TrainingReport, 'thresholds' | 'risky'>,
): Thresholds => {
  const bars = isRisky(skill) ? risky : thresholds;
  const accept = skill.routing.accept ?? bars.accept;
  return { accept, clarify: Math.min(skill.routing.clarify ?? bars.clarify, accept) };
};

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Says at every learning how well the skills are told apart, and which of them have few examples. */
export const logTraining = (log: Pick<Log, 'info' | 'warn'>, training: TrainingReport): void => {
  for (const { skill, examples } of training.report)
    if (examples < FEW_EXAMPLES) log.warn({ skill, examples, enough: FEW_EXAMPLES }, 'a skill has few examples');
  const right = rightUnseen(training);
  log.info(
    {
      router_version: training.router_version,
      skills: training.report.length,
      examples: training.report.reduce((sum, { examples }) => sum + examples, 0),
      right_unseen: right === null ? null : round(right),
      right_unseen_by_skill: Object.fromEntries(
        training.report.map((own) => [own.skill, `${own.right}/${own.examples}`]),
      ),
      accept: round(training.thresholds.accept),
      clarify: round(training.thresholds.clarify),
      accept_risky: round(training.risky.accept),
      orders_missed: round(training.missed),
      others_accepted: round(training.accepted),
    },
    'skills learnt',
  );
};
