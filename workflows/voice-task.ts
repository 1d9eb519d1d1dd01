import {
  CancellationScope,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { defineSearchAttributeKey, rootCause, SearchAttributeType } from '@temporalio/common';
import { agentJobId, QUERIES, SIGNALS, WORKFLOWS } from '../contracts/names.ts';
import type { JobResult } from '../contracts/task.ts';
import type {
  CancelRequest,
  JobInput,
  JobOutput,
  JobSpec,
  Predecessor,
  TaskInput,
  TaskOutput,
} from '../contracts/workflows.ts';
import { combine, isTerminal, outcomeOf, pendingResult, slim, unmetCondition } from './fan-in.ts';
import { CHILD, recordTrace } from './policies.ts';
import { cut, money } from './text.ts';

const statusQuery = defineQuery<TaskOutput>(QUERIES.status);
const cancelSignal = defineSignal<[CancelRequest]>(SIGNALS.cancelJob);

export const ATTRIBUTES = {
  traceId: defineSearchAttributeKey('TraceId', SearchAttributeType.KEYWORD),
  sessionId: defineSearchAttributeKey('SessionId', SearchAttributeType.KEYWORD),
  agent: defineSearchAttributeKey('Agent', SearchAttributeType.KEYWORD),
  outcome: defineSearchAttributeKey('Outcome', SearchAttributeType.KEYWORD),
  costUsd: defineSearchAttributeKey('CostUsd', SearchAttributeType.DOUBLE),
};

type AgentJob = (input: JobInput) => Promise<JobOutput>;

interface Branch {
  spec: JobSpec;
  scope: CancellationScope;
  child: ChildWorkflowHandle<AgentJob> | null;
  output: JobOutput | null;
  cancelReason: string | null;
}

/**
 * One sentence: starts a child for each job as soon as what it waits for is over, keeps every answer, and closes as
 * Completed with its outcome, also when jobs failed or a person cancelled through the gateway. Cancelled in Temporal
 * itself, it closes as Cancelled, after its children.
 */
export async function voiceTask(input: TaskInput): Promise<TaskOutput> {
  const startedAt = new Date().toISOString();
  const branches = new Map<string, Branch>();
  const results = new Map<string, JobResult>();
  for (const spec of input.jobs) {
    branches.set(spec.job_id, { spec, scope: new CancellationScope(), child: null, output: null, cancelReason: null });
    results.set(spec.job_id, pendingResult(spec));
  }
  let cancelledByPerson = false;

  const snapshot = (): { trace_id: string; utterance: string; started_at: string; jobs: JobResult[] } => ({
    trace_id: input.trace_id,
    utterance: input.utterance,
    started_at: startedAt,
    jobs: [...results.values()],
  });
  // Before the handlers: a signal that came with the start is handled as soon as its handler is set.
  const resultOf = (branch: Branch): JobResult => results.get(branch.spec.job_id) ?? pendingResult(branch.spec);
  const settle = (branch: Branch, change: Partial<JobResult>): void => {
    results.set(branch.spec.job_id, slim({ ...resultOf(branch), completed_at: new Date().toISOString(), ...change }));
    setCurrentDetails(describe([...results.values()]));
  };

  setHandler(statusQuery, () => combine(snapshot(), null, null));
  setHandler(cancelSignal, (request) => {
    for (const branch of branches.values()) {
      if (request.job_id !== null && request.job_id !== branch.spec.job_id) continue;
      if (isTerminal(resultOf(branch))) continue;
      cancelledByPerson = true;
      branch.cancelReason = cut(request.reason, 300);
      // A child that has started hears the reason itself; its end, not ours, says when everything is closed.
      if (branch.child) branch.child.signal(cancelSignal, request).catch(ignoreGone);
      else branch.scope.cancel();
    }
  });

  const run = async (branch: Branch): Promise<void> => {
    const { spec } = branch;
    try {
      await branch.scope.run(async () => {
        if (spec.depends_on.length > 0)
          await condition(() =>
            spec.depends_on.every(({ job_id }) => isTerminal(results.get(job_id) ?? pendingResult(spec))),
          );
        const unmet = unmetCondition(spec, results);
        if (unmet !== null) {
          settle(branch, { status: 'cancelled', error: { type: 'DependencyNotMet', message: unmet } });
          await record(branch);
          return;
        }
        const predecessors = spec.depends_on.map(({ job_id }) =>
          predecessorOf(
            spec.depends_on.length > 3 ? 1 : 3,
            job_id,
            branches.get(job_id)?.output?.result ?? results.get(job_id),
            branches.get(job_id)?.output?.commit,
          ),
        );
        branch.child = await startChild<AgentJob>(WORKFLOWS.agentJob, childOptions(input, spec, predecessors));
        results.set(spec.job_id, { ...resultOf(branch), status: 'running', started_at: new Date().toISOString() });
        if (branch.cancelReason !== null)
          branch.child.signal(cancelSignal, { job_id: null, reason: branch.cancelReason }).catch(ignoreGone);
        branch.output = await branch.child.result();
        settle(branch, branch.output.result);
      });
    } catch (error) {
      // A job whose workflow ended well never comes here: it was stopped before its start, or terminated in Temporal.
      settle(
        branch,
        isCancellation(error)
          ? {
              status: 'cancelled',
              error: { type: 'Cancelled', message: branch.cancelReason ?? 'cancelled in Temporal' },
            }
          : {
              status: 'failed',
              error: {
                type: 'Internal',
                message: cut(`its workflow ended early: ${rootCause(error) ?? String(error)}`, 500),
              },
            },
      );
      await record(branch);
    }
  };

  /** Terminal event of a job that has no workflow of its own to write it. */
  const record = (branch: Branch): Promise<void> => {
    const result = resultOf(branch);
    const phase = result.status === 'failed' ? 'failed' : 'cancelled';
    return trace([
      {
        trace_id: input.trace_id,
        job_id: result.job_id,
        phase,
        agent: result.agent,
        skill: result.skill,
        error_type: result.error?.type ?? null,
        payload: { message: result.error?.message },
      },
    ]);
  };
  const trace = (events: Parameters<typeof recordTrace>[0]['events']): Promise<void> =>
    CancellationScope.nonCancellable(() =>
      recordTrace({
        events: events.map((event) => ({
          ...event,
          workflow_id: workflowInfo().workflowId,
          run_id: workflowInfo().runId,
        })),
      }),
    ).catch(ignoreTrace);

  await Promise.allSettled([...branches.values()].map(run));

  const outcome = outcomeOf(
    [...results.values()],
    cancelledByPerson || CancellationScope.current().consideredCancelled,
  );
  // Never before a job's own end, whatever this workflow's clock says (see WorkflowEvent).
  const completedAt = [new Date().toISOString(), ...[...results.values()].map((job) => job.completed_at ?? '')]
    .sort()
    .at(-1) as string;
  const answer = combine(snapshot(), outcome, completedAt);
  setCurrentDetails(describe(answer.jobs));
  await trace([
    {
      trace_id: input.trace_id,
      phase: outcome === 'succeeded' || outcome === 'partially_succeeded' ? 'completed' : outcome,
      input_tokens: answer.input_tokens,
      output_tokens: answer.output_tokens,
      cost_usd: answer.cost_usd,
      cost_source:
        answer.jobs.map((job) => job.cost_source).sort((a, b) => WORST_FIRST.indexOf(a) - WORST_FIRST.indexOf(b))[0] ??
        null,
      since: startedAt,
      payload: {
        outcome,
        jobs: answer.jobs.map((job) => ({ job_id: job.job_id, status: job.status })),
        rehearsal: answer.jobs.some((job) => job.rehearsal),
      },
    },
  ]);
  // Last, so that a task without it is one whose terminal event may be missing (the gateway looks for those).
  upsertSearchAttributes([
    { key: ATTRIBUTES.outcome, value: outcome },
    { key: ATTRIBUTES.costUsd, value: answer.cost_usd },
  ]);
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled in Temporal');
  return answer;
}

const WORST_FIRST: readonly string[] = ['unknown', 'uncertain', 'priced', 'rehearsal'];

/** The child was over before the signal reached it: its result is on the way. */
const ignoreGone = (): void => undefined;
/** A trace that cannot be written never breaks a job; the worker has counted and logged it. */
const ignoreTrace = (): void => undefined;

const predecessorOf = (
  artifacts: number,
  jobId: string,
  result: JobResult | undefined,
  commit: string | null | undefined,
): Predecessor => ({
  job_id: jobId,
  agent: result?.agent ?? '',
  status: result?.status ?? 'failed',
  summary: cut(result?.summary ?? '', 600),
  commit: commit ?? null,
  artifacts: result?.artifacts.slice(0, artifacts) ?? [],
});

const childOptions = (input: TaskInput, spec: JobSpec, predecessors: Predecessor[]) => ({
  ...CHILD,
  workflowId: agentJobId(spec.job_id),
  args: [
    { spec, utterance: input.utterance, approval_timeout_ms: input.approval_timeout_ms, predecessors, state: null },
  ] satisfies [JobInput],
  typedSearchAttributes: [
    { key: ATTRIBUTES.traceId, value: spec.trace_id },
    { key: ATTRIBUTES.agent, value: spec.agent },
    ...(input.session_id ? [{ key: ATTRIBUTES.sessionId, value: input.session_id }] : []),
  ],
  staticSummary: cut(`${spec.agent}: ${spec.instruction}`, 200),
  staticDetails: `skill **${spec.skill}** · agent **${spec.agent}** · budget ${money(spec.budget_usd)}\n\n> ${cut(input.utterance, 300)}`,
});

/** Phase, waiting and cost of every job, for the Web UI's current details. */
const describe = (jobs: readonly JobResult[]): string =>
  jobs
    .map((job) => `- **${job.agent}** ${job.status}, ${money(job.cost_usd)}${job.rehearsal ? ' (rehearsal)' : ''}`)
    .join('\n');
