import type { ToolCallBrief } from '../contracts/activities.ts';
import { askPerson } from './ask-person.ts';
import type { JobRun } from './job-run.ts';
import { JobFailed } from './job-run.ts';
import { cut } from './text.ts';

/** What people said about the calls of one batch travels in one payload. */
const NOTES_OF_A_BATCH_BYTES = 4_000;

/** Asks a person for a yes to one thing; silence is a no. */
const ask = async (run: JobRun, tool: string | null, summary: string): Promise<{ approved: boolean; note: string }> => {
  const answer = await askPerson(run, { kind: 'approval', tool, summary }, 'waiting for approval');
  return { approved: answer.kind === 'approve', note: 'note' in answer ? answer.note : '' };
};

/** Whether the skill's policy asks a person before the first turn, and nobody has said yes yet. */
export const needsStartApproval = ({ input, state }: JobRun): boolean =>
  input.spec.approve_start && !state.start_approved;

/** @throws JobFailed ApprovalRejected on a no or silence. */
export const approveStart = async (run: JobRun): Promise<void> => {
  const { spec } = run.input;
  const verdict = await ask(run, null, `start ${spec.skill} (${spec.risk}): ${spec.instruction}`);
  if (!verdict.approved)
    throw new JobFailed('ApprovalRejected', `not approved${verdict.note ? `: ${verdict.note}` : ''}`);
  run.state.start_approved = true;
};

/** Which of the calls wait for a person: their tool's policy or their provider asks for it. */
export const callsToApprove = ({ input }: JobRun, calls: readonly ToolCallBrief[]): ToolCallBrief[] =>
  calls.filter((call) => input.spec.approve_tools.includes(call.name) || call.confirm !== null);

/** Asks about each of the calls. A no is told to the model, which goes on without that call. */
export const approveCalls = async (
  run: JobRun,
  calls: readonly ToolCallBrief[],
): Promise<{ denied: { id: string; note: string }[]; confirmed: string[] }> => {
  const denied: { id: string; note: string }[] = [];
  const confirmed: string[] = [];
  for (const call of calls) {
    const verdict = await ask(
      run,
      call.name,
      call.confirm === null ? call.summary : `${call.summary}: ${call.confirm}`,
    );
    if (verdict.approved) confirmed.push(call.id);
    else denied.push({ id: call.id, note: cut(verdict.note, NOTES_OF_A_BATCH_BYTES / calls.length) });
  }
  return { denied, confirmed };
};
