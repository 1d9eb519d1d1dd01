import type { Waiting } from '../contracts/task.ts';
import type { JobRun } from './job-run.ts';
import { enter, trace } from './job-run.ts';
import type { Answer } from './questions.ts';

/** What one answer's trace event says besides what was asked. */
const detailsOf = ({ kind, tool }: Pick<Waiting, 'kind' | 'tool'>, answer: Answer): Record<string, unknown> => {
  if (kind === 'approval') return { tool, note: 'note' in answer ? answer.note : '' };
  return answer.kind === 'budget' ? { add_usd: answer.addUsd } : {};
};

/** Asks a person one thing and waits; both the question and the answer are traced. Silence is an answer as well. */
export const askPerson = async (
  run: JobRun,
  about: Pick<Waiting, 'kind' | 'tool' | 'summary'>,
  phase: string,
): Promise<Answer> => {
  run.state.approvals_asked += 1;
  const number = run.state.approvals_asked;
  const key = `${about.kind}-${number}`;
  const approval_id = `${run.identity.job_id}.${number}`;
  const answer = await run.questions.ask({ ...about, approval_id }, run.input.approval_timeout_ms, async (waiting) => {
    enter(run, phase);
    await trace(run, 'approval_requested', { key, payload: { ...waiting, risk: run.input.spec.risk } });
  });
  const yes = answer.kind === 'approve' || answer.kind === 'budget';
  await trace(run, yes ? 'approved' : 'rejected', {
    key,
    payload: { kind: about.kind, approval_id, answer: answer.kind, ...detailsOf(about, answer) },
  });
  return answer;
};
