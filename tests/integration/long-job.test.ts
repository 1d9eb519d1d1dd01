import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { agentJobId, PAYLOAD_LIMIT_BYTES } from '../../contracts/names.ts';
import type { BudgetAddition, JobOutput } from '../../contracts/workflows.ts';
import { scriptedActivities } from '../fakes/scripted-activities.ts';
import { taskInput } from '../fakes/task.ts';
import { startTemporal } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers, startTask } from '../fakes/workflow-workers.ts';

let temporal: TestWorkflowEnvironment;

beforeAll(async () => {
  quietRuntime();
  temporal = await startTemporal();
}, 60_000);
afterAll(() => temporal.teardown());

const TURNS = 500;

/** Every `data` of every payload of an event, in bytes. */
const payloadSizes = (value: unknown): number[] => {
  if (value === null || typeof value !== 'object') return [];
  if (value instanceof Uint8Array) return [value.byteLength];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'data' && inner instanceof Uint8Array ? [inner.byteLength] : payloadSizes(inner),
  );
};

type IHistoryEvent = NonNullable<History['events']>[number];
/** What a turn itself leaves; workflow tasks and what people send come on top. */
const isStep = (event: IHistoryEvent): boolean =>
  Boolean(event.activityTaskScheduledEventAttributes ?? event.activityTaskCompletedEventAttributes);
/** The bytes of a turn's arguments and results without the messages people sent, which come when they come. */
const ownSizes = (event: IHistoryEvent): number[] => {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled?.activityType?.name !== 'modelTurn') return payloadSizes(event);
  return (scheduled.input?.payloads ?? []).map((payload) => {
    const input = JSON.parse(Buffer.from(payload.data ?? []).toString()) as { notes: unknown[] };
    return JSON.stringify({ ...input, notes: [] }).length;
  });
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('a job of 500 turns', () => {
  it('continues as new before 2,000 events, loses no message, grows by a constant, and keeps every payload small', async () => {
    const { activities, recorded } = scriptedActivities({
      turns: { '*': (input) => (input.turn < TURNS ? { tools: ['bash'], costUsd: 0.001 } : { end: 'counted' }) },
    });
    const workers = await runWorkers(temporal, activities);
    try {
      const input = taskInput([
        { limits: { max_turns: 1_000, max_cost_usd: 3, timeout_ms: 3_600_000 }, verify_rounds: null },
      ]);
      const jobId = input.jobs[0]?.job_id ?? '';
      const task = await startTask(temporal, input);
      const job = temporal.client.workflow.getHandle(agentJobId(jobId));
      let over = false;
      const sent: string[] = [];
      const steering = (async () => {
        await until(() => recorded.modelTurn.length > 0 || undefined);
        while (!over && sent.length < 150) {
          const text = `message ${sent.length}`;
          const turnsBefore = recorded.modelTurn.length;
          const accepted = await job.signal('steer', { text }).then(
            () => true,
            () => false, // over in between
          );
          if (accepted) sent.push(text);
          await until(() => over || recorded.modelTurn.length > turnsBefore || undefined);
        }
      })();
      // Money by the spoonful, each asked for twice as a caller does that heard nothing: runs change in between.
      const budgets: number[] = [];
      const adding = (async () => {
        await until(() => recorded.modelTurn.length > 0 || undefined);
        while (!over && budgets.length < 200) {
          const key = `spoon-${budgets.length}`;
          const turnsBefore = recorded.modelTurn.length;
          const add = async (): Promise<number | null> => {
            const args: [BudgetAddition] = [{ add_usd: 0.5, key }];
            const update = job.executeUpdate<{ budget_usd: number }, [BudgetAddition]>('addBudget', { args });
            return update.then(
              ({ budget_usd }) => budget_usd,
              () => null, // between two runs, or over: the gateway asks again
            );
          };
          const first = await add();
          const again = await add();
          if (first !== null && again !== null) expect(again).toBe(first);
          if (first !== null || again !== null) budgets.push(first ?? again ?? 0);
          await until(() => over || recorded.modelTurn.length > turnsBefore + 3 || undefined);
        }
      })();
      const result = await task.result();
      over = true;
      await Promise.all([steering, adding]);
      expect(budgets.length).toBeGreaterThan(30);
      expect(budgets).toEqual(budgets.map((_, count) => 2.5 + 0.5 * (count + 1)));
      expect(result.jobs[0]).toMatchObject({ status: 'succeeded', turns: TURNS });
      expect(result.cost_usd).toBeCloseTo(0.499, 6);

      const heard = recorded.modelTurn.flatMap((turn) => turn.notes.map((note) => note.text));
      expect(sent.length).toBeGreaterThan(100);
      expect(heard).toEqual(sent.slice(0, heard.length));
      expect(sent.length - heard.length).toBeLessThanOrEqual(1); // sent while the last turn was already with the model

      // The runs of the job, oldest last: each links to the one before it.
      const runs: { events: number; turns: number; bytesPerTurn: number; heard: boolean }[] = [];
      let runId: string | undefined = (await job.describe()).runId;
      while (runId) {
        const history: History = await temporal.client.workflow.getHandle(agentJobId(jobId), runId).fetchHistory();
        const events = history.events ?? [];
        const sizes = events.flatMap((event) => payloadSizes(event));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(PAYLOAD_LIMIT_BYTES);
        const turns = events.filter(
          (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'modelTurn',
        ).length;
        runs.push({
          events: events.length,
          turns,
          bytesPerTurn: sum(events.filter(isStep).flatMap(ownSizes)) / turns,
          heard: events.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
        });
        runId = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
      }
      expect(runs.length).toBeGreaterThan(2);
      expect(runs.reduce((sum, run) => sum + run.turns, 0)).toBe(TURNS);
      for (const run of runs) expect(run.events).toBeLessThan(2_000);
      expect(runs.filter((run) => run.heard).length).toBeGreaterThan(1);
      // A turn in the newest whole run costs what one in the first run did.
      expect((runs[1]?.bytesPerTurn ?? 0) / (runs.at(-1)?.bytesPerTurn ?? 1)).toBeCloseTo(1, 1);
      const output = (await job.result()) as JobOutput;
      expect(output.result.turns).toBe(TURNS);
    } finally {
      await workers.stop();
    }
  }, 240_000);
});
