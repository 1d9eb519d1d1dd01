import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { agentJobId } from '../contracts/names.ts';
import { openLab } from '../tests/fakes/lab.ts';
import type { Lab } from '../tests/fakes/lab.ts';
import { boundFigure, ratioFigure } from './figures.ts';
import type { Benchmark } from './figures.ts';
import { planTasks, runTask } from './one-turn-task.ts';

type IHistoryEvent = NonNullable<History['events']>[number];

/** Events and bytes of all runs of a job (it continues as new). */
const historyOf = async (lab: Lab, jobId: string): Promise<{ events: number; bytes: number }> => {
  let events = 0;
  let bytes = 0;
  let runId: string | undefined = (await lab.client.workflow.getHandle(agentJobId(jobId)).describe()).runId;
  while (runId) {
    const handle: WorkflowHandle = lab.client.workflow.getHandle(agentJobId(jobId), runId);
    const { historyLength, historySize } = await handle.describe();
    events += historyLength;
    bytes += historySize ?? 0;
    const first: IHistoryEvent | undefined = (await handle.fetchHistory()).events?.[0];
    runId = first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  }
  return { events, bytes };
};

/** Real model turns and real commands in a real worktree: a job that runs one command a turn, N times. */
export const history: Benchmark = {
  name: 'history',
  about: 'growth of the history per turn with tools, from 10 to 100 and from 100 to 500 turns',
  run: async (say) => {
    const lab = await openLab();
    try {
      await lab.worker({ WORKER_ROLES: 'workflows,models,coding' });
      const measured: { turns: number; events: number; bytes: number }[] = [];
      for (const turns of [10, 100, 500]) {
        say(`${turns} turns`);
        const task = (await planTasks(lab, 'coding', `count to ${turns} using bash`))(1);
        await runTask(lab, task);
        measured.push({ turns, ...(await historyOf(lab, task.input.jobs[0]?.job_id ?? '')) });
      }
      const [ten, hundred, many] = measured;
      if (!ten || !hundred || !many) throw new Error('three measurements');
      const perTurn = (what: 'events' | 'bytes', from: typeof ten, to: typeof ten): number =>
        (to[what] - from[what]) / (to.turns - from.turns);
      return [
        boundFigure({
          figure: 'history events per turn, 10 to 500 turns',
          value: Math.max(perTurn('events', hundred, many), perTurn('events', ten, hundred)),
          unit: 'events',
          atMost: 14,
        }),
        ...(['events', 'bytes'] as const).map((what) =>
          ratioFigure({
            figure: `history ${what} per turn, 100 to 500`,
            value: perTurn(what, hundred, many),
            unit: what,
            against: { what: '10 to 100', value: perTurn(what, ten, hundred) },
            goal: { within: 0.05 },
          }),
        ),
      ];
    } finally {
      await lab.close();
    }
  },
};
