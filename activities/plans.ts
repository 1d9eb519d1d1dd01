import { JobPlan } from '../contracts/agent.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { OperationError } from '../platform/errors.ts';

/** Reads the plan a job was dispatched with. @throws OperationError NotFound; BadInput for a plan that is none. */
export type ReadPlan = (sha256: string) => Promise<JobPlan>;

/** Plans kept in memory, about 5 kB each: every turn of a job reads the same one. The one unused longest goes first. */
const KEPT = 200;

export const createReadPlan = (artifacts: Pick<ArtifactStore, 'getJson'>): ReadPlan => {
  const kept = new Map<string, JobPlan>();
  return async (sha256) => {
    const known = kept.get(sha256);
    if (known) {
      kept.delete(sha256);
      kept.set(sha256, known);
      return known;
    }
    const plan = JobPlan.safeParse(await artifacts.getJson(sha256));
    if (!plan.success)
      throw new OperationError(
        'BadInput',
        `the job's plan is not valid (${plan.error.issues[0]?.path.join('.') ?? ''})`,
      );
    kept.set(sha256, plan.data);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return plan.data;
  };
};
