import { openLab } from '../tests/fakes/lab.ts';
import { startProcess } from '../tests/fakes/processes.ts';
import { median, ratioFigure } from './figures.ts';
import type { Benchmark } from './figures.ts';
import { planTasks, runBaseline, runTask } from './one-turn-task.ts';

const WARM_UP = 15;
const ROUNDS = 60;
const IN_FLIGHT = 16;
const TASKS = 160;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

/** Tasks finished per second with `IN_FLIGHT` at once. */
const throughput = async (work: () => Promise<unknown>): Promise<number> => {
  let left = TASKS;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  const ms = await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, lane)));
  return (TASKS / ms) * 1_000;
};

/** Ours and the hand-written ones take turns on one server, so that a busy moment hits all of them. */
export const task: Benchmark = {
  name: 'task',
  about: 'latency and throughput of a task of two one-turn jobs, against hand-written workflows',
  run: async (say) => {
    const lab = await openLab();
    try {
      await lab.worker({ WORKER_ROLES: 'workflows,models' });
      const baseline = await startProcess(['bench/baseline/main.ts'], { TEMPORAL_ADDRESS: lab.address });
      try {
        const next = await planTasks(lab, 'summarize', 'say hello');
        const runs = {
          ours: () => runTask(lab, next()),
          minimal: () => runBaseline(lab, 'minimalTask'),
          least: () => runBaseline(lab, 'leastTask'),
        };
        const times = { ours: [] as number[], minimal: [] as number[], least: [] as number[] };
        for (let round = -WARM_UP; round < ROUNDS; round++) {
          if (round % 20 === 0) say(`latency, round ${round} of ${ROUNDS}`);
          for (const name of ['ours', 'minimal', 'least'] as const) {
            const ms = await timed(runs[name]);
            if (round >= 0) times[name].push(ms);
          }
        }
        say('throughput, hand-written');
        const before = await throughput(runs.minimal);
        say('throughput, ours');
        const ours = await throughput(runs.ours);
        say('throughput, hand-written again');
        const after = await throughput(runs.minimal);
        return [
          ratioFigure({
            figure: 'task latency p50',
            value: median(times.ours),
            unit: 'ms',
            against: { what: 'same number of activities', value: median(times.minimal) },
            goal: { atMost: 1.25 },
          }),
          ratioFigure({
            figure: 'task latency p50',
            value: median(times.ours),
            unit: 'ms',
            against: { what: 'least a person would write', value: median(times.least) },
            goal: { atMost: 2 },
          }),
          ratioFigure({
            figure: `tasks per second, ${IN_FLIGHT} in flight`,
            value: ours,
            unit: '/s',
            against: { what: 'same number of activities', value: (before + after) / 2 },
            goal: { atLeast: 0.8 },
          }),
        ];
      } finally {
        await baseline.stop();
      }
    } finally {
      await lab.close();
    }
  },
};
