/**
 * Records the histories that every later version of the workflows must replay: `node tests/replay/record.ts`.
 * Run it when a workflow gained a new path, and add the files; never replace an old one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { agentJobId, voiceTaskId } from '../../contracts/names.ts';
import type { TaskInput } from '../../contracts/workflows.ts';
import { hang, scriptedActivities } from '../fakes/scripted-activities.ts';
import type { Script } from '../fakes/scripted-activities.ts';
import { taskInput } from '../fakes/task.ts';
import { startTemporal } from '../fakes/temporal-server.ts';
import { until } from '../fakes/until.ts';
import { quietRuntime, runWorkers, startTask } from '../fakes/workflow-workers.ts';

const folder = join(import.meta.dirname, 'histories');
mkdirSync(folder, { recursive: true });
quietRuntime();
const temporal = await startTemporal();
const day = new Date().toISOString().slice(0, 10);

/** What tells of the machine that recorded, and matters to no replay. */
const withoutMachine = (key: string, value: unknown): unknown =>
  key === 'stackTrace' ? '' : key === 'identity' ? 'recorder' : value;

const save = async (name: string, workflowId: string, runId?: string): Promise<void> => {
  const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
  writeFileSync(
    join(folder, `${day}.${name}.json.gz`),
    gzipSync(JSON.stringify(JSON.parse(historyToJSON(history), withoutMachine)), { level: 9 }),
  );
  process.stdout.write(`${name}: ${history.events?.length} events\n`);
};

const scene = async (
  name: string,
  script: Script,
  input: TaskInput,
  act: (input: TaskInput) => Promise<void> = async () => undefined,
): Promise<void> => {
  const { activities } = scriptedActivities(script);
  const workers = await runWorkers(temporal, activities);
  const task = await startTask(temporal, input);
  await act(input);
  await task.result().catch(() => undefined);
  await workers.stop();
  await save(`${name}.task`, voiceTaskId(input.trace_id));
  for (const [at, job] of input.jobs.entries()) {
    const started = await temporal.client.workflow
      .getHandle(agentJobId(job.job_id))
      .describe()
      .then(
        () => true,
        () => false,
      );
    if (started) await save(`${name}.job-${at + 1}`, agentJobId(job.job_id));
  }
};

const job = (input: TaskInput, at = 0) => temporal.client.workflow.getHandle(agentJobId(input.jobs[at]?.job_id ?? ''));
const waiting = (input: TaskInput, at = 0): Promise<string> =>
  until(
    async () =>
      (await job(input, at).query<{ waiting: { approval_id: string } | null }>('status')).waiting?.approval_id,
  );
const signalTask = (input: TaskInput, signal: string, body: unknown): Promise<void> =>
  temporal.client.workflow.getHandle(voiceTaskId(input.trace_id)).signal(signal, body);

try {
  await scene(
    'two-jobs',
    { turns: { '*': [{ tools: ['bash'] }, { end: 'done' }] } },
    taskInput([{}, { environment: 'browser', agent: 'browser', verify_rounds: null }]),
  );

  const chained = taskInput([{}, {}, {}]);
  const [first, second, third] = chained.jobs;
  if (!first || !second || !third) throw new Error('three jobs');
  second.depends_on = [{ job_id: first.job_id, when: 'succeeded' }];
  third.depends_on = [{ job_id: first.job_id, when: 'failed' }];
  await scene(
    'depends-on',
    { turns: { '*': [{ tools: ['bash'] }, { end: 'done' }] }, commitOf: () => 'c'.repeat(40) },
    chained,
  );

  await scene(
    'approvals-budget-steer',
    { turns: { '*': [{ tools: ['bash', 'search'], costUsd: 1 }, { stop: 'cut_off' }, { end: 'done' }] } },
    taskInput([{ approve_start: true, approve_tools: ['bash'], budget_usd: 1 }]),
    async (input) => {
      for (const decision of ['approve', 'reject']) {
        const approval_id = await waiting(input);
        await job(input).signal('steer', { text: `before ${decision}` });
        await job(input).executeUpdate('approve', { args: [{ approval_id, decision, note: 'noted' }] });
        await until(async () =>
          (await job(input).query<{ waiting: { approval_id: string } | null }>('status')).waiting?.approval_id ===
          approval_id
            ? undefined
            : true,
        );
      }
      await waiting(input);
      await job(input).executeUpdate('addBudget', { args: [{ add_usd: 2, key: 'one' }] });
    },
  );

  await scene(
    'budget-exceeded',
    { turns: { '*': [{ tools: ['bash'], costUsd: 5 }] } },
    taskInput([{}], { approval_timeout_ms: 200 }),
  );

  await scene(
    'lost-session-and-verification',
    {
      turns: { '*': (input) => (input.turn === 1 ? { tools: ['bash'] } : { end: 'done' }) },
      runTools: ({ session }) => {
        if (session.session_id.endsWith('.1')) throw ApplicationFailure.nonRetryable('gone', 'SessionLost');
      },
      verify: ({ round }) => ({
        verification: {
          status: round === 1 ? 'failed' : 'passed',
          command: 'npm test',
          before: null,
          after: null,
          rounds: round,
        },
        note: 'one failed',
      }),
    },
    taskInput([{}]),
  );

  await scene(
    'cancelled',
    { turns: { '*': [{ tools: ['bash'] }] }, runTools: () => hang() },
    taskInput([{}, {}]),
    async (input) => {
      await until(async () =>
        (await job(input, 1).query<{ phase: string }>('status')).phase.startsWith('bash') ? true : undefined,
      );
      await signalTask(input, 'cancelJob', { job_id: null, reason: 'enough' });
    },
  );

  const failure = ApplicationFailure.nonRetryable('no key', 'Forbidden');
  await scene('failed', { turns: { '*': [{ fail: failure }] } }, taskInput([{}]));

  // Continue-as-new: the first run of a long job, and the last.
  const long = taskInput([{ limits: { max_turns: 1_000, max_cost_usd: 3, timeout_ms: 3_600_000 } }]);
  await scene('long', { turns: { '*': (input) => (input.turn < 140 ? { tools: ['bash'] } : { end: 'done' }) } }, long);
  const last = await job(long).describe();
  const history = await temporal.client.workflow.getHandle(last.workflowId, last.runId).fetchHistory();
  const before = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  if (before) await save('long.job-1-first-run', last.workflowId, before);
} finally {
  await temporal.teardown();
}
process.exit(0);
