import { resolve } from 'node:path';
import type { Skill } from '../contracts/skill.ts';
import { createLog } from '../platform/log.ts';
import { overlaps } from '../skills/authoring/overlap.ts';
import { openRegistry } from '../skills/registry.ts';
import type { RegistrySnapshot } from '../skills/registry.ts';
import { keyOf } from '../skills/routing/classify.ts';
import type { SkillReport } from '../skills/routing/classify.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { RouteResult } from '../skills/routing/router.ts';
import { barsFor, FEW_EXAMPLES, rightUnseen } from '../skills/routing/training.ts';
import type { TrainedRouter, TrainingReport } from '../skills/routing/training.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { PLACEHOLDER } from './skills-new.ts';
import { percent, printable, tableOf } from './words.ts';

/** Share of their words that two examples may have in common: above it, the second teaches nothing new. */
const OVERLAP = 0.6;
/** Pairs listed of the examples of two skills, or of one; the worst first. */
const PAIRS_LISTED = 100;
/** Sentences shown of a skill. */
const WORST = 3;
/** Warnings shown of one skill; `--json` has all. */
const WARNINGS_SHOWN = 5;

export interface Finding {
  level: 'fail' | 'warn';
  /** A file, or a skill's name. */
  where: string;
  problem: string;
}

/** Two examples that say almost the same; `share` is that of their words in common, 0 to 1. */
export interface NearDuplicate {
  skill: string;
  text: string;
  other_skill: string;
  other_text: string;
  share: number;
}

/** How a skill does on its own examples, each routed by a model that did not see it. */
export interface SkillFigures {
  skill: string;
  examples: number;
  right: number;
  /** Most often first; null is no order. */
  confused_with: { skill: string | null; times: number }[];
  /** The most misleading first: those taken for another skill, then those taken for no order. */
  confused: SkillReport['confused'];
  /** From these scores on an order is carried out, and asked about. */
  accept: number;
  clarify: number;
}

const fail = (where: string, problem: string): Finding => ({ level: 'fail', where, problem });
const warn = (where: string, problem: string): Finding => ({ level: 'warn', where, problem });

/** What became of a sentence, in a few words. */
const became = ({ decision, clauses, control }: RouteResult): string => {
  if (decision === 'decline') return `declined (${clauses[0]?.reason ?? 'no words'})`;
  if (decision === 'control') return `understood as "${control?.action ?? ''}"`;
  return `${decision} ${clauses.map(({ skill }) => skill ?? 'none').join(' + ')} (${clauses.map(({ reason }) => reason).join('; ')})`;
};

const sharedExamples = ({ skills }: RegistrySnapshot): Finding[] => {
  const owner = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { name, examples } of skills) {
    for (const text of examples) {
      const key = keyOf(text);
      const other = owner.get(key);
      if (other !== undefined && other !== name)
        findings.push(fail(name, `example "${text}" is also one of ${other}; leave it to one of them`));
      else if (other === name) findings.push(warn(name, `example "${text}" is there twice`));
      owner.set(key, name);
    }
  }
  return findings;
};

/** Examples of one skill, or of two, that share too many words; grouped by the two skills, at most 100 a group. */
export const nearDuplicates = (skills: readonly Skill[]): { pairs: NearDuplicate[]; findings: Finding[] } => {
  const lines = skills.flatMap(({ name, examples }) => examples.map((text) => ({ skill: name, text })));
  const groups = new Map<string, NearDuplicate[]>();
  for (const { first, second, share } of overlaps(
    lines.map(({ text }) => text),
    OVERLAP,
  )) {
    const [a, b] = [lines[first], lines[second]];
    if (!a || !b || keyOf(a.text) === keyOf(b.text)) continue; // a duplicate is said elsewhere
    const group = groups.get(`${b.skill} ${a.skill}`) ?? [];
    groups.set(`${b.skill} ${a.skill}`, group);
    group.push({ skill: b.skill, text: b.text, other_skill: a.skill, other_text: a.text, share });
  }
  const findings: Finding[] = [];
  const pairs: NearDuplicate[] = [];
  for (const group of groups.values()) {
    group.sort((a, b) => b.share - a.share);
    pairs.push(...group.slice(0, PAIRS_LISTED));
    const [worst] = group;
    if (!worst) continue;
    const whose = worst.skill === worst.other_skill ? 'of its examples' : `of examples with ${worst.other_skill}`;
    const count = `${group.length} pair${group.length === 1 ? '' : 's'} ${whose} share more than ${100 * OVERLAP} % of their words`;
    findings.push(warn(worst.skill, `${count}: "${worst.text}", "${worst.other_text}"`));
  }
  return { pairs, findings };
};

