import type { JobResult } from '../contracts/task.ts';
import { oneLine } from '../platform/text.ts';

/** Characters of foreign text in a sentence that is read out. */
const SHOWN = 120;
const COUNTS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

export const counted = (count: number, noun: string): string =>
  `${COUNTS[count] ?? count} ${noun}${count === 1 ? '' : 's'}`;
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** Foreign text as part of a sentence. */
export const shown = (text: string): string => oneLine(text, SHOWN).replace(/[.;:,!?\s]{1,20}$/, '');

/** What people call a job: its agent, with its place in the sentence where several have that agent. */
export const jobName = (
  job: Pick<JobResult, 'job_id' | 'agent'>,
  among: readonly Pick<JobResult, 'agent'>[],
): string =>
  among.filter(({ agent }) => agent === job.agent).length > 1
    ? `job ${job.job_id.slice(job.job_id.lastIndexOf('-') + 1)} (${job.agent})`
    : job.agent;

const stateOf = (job: JobResult): string => {
  switch (job.status) {
    case 'pending':
      return 'has not begun';
    case 'running':
      return job.turns > 0 ? `is running, turn ${job.turns}` : 'is running';
    case 'awaiting_approval':
      return job.waiting?.kind === 'budget'
        ? `waits for more budget: ${shown(job.waiting.summary)}`
        : `waits for your approval${job.waiting ? `: ${shown(job.waiting.summary)}` : ''}`;
    case 'succeeded':
      return 'succeeded';
    case 'failed':
      return `failed${job.error ? `: ${shown(job.error.message)}` : ''}`;
    case 'cancelled':
      return job.error?.type === 'DependencyNotMet' ? `did not begin: ${shown(job.error.message)}` : 'was cancelled';
  }
};

const dollars = (usd: number): string =>
  usd === 0 ? 'no cost' : usd < 0.01 ? 'less than a cent' : `${usd.toFixed(2)} dollars`;

const isOver = (job: JobResult): boolean => job.completed_at !== null;

/** What the jobs cost, in words and without a full stop: what is known, whose price is not, what was rehearsed. */
const costOf = (jobs: readonly JobResult[], among: readonly JobResult[]): { sum: string; aside: string } => {
  const unknown = jobs.filter(({ cost_usd }) => cost_usd === null);
  const usd = jobs.reduce((total, { cost_usd }) => total + (cost_usd ?? 0), 0);
  const uncertain = usd > 0 && jobs.some(({ cost_source }) => cost_source === 'uncertain');
  const names = unknown.map((job) => jobName(job, among)).join(' and ');
  const sums = [
    ...(unknown.length < jobs.length ? [(uncertain ? 'about ' : '') + dollars(usd)] : []),
    ...(unknown.length > 0 ? [`an unknown price for ${names}`] : []),
  ];
  const rehearsed = jobs.filter(({ rehearsal }) => rehearsal).length;
  const aside = rehearsed === 0 ? '' : `; ${rehearsed === jobs.length ? 'it' : 'a part of it'} is a rehearsal`;
  return { sum: sums.join(' and ') + (jobs.every(isOver) ? '' : ' so far'), aside };
};

/** "Two jobs: coding is running, turn 3; browser succeeded. 0.12 dollars so far." */
export const statusSentence = (jobs: readonly JobResult[], among: readonly JobResult[]): string => {
  const states = jobs.map((job) => `${jobName(job, among)} ${stateOf(job)}`).join('; ');
  const { sum, aside } = costOf(jobs, among);
  return `${sentence(jobs.length > 1 ? `${counted(jobs.length, 'job')}: ${states}` : states)}. ${sentence(sum)}${aside}.`;
};

/** "0.12 dollars so far: coding 0.10 dollars, browser 0.02 dollars." */
export const costSentence = (jobs: readonly JobResult[], among: readonly JobResult[]): string => {
  const { sum, aside } = costOf(jobs, among);
  const parts = jobs
    .filter(({ cost_usd }) => cost_usd !== null && cost_usd > 0)
    .map((job) => `${jobName(job, among)} ${dollars(job.cost_usd ?? 0)}`);
  return `${sentence(sum)}${parts.length > 1 ? `: ${parts.join(', ')}` : ''}${aside}.`;
};
