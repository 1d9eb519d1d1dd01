import type { ModelTurnInput } from '../contracts/activities.ts';
import type { JobPlan } from '../contracts/agent.ts';
import type { Predecessor } from '../contracts/workflows.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { previewBytes } from '../platform/text.ts';
import type { Conversation } from './conversation.ts';
import type { Entry } from './models/model.ts';
import { noteMessage, openingMessage } from './opening-message.ts';

/** Bytes of a predecessor's report that a dependent job reads. */
const MAX_EARLIER_REPORT_BYTES = 6_000;

/** The name under which a job's report is kept, and found by the jobs that depend on it. */
export const reportName = (jobId: string): string => `${jobId}-report.md`;

export interface NewEntriesDependencies {
  artifacts: ArtifactStore;
  conversation: Conversation;
  log: Log;
}

/** The whole reports of earlier jobs, where they left one. One that cannot be had is left out: its summary is there. */
const reportsOf = async (
  deps: NewEntriesDependencies,
  predecessors: readonly Predecessor[],
): Promise<Map<string, string>> => {
  const reports = new Map<string, string>();
  for (const job of predecessors) {
    const report = job.artifacts.find(({ name }) => name === reportName(job.job_id));
    if (!report) continue;
    try {
      const text = (await deps.artifacts.get(report.sha256)).toString('utf8');
      reports.set(job.job_id, previewBytes(text, MAX_EARLIER_REPORT_BYTES));
    } catch (error) {
      deps.log.warn({ jobId: job.job_id, error: messageOf(error) }, 'report of an earlier job cannot be read');
    }
  }
  return reports;
};

/**
 * What is new to the model in this turn, as one user entry or none: the opening message when nothing was said before,
 * notes that arrived meanwhile, or a nudge where it would otherwise have to answer itself.
 */
export const newEntries = async (
  deps: NewEntriesDependencies,
  input: ModelTurnInput,
  plan: JobPlan,
  past: readonly Entry[],
): Promise<Entry[]> => {
  const texts = input.notes.map(noteMessage);
  if (past.length === 0)
    texts.unshift(openingMessage(plan, input.predecessors, await reportsOf(deps, input.predecessors)));
  if (texts.length === 0 && past.at(-1)?.role === 'assistant') texts.push('Go on.');
  if (texts.length === 0) return [];
  return deps.conversation.scrub([{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }]);
};