/** Where the skill's own examples and negative examples go. */
const strays = async (skill: Skill, router: TrainedRouter, signal: AbortSignal): Promise<Finding[]> => {
  const { name, examples, negative_examples: negatives } = skill;
  const findings: Finding[] = [];
  const incomplete: { text: string; missing: string[] }[] = [];
  for (const text of examples) {
    signal.throwIfAborted();
    const result = await router.route(text, signal);
    const [clause] = result.clauses;
    const one = result.clauses.length === 1 && clause?.skill === name;
    if (one && result.decision === 'dispatch') continue;
    if (one && clause.missing.length > 0) incomplete.push({ text, missing: clause.missing });
    else findings.push(fail(name, `example "${text}" does not come home: ${became(result)}`));
  }
  const [first] = incomplete;
  if (first)
    findings.push(
      warn(
        name,
        `${incomplete.length} of ${examples.length} examples would be asked about, since they do not say ${[...new Set(incomplete.flatMap(({ missing }) => missing))].join(', ')}: "${first.text}"`,
      ),
    );
  for (const text of negatives) {
    signal.throwIfAborted();
    const result = await router.route(text, signal);
    if (result.clauses.some((clause) => clause.skill === name))
      findings.push(fail(name, `negative example "${text}" is taken: ${became(result)}`));
  }
  return findings;
};

const figuresOf = (skill: Skill, training: TrainingReport): SkillFigures => {
  const report = training.report.find((each) => each.skill === skill.name);
  // Another skill first: it does what nobody asked for, while "no order" does nothing.
  const confused = (report?.confused ?? []).toSorted(
    (a, b) => Number(a.with === null) - Number(b.with === null) || b.score - a.score,
  );
  const times = new Map<string | null, number>();
  for (const { with: other } of confused) times.set(other, (times.get(other) ?? 0) + 1);
  return {
    skill: skill.name,
    examples: report?.examples ?? 0,
    right: report?.right ?? 0,
    confused_with: [...times].map(([other, n]) => ({ skill: other, times: n })).sort((a, b) => b.times - a.times),
    confused,
    ...barsFor(skill, training),
  };
};

export interface SkillsReport {
  skills: number;
  examples: number;
  findings: Finding[];
  figures: SkillFigures[];
  near_duplicates: NearDuplicate[];
  training: Omit<TrainingReport, 'report'> & { right_unseen: number | null };
}

/** Everything a person should know about a folder of skills. */
export const checkSkills = async (
  snapshot: RegistrySnapshot,
  router: TrainedRouter,
  signal: AbortSignal,
): Promise<SkillsReport> => {
  const { skills } = snapshot;
  const { report, ...bars } = await router.training();
  const findings = snapshot.quarantined.map(({ file, reason }) => fail(file, reason));
  findings.push(...sharedExamples(snapshot));
  for (const skill of skills) {
    const count = skill.examples.length;
    const left = [...skill.examples, ...skill.negative_examples].filter((text) => text.startsWith(PLACEHOLDER)).length;
    if (left > 0)
      findings.push(
        fail(skill.name, `${left} placeholders of the skeleton are left: lines that begin with ${PLACEHOLDER.trim()}`),
      );
    if (count < FEW_EXAMPLES)
      findings.push(
        warn(
          skill.name,
          `${count} example${count === 1 ? '' : 's'}; below ${FEW_EXAMPLES} it is a guess, twenty are good`,
        ),
      );
    findings.push(...(await strays(skill, router, signal)));
  }
  const near = nearDuplicates(skills);
  findings.push(...near.findings);
  return {
    skills: skills.length,
    examples: skills.reduce((sum, { examples }) => sum + examples.length, 0),
    findings,
    figures: skills.map((skill) => figuresOf(skill, { report, ...bars })),
    near_duplicates: near.pairs,
    training: { ...bars, right_unseen: rightUnseen({ report }) },
  };
};

const fixed = (score: number): string => score.toFixed(2);

