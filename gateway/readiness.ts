import type { Metrics } from '../platform/metrics.ts';
import type { Registry } from '../skills/registry.ts';
import { EngineUnavailable, quoted } from './task-engine.ts';
import type { TaskEngine } from './task-engine.ts';

/** Answers are this old at most. */
const READY_FRESH_MS = 500;
const COUNT_FRESH_MS = 5_000;

/** Asks at most once at a time, and again when the last answer is older than `freshMs`. */
const fresh = <T>(freshMs: number, ask: () => Promise<T>): (() => Promise<T>) => {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (last && performance.now() - last.at < freshMs) return last.answer;
    const asked = { at: Number.POSITIVE_INFINITY, answer: ask() };
    last = asked;
    const answered = (): void => {
      asked.at = performance.now();
    };
    asked.answer.then(answered, answered);
    return asked.answer;
  };
};

/** Why no work can be taken on now, in words; empty when ready. */
export const createReadiness = (
  engine: Pick<TaskEngine, 'missing'>,
  registry: Pick<Registry, 'current'>,
): (() => Promise<string[]>) =>
  fresh(READY_FRESH_MS, async () => [
    ...(await engine.missing()),
    ...(registry.current().skills.length > 0 ? [] : ['no skill is served; see /skills']),
  ]);

/** Sets `jobs_in_flight` from Temporal, for the agents that are served. Unknown is absent, never 0. */
export const createJobCounts = (
  engine: Pick<TaskEngine, 'count'>,
  registry: Pick<Registry, 'current'>,
  metrics: Pick<Metrics, 'jobsInFlight'>,
): (() => Promise<void>) =>
  fresh(COUNT_FRESH_MS, async () => {
    try {
      const counts = await Promise.all(
        registry
          .current()
          .agents.map(
            async ({ name }) =>
              [
                name,
                await engine.count(
                  `WorkflowType = 'agentJob' AND ExecutionStatus = 'Running' AND Agent = ${quoted(name)}`,
                ),
              ] as const,
          ),
      );
      metrics.jobsInFlight.reset();
      for (const [agent, count] of counts) metrics.jobsInFlight.set({ agent }, count);
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      metrics.jobsInFlight.reset();
    }
  });
