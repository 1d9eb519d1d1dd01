import type { ExitCode } from './exit.ts';
import { EXIT } from './exit.ts';
import type { JobResult, TaskResult } from '../contracts/task.ts';
import { durationOf, moneyOf, printable, testRunOf, thousands } from './words.ts';

/** Outcome of a task as an exit code; one that still runs is no failure. */
export const exitCodeOf = (status: TaskResult['status']): ExitCode => {
  switch (status) {
    case 'succeeded':
    case 'pending':
    case 'running':
    case 'awaiting_approval':
    case 'control':
      return EXIT.succeeded;
    case 'declined':
    case 'clarify':
      return EXIT.unanswered;
    case 'failed':
    case 'cancelled':
    case 'partially_succeeded':
      return EXIT.failed;
  }
};

const indented = (text: string, indent: string): string =>
  printable(text)
    .trim()
    .split('\n')
    .map((line) => (line ? indent + line : ''))
    .join('\n');

const jobLines = (job: JobResult): string[] => {
  const lines = [`${job.job_id}  ${job.agent} (${job.skill}): ${job.status}${job.rehearsal ? ', rehearsal' : ''}`];
  lines.push(indented(job.instruction, '  asked   '));
  if (job.error) lines.push(indented(`${job.error.type}: ${job.error.message}`, '  error   '));
  if (job.waiting) {
    const how =
      job.waiting.kind === 'budget' ? `dual budget ${job.job_id} USD` : `dual approve ${job.job_id}   (or --reject)`;
    lines.push(indented(`${job.waiting.summary}; until ${job.waiting.expires_at}`, '  waits   '), `          ${how}`);
  }
  if (job.summary.trim()) lines.push(indented(job.summary, '  '));
  const { verification } = job;
  if (verification?.command && (verification.before ?? verification.after))
    lines.push(
      `  tests   ${printable(verification.command)}: before ${testRunOf(verification.before)}; after ${testRunOf(verification.after)}`,
    );
  if (job.branch) lines.push(`  branch  ${job.branch}`);
  for (const { name, sha256, bytes } of job.artifacts)
    lines.push(`  file    ${printable(name)} (${thousands(bytes)} bytes)  /artifacts/${sha256}`);
  if (job.turns > 0)
    lines.push(
      `  bought  ${job.turns} turns, ${thousands(job.input_tokens)} tokens in, ${thousands(job.output_tokens)} out, ${moneyOf(job.cost_usd, job.rehearsal)}`,
    );
  return lines;
};

/** A task, for a person. */
export const reportOf = (task: TaskResult): string => {
  const took =
    task.started_at && task.completed_at
      ? ` in ${durationOf(Date.parse(task.completed_at) - Date.parse(task.started_at))}`
      : '';
  const rehearsal = task.jobs.some((job) => job.rehearsal);
  return [
    `${task.status}${took}: ${printable(task.utterance)}`,
    // With jobs, the summary is theirs, cut short.
    ...(task.summary.trim() && task.jobs.length === 0 ? [indented(task.summary, '  ')] : []),
    ...task.jobs.flatMap((job) => ['', ...jobLines(job)]),
    ...(task.jobs.length > 1
      ? [
          '',
          `all     ${thousands(task.input_tokens)} tokens in, ${thousands(task.output_tokens)} out, ${moneyOf(task.cost_usd, rehearsal)}`,
        ]
      : []),
    `trace   ${task.trace_id}`,
  ].join('\n');
};