const findingLines = (findings: readonly Finding[]): string[] => {
  const lines = findings
    .filter(({ level }) => level === 'fail')
    .map(({ where, problem }) => `fail  ${where}: ${problem}`);
  const warnings = Map.groupBy(
    findings.filter(({ level }) => level === 'warn'),
    ({ where }) => where,
  );
  for (const [where, all] of warnings) {
    lines.push(...all.slice(0, WARNINGS_SHOWN).map(({ problem }) => `warn  ${where}: ${problem}`));
    if (all.length > WARNINGS_SHOWN)
      lines.push(`warn  ${where}: … and ${all.length - WARNINGS_SHOWN} more; --json has all`);
  }
  return lines;
};

const figureLines = (figures: readonly SkillFigures[]): string[] => {
  const table = tableOf([
    ['SKILL', 'EXAMPLES', 'RIGHT UNSEEN', 'ACCEPT', 'ASK', 'MOST OFTEN TAKEN FOR'],
    ...figures.map(({ skill, examples, right, confused_with, accept, clarify }) => [
      skill,
      String(examples),
      `${right} (${percent(right / Math.max(1, examples))})`,
      fixed(accept),
      fixed(clarify),
      confused_with
        .slice(0, 2)
        .map((other) => `${other.skill ?? 'no order'} (${other.times})`)
        .join(', '),
    ]),
  ]);
  const worst = figures.flatMap(({ skill, confused }) =>
    confused
      .slice(0, WORST)
      .map(({ text, with: other, score }) => [`  ${skill} -> ${other ?? 'no order'}`, fixed(score), `"${text}"`]),
  );
  return [
    table,
    ...(worst.length > 0 ? ['', 'Sentences that cause it, the most misleading three of a skill:', tableOf(worst)] : []),
  ];
};

const barLines = ({ thresholds, risky, missed, accepted }: SkillsReport['training']): string[] => [
  `From ${fixed(thresholds.accept)} on an order is carried out, from ${fixed(thresholds.clarify)} on a person is asked, below it is no order.`,
  `Skills that write remotely or cannot be undone need ${fixed(risky.accept)}.`,
  missed === 0 && accepted === 0
    ? 'Too few lines, or none of them in doubt: nothing is known about what these bars cost.'
    : `Of sentences that were not learnt, ${percent(missed)} of the orders fall below the lower bar and ${percent(accepted)} of what is no order reach the upper one.`,
];

/** The report for a person. */
const reportText = (report: SkillsReport): string => {
  const { findings, figures, training, skills, examples } = report;
  const failed = findings.filter(({ level }) => level === 'fail').length;
  const unseen = training.right_unseen === null ? '' : `, ${percent(training.right_unseen)} right unseen`;
  return [
    ...findingLines(findings),
    ...(findings.length > 0 ? [''] : []),
    ...(figures.length > 0 ? [...figureLines(figures), '', ...barLines(training), ''] : []),
    `${skills} skills, ${examples} examples${unseen}; ${failed} failed, ${findings.length - failed} warnings`,
  ]
    .map(printable)
    .join('\n');
};

export const skillsCheck: Command = {
  usage: 'skills check [FOLDER] [--json]',
  summary: 'Check skill and agent files, and say which skills are taken for each other, and by what sentences.',
  help: `  FOLDER  default: SKILLS_DIR
  --json  {"skills", "examples", "findings", "figures", "near_duplicates", "training"}

  fail  a file that is not valid; a TODO of "skills new"; an example of two skills, or one that does not come home;
        a negative example that its skill takes
  warn  fewer than ${FEW_EXAMPLES} examples; examples that would be asked about; examples that share more than ${100 * OVERLAP} % of their words

  RIGHT UNSEEN counts examples that a model which did not see them gives to their own skill.
  Sites are those of STAGING_URL and TARGETS_FILE. Exit code: 1 when something fails.`,
  options: { json: { type: 'boolean' } },
  words: [0, 1],
  run: async (args, context) => {
    const dir = args.words[0] === undefined ? context.settings.skillsDir : resolve(args.words[0]);
    const registry = await openRegistry({ dir, log: createLog('dual', (text) => text, 'silent'), watch: false });
    registry.close();
    const router = createRouter({ registry, targets: context.settings.targets() });
    const report = await checkSkills(registry.current(), router, context.signal);
    context.out(args.flag('json') ? JSON.stringify(report) : reportText(report));
    return report.findings.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.succeeded;
  },
};
