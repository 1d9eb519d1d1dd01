import { descendantsOf } from '../dev/processes.ts';
import { agentJobId } from '../contracts/names.ts';
import type { JobStatusAnswer } from '../contracts/workflows.ts';
import { openLab } from '../tests/fakes/lab.ts';
import type { Lab } from '../tests/fakes/lab.ts';
import type { TestProcess } from '../tests/fakes/processes.ts';
import { until } from '../tests/fakes/until.ts';
import { boundFigure, median } from './figures.ts';
import type { Benchmark } from './figures.ts';
import { planTasks } from './one-turn-task.ts';

const KILLS = 7;
const ROLES = { WORKER_ROLES: 'workflows,models,coding' };

interface Running {
  jobId: string;
  workflowId: string;
  /** The activity that is under way now. */
  activity(): Promise<string | null>;
  turn(): Promise<number>;
}

/** Starts a job that runs one command a turn, for long enough. */
const startJob = async (lab: Lab): Promise<Running> => {
  const task = (await planTasks(lab, 'coding', 'count to 900 using bash'))(1);
  await lab.client.workflow.start('voiceTask', {
    workflowId: task.workflowId,
    taskQueue: 'dual-workflows',
    args: [task.input],
  });
  const jobId = task.input.jobs[0]?.job_id ?? '';
  const handle = lab.client.workflow.getHandle(agentJobId(jobId));
  return {
    jobId,
    workflowId: task.workflowId,
    activity: async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.[0]?.activityType?.name ?? null;
    },
    turn: async () => (await handle.query<JobStatusAnswer>('status')).turn,
  };
};

/** Turns that trace events show as done. The files can be read while every worker is dead. */
const turnsDone = (lab: Lab, jobId: string): number =>
  lab
    .events()
    .filter((event) => event.job_id === jobId && (event.phase === 'model_turn' || event.phase === 'tool_call')).length;

/** Kills a worker while `during` is under way; milliseconds until the job does its next step. */
const killDuring = async (
  lab: Lab,
  job: Running,
  during: 'modelTurn' | 'runTools',
  worker: TestProcess,
  revive: () => Promise<unknown>,
): Promise<number> => {
  await until(async () => ((await job.activity()) === during ? true : undefined));
  worker.kill('SIGKILL');
  const killed = performance.now();
  const before = turnsDone(lab, job.jobId);
  const reviving = revive();
  await until(() => (turnsDone(lab, job.jobId) > before ? true : undefined), 60_000);
  const ms = performance.now() - killed;
  await reviving;
  return ms;
};

export const takeover: Benchmark = {
  name: 'takeover',
  about: 'kill -9 of a worker until work goes on, and cancel until everything is closed (medians)',
  run: async (say) => {
    const lab = await openLab();
    const figures = [];
    try {
      let worker = await lab.worker(ROLES);
      const job = await startJob(lab);
      for (const during of ['modelTurn', 'runTools'] as const) {
        const times: number[] = [];
        for (let kill = 0; kill < KILLS; kill++) {
          say(`same host, in ${during}, kill ${kill + 1} of ${KILLS}`);
          times.push(
            await killDuring(lab, job, during, worker, async () => {
              worker = await lab.worker(ROLES);
            }),
          );
        }
        figures.push(
          boundFigure({
            figure: `kill -9 in ${during} → work goes on, same host`,
            value: median(times) / 1_000,
            unit: 's',
            atMost: 2,
          }),
        );
      }
      await lab.client.workflow.getHandle(job.workflowId).terminate('measured');

      const hosts = (n: number): Promise<TestProcess> =>
        lab.worker({
          ...ROLES,
          DATA_DIR: `${lab.dir}/host-${n}`,
          CODING_WORKING_DIRECTORY: `${lab.dir}/data/example-workspace`,
        });
      for (const during of ['modelTurn', 'runTools'] as const) {
        const times: number[] = [];
        for (let kill = 0; kill < KILLS; kill++) {
          say(`other host, in ${during}, kill ${kill + 1} of ${KILLS}`);
          // A fresh job each time: the worker that is left always serves what the dead one owned.
          const owner = await hosts(kill * 2);
          worker.kill('SIGKILL');
          await worker.exited;
          const other = await startJob(lab);
          await until(async () => ((await other.turn()) > 1 ? true : undefined));
          worker = await hosts(kill * 2 + 1);
          times.push(await killDuring(lab, other, during, owner, async () => undefined));
          await lab.client.workflow.getHandle(other.workflowId).terminate('measured');
        }
        figures.push(
          boundFigure({
            figure: `kill -9 in ${during} → work goes on, other host`,
            value: median(times) / 1_000,
            unit: 's',
            atMost: 5,
          }),
        );
      }

      const closed: number[] = [];
      for (let n = 0; n < KILLS; n++) {
        say(`cancel ${n + 1} of ${KILLS}`);
        const other = await startJob(lab);
        await until(async () => ((await other.activity()) === 'runTools' ? true : undefined));
        const asked = performance.now();
        const task = lab.client.workflow.getHandle(other.workflowId);
        await task.signal('cancelJob', { job_id: null, reason: 'measured' });
        await task.result();
        // The sandbox and what ran in it: a worker at rest has no process below it.
        await until(() => (descendantsOf(worker.pid).length === 0 ? true : undefined));
        closed.push(performance.now() - asked);
      }
      figures.push(
        boundFigure({ figure: 'cancel → everything closed', value: median(closed) / 1_000, unit: 's', atMost: 3.5 }),
      );
      return figures;
    } finally {
      await lab.close();
    }
  },
};
