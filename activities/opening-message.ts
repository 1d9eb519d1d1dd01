import type { JobPlan } from '../contracts/agent.ts';
import type { Note, Predecessor } from '../contracts/workflows.ts';

/** The sections of the messages we write; nothing a person or a page says may look like one of them. */
const TAGS = ['instruction', 'request', 'parameters', 'targets', 'context', 'earlier_jobs', 'job', 'report', 'note'];
const FORGED = new RegExp(`<(\\s*/?\\s*(?:${TAGS.join('|')})(?![\\w-]))`, 'gi');

/** Foreign text, unable to open or close a section; every other `<` stays, since code and markup are full of them. */
const tame = (text: string): string => text.replace(FORGED, '&lt;$1');

const section = (tag: string, body: string): string | null =>
  body.trim() === '' ? null : `<${tag}>\n${tame(body.trim())}\n</${tag}>`;

/** What an earlier job left, with its whole report where it is at hand. */
const earlierJob = (job: Predecessor, report: string | undefined): string => {
  const lines = [`<job id="${job.job_id}" agent="${job.agent}" status="${job.status}">`, tame(job.summary.trim())];
  if (job.commit) lines.push(`commit: ${job.commit}`);
  for (const { name, sha256 } of job.artifacts) lines.push(`artifact: ${tame(name)} (${sha256})`);
  if (report?.trim()) lines.push(`<report>\n${tame(report.trim())}\n</report>`);
  return [...lines.filter(Boolean), '</job>'].join('\n');
};

/**
 * The first user message of a job, in tagged sections: `<instruction>` is the clause this job is about, `<request>` the
 * whole utterance, `<parameters>` JSON, `<targets>` lines `- name: url`, `<context>` material the agent asked for,
 * `<earlier_jobs>` what it depends on. Empty ones are left out. `reports`: texts of earlier jobs by job id.
 */
export const openingMessage = (
  plan: JobPlan,
  predecessors: readonly Predecessor[],
  reports: ReadonlyMap<string, string> = new Map(),
): string => {
  const earlier = predecessors.map((job) => earlierJob(job, reports.get(job.job_id)));
  return [
    section('instruction', plan.instruction),
    section('request', plan.utterance),
    section('parameters', Object.keys(plan.parameters).length === 0 ? '' : JSON.stringify(plan.parameters, null, 1)),
    section('targets', plan.targets.map(({ name, url }) => `- ${name}: ${url}`).join('\n')),
    section('context', plan.context),
    earlier.length === 0 ? null : `<earlier_jobs>\n${earlier.join('\n')}\n</earlier_jobs>`,
  ]
    .filter((each) => each !== null)
    .join('\n\n');
};

/** A message in the middle of a job; `steer` is the person's own words, the other kinds are the orchestrator's. */
export const noteMessage = (note: Note): string => `<note kind="${note.kind}">\n${tame(note.text.trim())}\n</note>`;
