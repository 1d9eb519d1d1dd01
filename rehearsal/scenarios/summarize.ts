import { keySentences, readEarlierJobs, readTasks } from '../condense.ts';
import type { ToldJob, ToldTask } from '../condense.ts';
import type { Job, Scenario } from '../program.ts';

/** Characters shown of one report. */
const REPORT_CHARS = 220;
/** Tasks named one by one; the counts cover all. */
const MAX_NAMED = 5;

const counted = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)]
    .map(([word, same]) => `${same.length} ${word.replaceAll('_', ' ')}`)
    .join(', ');

const short = (report: string): string => {
  const line = keySentences(report.replace(/^\(rehearsal\)\s*/, ''), 2)
    .join(' ')
    .replace(/\s+/g, ' ');
  return line.length > REPORT_CHARS ? `${line.slice(0, REPORT_CHARS - 1)}…` : line;
};

const spent = (jobs: readonly ToldJob[]): string => {
  const known = jobs.flatMap((job) => (job.costUsd === null ? [] : [job.costUsd]));
  const unknown = jobs.filter((job) => job.costUsd === null).length;
  const turns = jobs.reduce((sum, job) => sum + (job.turns ?? 0), 0);
  const rehearsed = jobs.filter((job) => job.rehearsal).length;
  const sum = known.reduce((total, usd) => total + usd, 0);
  return `Cost: $${sum.toFixed(4)} in ${turns} turns${unknown > 0 ? `, and ${unknown} jobs of unknown cost` : ''}${rehearsed > 0 ? ` (${rehearsed} of ${jobs.length} jobs were rehearsals, which cost nothing)` : ''}.`;
};

const ofTasks = (tasks: readonly ToldTask[]): string[] => {
  const jobs = tasks.flatMap((task) => task.jobs);
  const failed = jobs.filter((job) => job.status === 'failed' || job.status === 'cancelled');
  return [
    `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}: ${counted(tasks.map((task) => task.status))}; ${jobs.length} jobs: ${counted(jobs.map((job) => `${job.agent.split('/')[0]} ${job.status}`))}.`,
    ...tasks.slice(0, MAX_NAMED).map((task) => {
      const told = task.jobs
        .map((job) => short(job.report))
        .filter(Boolean)
        .join(' / ');
      return `- “${task.utterance}”: ${task.status.replaceAll('_', ' ')}${told ? `. ${told}` : ''}`;
    }),
    ...(tasks.length > MAX_NAMED ? [`- and ${tasks.length - MAX_NAMED} earlier ones`] : []),
    failed.length === 0 ? 'Nothing failed.' : 'Failed or cancelled:',
    ...failed.map((job) => `- ${job.agent} “${job.instruction}”: ${job.error ?? job.status}`),
    spent(jobs),
  ];
};

const ofEarlier = (jobs: readonly ToldJob[]): string[] => [
  `This task so far: ${counted(jobs.map((job) => `${job.agent} ${job.status}`))}.`,
  ...jobs.map((job) => `- ${job.agent} ${job.status}: ${short(job.report)}`),
];

/** True for an agent that was given nothing to work with but words. */
const hasNoHands = ({ conversation }: Job): boolean =>
  conversation.vocabulary === null && [...conversation.tools].every((tool) => tool === 'report');

/** Condenses what the message holds: outcomes, failures by name, cost; other material by its key sentences. */
export const summarize: Scenario = {
  name: 'summarize',
  fits: (job) =>
    hasNoHands(job) &&
    (job.opening.context !== '' ||
      job.opening.earlierJobs !== '' ||
      /\b(?:summar\w*|sum .*up|recap|overview|what (?:did|happened|has)|how did)\b/i.test(job.opening.instruction)),
  *run({ opening }) {
    const tasks = readTasks(opening.context);
    const earlier = readEarlierJobs(opening.earlierJobs);
    const lines = [...(earlier.length > 0 ? ofEarlier(earlier) : []), ...(tasks.length > 0 ? ofTasks(tasks) : [])];
    if (lines.length > 0) return lines.join('\n');
    const material = [opening.earlierJobs, opening.context].filter(Boolean).join('\n');
    if (material === '')
      return 'There is nothing to summarise: the message holds neither earlier results nor recent tasks.';
    const sentences = keySentences(material, 5);
    return [
      `The material (${material.length} characters) in ${sentences.length} sentences of its own:`,
      ...sentences.map((sentence) => `- ${sentence}`),
    ].join('\n');
  },
};
