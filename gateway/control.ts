import { SIGNALS, voiceTaskId } from '../contracts/names.ts';
import type { ControlReply, JobBrief } from '../contracts/replies.ts';
import type { CancelRequest } from '../contracts/workflows.ts';
import type { RouteResult } from '../skills/routing/router.ts';
import { createControlReports } from './control-reports.ts';
import type { JobCommands } from './job-commands.ts';
import type { Parked, ParkedTranscripts } from './parked.ts';
import { ProblemError } from './problems.ts';
import { createSpokenApprovals } from './spoken-approvals.ts';
import type { Speaker } from './spoken-approvals.ts';
import { counted } from './spoken-reports.ts';
import { createSteeredTasks, isPlace, jobAt, SEVERAL } from './steered-tasks.ts';
import type { Performed } from './steered-tasks.ts';
import type { TaskEngine } from './task-engine.ts';
import type { TaskStatus } from './task-status.ts';

export interface Control {
  /** Remembers what a session asked for last. */
  started(sessionId: string | null, traceId: string): void;
  /** Carries out a control word. @throws EngineUnavailable; ProblemError not-confirmed */
  perform(control: NonNullable<RouteResult['control']>, speaker: Speaker): Promise<ControlReply>;
}

export interface ControlDeps {
  engine: Pick<TaskEngine, 'list' | 'signal' | 'describe' | 'query'>;
  parked: Pick<ParkedTranscripts, 'of' | 'settle'>;
  status: Pick<TaskStatus, 'task'>;
  commands: Pick<JobCommands, 'approve' | 'cancelJob'>;
  /** Milliseconds since the epoch; default: the clock. */
  now?: () => number;
}

const REASON = 'a person said so';
const nothing = (message: string): Performed => ({ outcome: 'nothing', message });
const done = (message: string): Performed => ({ outcome: 'done', message });

/**
 * Whether a control word said while a question waits is rather its answer: a yes to "do you mean …?", and any one word
 * that stops nothing where a value is asked for ("status" may be the new name of something).
 */
export const answersQuestion = (control: RouteResult['control'], text: string, waiting: Parked): boolean => {
  if (control === null || control.action === 'cancel') return false;
  const open = waiting.route.clauses.find(({ ask }) => ask);
  return open?.missing.length ? !/\s/.test(text.trim()) : control.action === 'approve';
};

/**
 * Control words act on what the same session asked for: `last` its newest running task (or the question it is being
 * asked), `all` every one, an agent's name that agent's jobs, '2' the second job of the last task. Without a session
 * they act on whatever runs, and `last` then needs to be the only one.
 */
export const createControl = ({ engine, parked, status, commands, now = Date.now }: ControlDeps): Control => {
  const tasks = createSteeredTasks(engine);
  const reports = createControlReports({ engine, tasks, status });
  const approvals = createSpokenApprovals({ engine, commands, tasks, now });

  const stop = async (traceId: string): Promise<boolean> => {
    const request: CancelRequest = { job_id: null, reason: REASON };
    return (await engine.signal(voiceTaskId(traceId), SIGNALS.cancelJob, request)).outcome === 'done';
  };
  const stopJob = async (jobId: string): Promise<boolean> => {
    try {
      await commands.cancelJob(jobId, REASON);
      return true;
    } catch (error) {
      if (error instanceof ProblemError && (error.problem === 'already-over' || error.problem === 'not-found'))
        return false;
      throw error;
    }
  };

  const stopLast = async (sessionId: string | null): Promise<Performed> => {
    if (sessionId !== null && parked.of(sessionId)) {
      await parked.settle(sessionId);
      return done('the question is dropped');
    }
    // What was just asked for is stopped at once, also while Temporal lists nothing.
    const newest = tasks.newest(sessionId);
    if (newest !== null && (await stop(newest))) return done('the last task is being stopped');
    const found = await tasks.running(sessionId, 2);
    if (sessionId === null && found.length > 1)
      return { outcome: 'ambiguous', message: 'several tasks run; say which, or stop everything' };
    for (const { traceId } of found) if (await stop(traceId)) return done('the last task is being stopped');
    return nothing('nothing runs');
  };

  const stopAll = async (sessionId: string | null): Promise<Performed> => {
    if (sessionId !== null) await parked.settle(sessionId);
    const found = await tasks.running(sessionId);
    const stopped = (await Promise.all(found.map(({ traceId }) => stop(traceId)))).filter(Boolean).length;
    return stopped > 0 ? done(`${stopped} being stopped`) : nothing('nothing runs');
  };

  const stopAt = async (sessionId: string | null, place: string): Promise<Performed> => {
    const last = await tasks.last(sessionId);
    if (last === 'several') return SEVERAL;
    if (last === null) return nothing('nothing runs');
    const job = jobAt(last, place);
    if (!job) return nothing(`the last task has ${counted(last.jobs.length, 'job')}`);
    return (await stopJob(job.job_id))
      ? done(`job ${place} is being stopped: ${job.agent}`)
      : nothing(`job ${place} is over already`);
  };

  /** The agent's jobs of the last task, else those of any that runs. */
  const unfinishedOf = async (sessionId: string | null, agent: string): Promise<JobBrief[]> => {
    const running = await tasks.running(sessionId);
    const found = await Promise.all(running.map((task) => tasks.unfinished(task, agent)));
    const [first = []] = found;
    return sessionId !== null && first.length > 0 ? first : found.flat();
  };

  const stopAgent = async (sessionId: string | null, agent: string): Promise<Performed> => {
    const jobs = await unfinishedOf(sessionId, agent);
    const stopped = (await Promise.all(jobs.map(({ job_id }) => stopJob(job_id)))).filter(Boolean).length;
    return stopped > 0
      ? done(
          stopped === 1 ? `the ${agent} job is being stopped` : `${counted(stopped, `${agent} job`)} are being stopped`,
        )
      : nothing(`no ${agent} job runs`);
  };

  const cancel = (sessionId: string | null, target: string): Promise<Performed> => {
    if (target === 'last') return stopLast(sessionId);
    if (target === 'all') return stopAll(sessionId);
    return isPlace(target) ? stopAt(sessionId, target) : stopAgent(sessionId, target);
  };

  const answer = async (decision: 'approve' | 'reject', target: string, speaker: Speaker): Promise<Performed> => {
    const { asked, ...performed } = await approvals.answer(decision, target, speaker);
    const { sessionId } = speaker;
    // A no where nothing waits for approval, but a question to the session does.
    if (asked || decision === 'approve' || target !== 'last' || sessionId === null || !parked.of(sessionId))
      return performed;
    await parked.settle(sessionId);
    return done('the question is dropped');
  };

  const act = async (action: string, target: string, speaker: Speaker): Promise<Performed> => {
    const { sessionId } = speaker;
    switch (action) {
      case 'cancel':
        return cancel(sessionId, target);
      case 'status': {
        const told = await reports.status(sessionId, target);
        const waits = sessionId !== null && target === 'last' && parked.of(sessionId) !== null;
        return waits ? done(`A question waits for your answer. ${told.message}`) : told;
      }
      case 'cost':
        return reports.cost(sessionId, target);
      case 'approve':
      case 'reject':
        return answer(action, target, speaker);
      default:
        return nothing(`the gateway does not know how to ${action}`);
    }
  };

  return {
    started: (sessionId, traceId) => tasks.started(sessionId, traceId),
    perform: async ({ action, target }, speaker) => ({
      status: 'control',
      trace_id: speaker.traceId,
      action,
      target,
      ...(await act(action, target ?? 'last', speaker)),
    }),
  };
};
