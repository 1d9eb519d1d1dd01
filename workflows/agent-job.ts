import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ModelTurnOutput } from '../contracts/activities.ts';
import { QUERIES, SIGNALS } from '../contracts/names.ts';
import type { CancelRequest, JobInput, JobOutput, JobStatusAnswer, Predecessor } from '../contracts/workflows.ts';
import { approveCalls, approveStart, callsToApprove, needsStartApproval } from './approvals.ts';
import { exhausted, waitForBudget } from './budget.ts';
import { endingOf, finish } from './ending.ts';
import type { Ending } from './ending.ts';
import type { JobRun } from './job-run.ts';
import { addMoney, addNote, enter, initialState, JobFailed, statusNow, takeNotes } from './job-run.ts';
import { HISTORY_EVENTS_PER_RUN, MAX_UNUSABLE_ANSWERS, modelTurn, runTools, verifyJob } from './policies.ts';
import { createQuestions } from './questions.ts';
import { onOwner } from './session.ts';
import { cut } from './text.ts';

const statusQuery = defineQuery<JobStatusAnswer>(QUERIES.status);
const cancelSignal = defineSignal<[CancelRequest]>(SIGNALS.cancelJob);
const steerSignal = defineSignal<[{ text: string }]>(SIGNALS.steer);

/**
 * One job, whatever its agent: model turns and tool batches until the model reports, then verification, then the
 * session is closed, also on failure and cancellation. Always ends with a result; never throws for a failed job.
 */
export async function agentJob(input: JobInput): Promise<JobOutput> {
  const state = input.state ?? initialState(input);
  const { trace_id, job_id, agent, skill, plan } = input.spec;
  const run: JobRun = {
    input,
    identity: { trace_id, job_id, agent, skill, plan },
    state,
    phase: 'starting',
    cancelReason: null,
    questions: createQuestions(job_id, (addition) => addMoney(state, addition)),
  };
  const scope = new CancellationScope();
  setHandler(statusQuery, () => statusNow(run));
  setHandler(steerSignal, ({ text }) => addNote(state, { kind: 'steer', text }));
  setHandler(cancelSignal, ({ reason }) => {
    run.cancelReason ??= cut(reason, 300);
    scope.cancel();
  });

  let ending: Ending | 'continue';
  try {
    ending = await scope.run(() => work(run));
  } catch (error) {
    ending = endingOf(run, error);
  }
  // A cancellation that came with the last step of this run must not be left behind in it.
  if (ending === 'continue' && scope.consideredCancelled) ending = endingOf(run, new CancelledFailure('cancelled'));
  if (ending === 'continue')
    return continueAsNew<typeof agentJob>({ ...input, predecessors: input.predecessors.map(heard), state });
  const final = ending;
  return CancellationScope.nonCancellable(() => finish(run, final));
}

/** What is still needed of a predecessor once the model has been told of it: where its work is. */
const heard = (job: Predecessor): Predecessor => ({ ...job, summary: '', artifacts: [] });

/**
 * The loop. 'continue': this run's history is long enough, carry on in a new one.
 * What most turns need not wait for is not awaited: each await costs a workflow 0.1 ms (the SDK notes a stack for it).
 */
const work = async (run: JobRun): Promise<Ending | 'continue'> => {
  if (needsStartApproval(run)) await approveStart(run);
  for (;;) {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    if (historyLength >= HISTORY_EVENTS_PER_RUN || continueAsNewSuggested) {
      await condition(allHandlersFinished);
      return 'continue';
    }
    if (exhausted(run) !== null) await waitForBudget(run);
    const reply = await takeTurn(run);
    switch (reply.stop) {
      case 'tools':
        await runBatch(run, reply);
        break;
      case 'end':
        if (!mayVerify(run) || (await isVerified(run))) return { status: 'succeeded' };
        break;
      case 'refused':
        throw new JobFailed('ProviderRefused', `the model refused: ${cut(reply.text, 300)}`);
      case 'cut_off':
      case 'malformed':
        askAgain(run, reply.stop);
        break;
    }
  }
};

