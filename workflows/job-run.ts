import { CancellationScope, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { JobIdentity, RecordTraceInput } from '../contracts/activities.ts';
import type { FailureType, Phase } from '../contracts/names.ts';
import type { JobResult } from '../contracts/task.ts';
import type { BudgetAddition, JobInput, JobState, JobStatusAnswer, Note } from '../contracts/workflows.ts';
import { MAX_NOTES, NOTES_PER_TURN_BYTES, recordTrace } from './policies.ts';
import type { Questions } from './questions.ts';
import { byteLength, cut, money } from './text.ts';

/** A job's own verdict on itself; everything else that ends a job is an activity's failure or a cancellation. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
  readonly type: FailureType;
  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}

/** One run of `agentJob`: its input, what it carries on, and what it is doing now. */
export interface JobRun {
  readonly input: JobInput;
  readonly identity: JobIdentity;
  readonly state: JobState;
  readonly questions: Questions;
  phase: string;
  cancelReason: string | null;
}

export const initialState = (input: JobInput): JobState => {
  const { limits, budget_usd } = input.spec;
  return {
    started_at: new Date().toISOString(),
    head: null,
    checkpoint: null,
    session: null,
    sessions_opened: 0,
    sessions_lost: 0,
    totals: { turns: 0, input_tokens: 0, output_tokens: 0, cost_usd: 0, cost_source: 'priced', rehearsal: false },
    allowance: {
      usd: Math.min(budget_usd, limits.max_cost_usd),
      turns: limits.max_turns,
      deadline_ms: Date.now() + limits.timeout_ms,
    },
    notes: [],
    start_approved: false,
    budget_keys: [],
    model: input.spec.model,
    verification: null,
    verify_rounds_used: 0,
    unusable_in_a_row: 0,
    approvals_asked: 0,
    last_text: '',
    report: null,
  };
};

/** Additions to a budget that are remembered by their key. */
const MAX_BUDGET_KEYS = 50;

/** Raises the job's money, once for each key; answers what may now be spent, in USD. */
export const addMoney = ({ allowance, budget_keys }: JobState, { add_usd, key }: BudgetAddition): number => {
  if (budget_keys.includes(key)) return allowance.usd;
  budget_keys.push(key);
  if (budget_keys.length > MAX_BUDGET_KEYS) budget_keys.shift();
  return (allowance.usd += add_usd);
};

/** Keeps the newest; a person who steers faster than the model turns loses the oldest of many. */
export const addNote = (state: JobState, note: Note): void => {
  state.notes.push({ kind: note.kind, text: cut(note.text, 4_000) });
  while (
    state.notes.length > MAX_NOTES ||
    state.notes.reduce((sum, { text }) => sum + byteLength(text), 0) > NOTES_PER_TURN_BYTES
  ) {
    if (state.notes.length === 1) break;
    state.notes.shift();
  }
};

/** The notes for the next turn; they are the model's from now on. */
export const takeNotes = (state: JobState): Note[] => state.notes.splice(0);

/** What people see of the job at this moment. */
export const resultNow = (run: JobRun, change: Partial<JobResult> = {}): JobResult => {
  const { spec } = run.input;
  const { state } = run;
  return {
    job_id: spec.job_id,
    trace_id: spec.trace_id,
    agent: spec.agent,
    skill: spec.skill,
    status: run.questions.waiting ? 'awaiting_approval' : 'running',
    instruction: spec.instruction,
    summary: state.last_text,
    error: null,
    waiting: run.questions.waiting,
    branch: null,
    artifacts: state.report ? [state.report] : [],
    verification: state.verification,
    turns: state.totals.turns,
    input_tokens: state.totals.input_tokens,
    output_tokens: state.totals.output_tokens,
    cost_usd: state.totals.cost_usd,
    cost_source: state.totals.cost_source,
    rehearsal: state.totals.rehearsal,
    started_at: state.started_at,
    completed_at: null,
    ...change,
  };
};

export const statusNow = (run: JobRun): JobStatusAnswer => ({
  result: resultNow(run),
  phase: run.phase,
  turn: run.state.totals.turns,
  waiting: run.questions.waiting,
  asked_at: run.questions.waiting && run.questions.askedAt,
  risk: run.input.spec.risk,
});

/** Says what the job does now, for the `status` query and the Web UI's current details. */
export const enter = (run: JobRun, phase: string): void => {
  run.phase = phase;
  const { totals } = run.state;
  const waiting = run.questions.waiting;
  setCurrentDetails(
    [
      `**${phase}**`,
      `turns ${totals.turns}, cost so far ${money(totals.cost_usd)}${totals.rehearsal ? ' (rehearsal)' : ''}`,
      ...(waiting
        ? [`waits for a person until ${waiting.expires_at}: ${waiting.summary} (\`${waiting.approval_id}\`)`]
        : []),
    ].join('\n\n'),
  );
};

type About = Omit<RecordTraceInput['events'][number], 'trace_id' | 'job_id' | 'phase'>;

/** Writes one event of this job, unless the scope is being cancelled; a trace that cannot be written breaks nothing. */
export const writeEvent = (run: JobRun, phase: Phase, about: About): Promise<void> => {
  const { trace_id, job_id, agent, skill } = run.identity;
  const { workflowId, runId } = workflowInfo();
  return recordTrace({
    events: [
      {
        trace_id,
        job_id,
        phase,
        agent,
        skill,
        workflow_id: workflowId,
        run_id: runId,
        ...about,
        payload: { ...about.payload, rehearsal: run.state.totals.rehearsal },
      },
    ],
  }).catch(() => undefined);
};

/** The same, also while the job is being cancelled. */
export const trace = (run: JobRun, phase: Phase, about: About): Promise<void> =>
  CancellationScope.nonCancellable(() => writeEvent(run, phase, about));
