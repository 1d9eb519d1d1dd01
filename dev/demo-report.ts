import { join, relative } from 'node:path';
import type { ArtifactRef, JobResult, TaskResult } from '../contracts/task.ts';
import { testRunText } from './progress-lines.ts';

/** Lines of a diff a terminal still likes; the artifact has all of them. */
const DIFF_LINES = 120;
const REPORT_LINES = 40;

const DIFF = 'text/x-diff';
export const diffOf = (job: JobResult): ArtifactRef | undefined =>
  job.artifacts.find(({ media_type: type }) => type === DIFF);

/** The first `limit` lines, indented, and how many more there are. */
export const cutLines = (text: string, limit: number, indent: string): string => {
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(0, limit).map((line) => `${indent}${line}`);
  return [
    ...shown,
    ...(lines.length > limit ? [`${indent}… ${lines.length - limit} more lines in the artifact`] : []),
  ].join('\n');
};

const thousands = (n: number): string => n.toLocaleString('en-GB');

/** `rehearsal, nothing was bought`, `$0.1234`, or `unknown` where a price was. */
export const costText = (costUsd: number | null, rehearsal: boolean): string => {
  if (costUsd === null) return 'unknown: a model without a known price took part';
  if (rehearsal && costUsd === 0) return 'none: rehearsal, no model was bought';
  return `$${costUsd.toFixed(4)}${rehearsal ? ' (a rehearsal model took part)' : ''}`;
};

/** What is missing from a demo that worked; nothing: it worked. */
export const shortcomings = (task: TaskResult, diffs: ReadonlyMap<string, string>): string[] => {
  const missing = task.status === 'succeeded' ? [] : [`the task ended as ${task.status}: ${task.summary}`];
  for (const job of task.jobs)
    if (job.status !== 'succeeded')
      missing.push(`job ${job.job_id} (${job.agent}) ${job.status}: ${job.error?.message ?? job.summary}`);
  const coding = task.jobs.find((job) => job.agent === 'coding');
  const browser = task.jobs.find((job) => job.agent === 'browser');
  if (!coding) missing.push('no coding job ran');
  else {
    if (coding.branch === null) missing.push('the coding job left no branch');
    if (!diffs.get(coding.job_id)?.trim()) missing.push('the coding job changed nothing');
  }
  if (!browser) missing.push('no browser job ran');
  else if (!browser.artifacts.some(({ media_type: type }) => type.startsWith('image/')))
    missing.push('the browser job left no screenshot');
  return missing;
};

export interface ReportFacts {
  task: TaskResult;
  /** Text of the diff artifact, by job. */
  diffs: ReadonlyMap<string, string>;
  /** Text of the report artifact, by job, where there is one. */
  reports: ReadonlyMap<string, string>;
  artifactDir: string;
  traceDir: string;
  /** The repository whose branches hold the coding jobs' work. */
  repository: string;
}

const here = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
};

/** Names start with the job's id, which the lines above have said. */
const shortName = (job: JobResult, name: string): string =>
  name.startsWith(job.job_id) ? name.slice(job.job_id.length).replace(/^[-.]/, '') : name;

const artifactLines = (job: JobResult, artifactDir: string): string[] =>
  job.artifacts.map(({ sha256, name, bytes }) => {
    const path = here(join(artifactDir, sha256.slice(0, 2), sha256));
    return `      ${shortName(job, name).padEnd(22)} ${path} (${thousands(bytes)} bytes)`;
  });

const jobLines = (job: JobResult, facts: ReportFacts): string[] => {
  const number = job.job_id.split('-').at(-1);
  const lines = [
    '',
    `  job ${number}: ${job.agent} (skill ${job.skill}) ${job.status}${job.rehearsal ? ', rehearsal' : ''}`,
    `    asked     ${job.instruction}`,
  ];
  if (job.error) lines.push(`    error     ${job.error.type}: ${job.error.message}`);
  lines.push(`    answer\n${cutLines(facts.reports.get(job.job_id) ?? job.summary, REPORT_LINES, '      ')}`);
  if (job.verification?.command != null) {
    const { command, before, after } = job.verification;
    lines.push(`    tests     ${command}: before ${testRunText(before)}; after ${testRunText(after)}`);
  }
  if (job.branch !== null) lines.push(`    branch    ${job.branch} in ${here(facts.repository)}`);
  const diff = facts.diffs.get(job.job_id);
  if (diff) lines.push(`    diff\n${cutLines(diff, DIFF_LINES, '      ')}`);
  if (job.artifacts.length > 0) lines.push('    artifacts', ...artifactLines(job, facts.artifactDir));
  lines.push(
    `    bought    ${job.turns} turns, ${thousands(job.input_tokens)} tokens in, ${thousands(job.output_tokens)} out`,
  );
  return lines;
};

/** The combined result, for a person. */
export const demoReport = (facts: ReportFacts): string => {
  const { task } = facts;
  const rehearsal = task.jobs.some((job) => job.rehearsal);
  const branch = task.jobs.find((job) => job.branch !== null)?.branch;
  return [
    '',
    `result: ${task.status}`,
    `  said      ${task.utterance}`,
    `  summary\n${cutLines(task.summary, REPORT_LINES, '      ')}`,
    ...task.jobs.flatMap((job) => jobLines(job, facts)),
    '',
    `  tokens    ${thousands(task.input_tokens)} in, ${thousands(task.output_tokens)} out`,
    `  cost      ${costText(task.cost_usd, rehearsal)}`,
    `  trace id  ${task.trace_id}`,
    '',
    'where to look',
    ...(branch ? [`  the change     git -C ${here(facts.repository)} show ${branch}`] : []),
    `  artifacts      ${here(facts.artifactDir)}/   (paths above; files are named by their content, whatever they hold)`,
    `  trace events   grep -h ${task.trace_id} ${here(facts.traceDir)}/*.jsonl`,
    '  your own       make dev, then: npm run --silent dual -- say "…"   (the Temporal Web UI runs as long as make dev)',
    '',
  ].join('\n');
};