const takeTurn = async (run: JobRun): Promise<ModelTurnOutput> => {
  const { state, input } = run;
  const turn = state.totals.turns + 1;
  enter(run, `model turn ${turn}`);
  const reply = await modelTurn(`turn ${turn}: ${state.model}${state.totals.rehearsal ? ' (rehearsal)' : ''}`, {
    ...run.identity,
    turn,
    head: state.head,
    notes: takeNotes(state),
    predecessors: state.head === null ? input.predecessors : [],
    allow_unpriced: input.spec.allow_unpriced,
  });
  const { totals } = state;
  totals.turns = turn;
  totals.input_tokens += reply.input_tokens;
  totals.output_tokens += reply.output_tokens;
  totals.cost_usd = totals.cost_usd === null || reply.cost_usd === null ? null : totals.cost_usd + reply.cost_usd;
  totals.cost_source = worseSource(turn === 1 ? reply.cost_source : totals.cost_source, reply.cost_source);
  totals.rehearsal ||= reply.rehearsal;
  state.model = reply.model;
  state.head = reply.head;
  state.last_text = reply.text || state.last_text;
  state.report = reply.report ?? state.report;
  if (reply.stop === 'tools' || reply.stop === 'end') state.unusable_in_a_row = 0;
  return reply;
};

const SOURCES = ['rehearsal', 'priced', 'uncertain', 'unknown'] as const;
/** A sum is known no better than the worst known of its parts. */
const worseSource = (a: (typeof SOURCES)[number], b: (typeof SOURCES)[number]): (typeof SOURCES)[number] =>
  SOURCES[Math.max(SOURCES.indexOf(a), SOURCES.indexOf(b))] ?? 'unknown';

const runBatch = async (run: JobRun, reply: ModelTurnOutput): Promise<void> => {
  const { state } = run;
  const calls = reply.tool_calls;
  const asking = callsToApprove(run, calls);
  const { denied, confirmed } = asking.length > 0 ? await approveCalls(run, asking) : { denied: [], confirmed: [] };
  const summary = cut(calls.map((call) => call.summary).join(' · ') || 'no tools', 200);
  const done = await onOwner(run, (session) => {
    enter(run, summary);
    return runTools(summary, {
      ...run.identity,
      session,
      turn: state.totals.turns,
      head: reply.head,
      checkpoint: state.checkpoint,
      calls,
      denied,
      confirmed,
      rehearsal: state.totals.rehearsal,
    });
  });
  state.head = done.head;
  state.checkpoint = done.checkpoint;
};

/** Its agent is to be verified, and there is something to verify. */
const mayVerify = ({ state, input }: JobRun): boolean => input.spec.verify_rounds !== null && state.checkpoint !== null;

/** True when the work may stand: verified, or no worse than before. */
const isVerified = async (run: JobRun): Promise<boolean> => {
  const { state, input } = run;
  const rounds = input.spec.verify_rounds ?? 0;
  const round = state.verify_rounds_used + 1;
  const { verification, note } = await onOwner(run, (session) => {
    enter(run, 'verifying');
    return verifyJob(`verify, round ${round}`, {
      ...run.identity,
      session,
      round,
      checkpoint: state.checkpoint,
      rehearsal: state.totals.rehearsal,
    });
  });
  state.verification = { ...verification, rounds: round };
  if (verification.status !== 'failed') return true;
  if (state.verify_rounds_used >= rounds)
    throw new JobFailed('VerificationFailed', cut(`its tests fail after ${round} rounds: ${note}`, 800));
  state.verify_rounds_used += 1;
  addNote(state, { kind: 'verification_failed', text: note });
  return false;
};

const askAgain = (run: JobRun, stop: 'cut_off' | 'malformed'): void => {
  run.state.unusable_in_a_row += 1;
  if (run.state.unusable_in_a_row >= MAX_UNUSABLE_ANSWERS)
    throw new JobFailed('ProviderRefused', `${MAX_UNUSABLE_ANSWERS} answers in a row could not be used (${stop})`);
  addNote(run.state, {
    kind: stop,
    text:
      stop === 'cut_off'
        ? 'Your last answer was cut off at the token limit. Go on in smaller steps.'
        : 'Your last tool call could not be read. Call one tool, with valid arguments.',
  });
};
