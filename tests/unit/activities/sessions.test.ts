import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { createScrub } from '../../../platform/secrets.ts';
import { createReadPlan } from '../../../activities/plans.ts';
import { createSessionActivities } from '../../../activities/sessions.ts';
import type {
  CloseSessionInput,
  CloseSessionOutput,
  JobIdentity,
  OpenSessionInput,
  OpenSessionOutput,
  VerifyJobInput,
  VerifyJobOutput,
} from '../../../contracts/activities.ts';
import type { EnvironmentName } from '../../../contracts/names.ts';
import type { Verification } from '../../../contracts/task.ts';
import { OperationError } from '../../../platform/errors.ts';
import { eventIdOf } from '../../../platform/trace-log.ts';
import { attempt, failureOf, openActivityBench } from '../../fakes/activity-bench.ts';
import type { ActivityBench } from '../../fakes/activity-bench.ts';
import { jobPlan } from '../../fakes/job-plan.ts';
import { recordingEnvironment } from '../../fakes/recording-environment.ts';
import type { RecordingEnvironment } from '../../fakes/recording-environment.ts';

const TRACE = 'a'.repeat(32);
const JOB = `${TRACE}-1`;
const CHECKPOINT = 'c'.repeat(64);
const PLAN = jobPlan({ instruction: 'fix the tests, please' });

let bench: ActivityBench;
let identity: JobIdentity;
beforeEach(async () => {
  bench = openActivityBench();
  const { sha256 } = await bench.artifacts.put(JSON.stringify(PLAN), {
    name: 'plan.json',
    mediaType: 'application/json',
  });
  identity = { trace_id: TRACE, job_id: JOB, agent: 'coding', skill: 'fix-tests', plan: sha256 };
});
afterEach(() => bench.close());

/** A worker with these environments alone. */
const worker = (...environments: RecordingEnvironment[]) => {
  const activities = createSessionActivities({
    environments: new Map(environments.map((environment) => [environment.name, environment])),
    readPlan: createReadPlan(bench.artifacts),
    traceLog: bench.worker().traceLog,
    scrub: createScrub([]),
  });
  return {
    open: (input: OpenSessionInput, env: MockActivityEnvironment = attempt(1)): Promise<OpenSessionOutput> =>
      env.run(activities.openSession, input),
    verify: (input: VerifyJobInput, n = 1): Promise<VerifyJobOutput> => attempt(n).run(activities.verifyJob, input),
    close: (input: CloseSessionInput, n = 1): Promise<CloseSessionOutput> =>
      attempt(n).run(activities.closeSession, input),
  };
};

const opening = (change: Partial<OpenSessionInput> = {}): OpenSessionInput => ({
  ...identity,
  environment: 'coding',
  generation: 1,
  checkpoint: null,
  base_commits: [],
  ...change,
});
const session = (environment: EnvironmentName) => ({
  session_id: 'session-1',
  owner_queue: `dual-${environment}-test-owner`,
  environment,
});
const verifying = (change: Partial<VerifyJobInput> = {}): VerifyJobInput => ({
  ...identity,
  session: session('coding'),
  round: 1,
  checkpoint: CHECKPOINT,
  rehearsal: false,
  ...change,
});
const closing = (change: Partial<CloseSessionInput> = {}): CloseSessionInput => ({
  ...identity,
  session: session('coding'),
  checkpoint: CHECKPOINT,
  outcome: 'succeeded',
  ...change,
});

describe('openSession', () => {
  it.each<[EnvironmentName, string, string]>([
    ['coding', 'host1-3f2a', 'dual-coding-host1-3f2a'],
    ['browser', 'p4711-9b', 'dual-browser-p4711-9b'],
  ])('leases a %s session on the queue only its owner polls', async (name, owner, queue) => {
    const environment = recordingEnvironment({
      name,
      owner,
      open: () => ({ sessionId: 'session-9', checkpoint: CHECKPOINT }),
    });
    expect(await worker(environment).open(opening({ environment: name }))).toEqual({
      lease: { session_id: 'session-9', owner_queue: queue, environment: name },
      checkpoint: CHECKPOINT,
    });
  });

  it('hands on the plan itself and everything the new session starts from', async () => {
    const environment = recordingEnvironment();
    const base = ['1'.repeat(40), '2'.repeat(40)];
    await worker(environment).open(opening({ generation: 3, checkpoint: CHECKPOINT, base_commits: base }), attempt(2));
    expect(environment.opened.map(({ request }) => request)).toEqual([
      { traceId: TRACE, jobId: JOB, plan: PLAN, generation: 3, checkpoint: CHECKPOINT, baseCommits: base },
    ]);
    expect(environment.opened[0]?.control.attempt).toBe(2);
  });

  it('chooses the environment that was asked for', async () => {
    const [coding, browser] = [recordingEnvironment({ name: 'coding' }), recordingEnvironment({ name: 'browser' })];
    await worker(coding, browser).open(opening({ environment: 'browser' }));
    expect([coding.opened.length, browser.opened.length]).toEqual([0, 1]);
  });

  it('asks again later when every slot is taken', async () => {
    const environment = recordingEnvironment({
      open: () => {
        throw new OperationError('EnvironmentBusy', 'no slot came free', { retryAfterMs: 1_500 });
      },
    });
    expect(await failureOf(worker(environment).open(opening()))).toMatchObject({
      type: 'EnvironmentBusy',
      nonRetryable: false,
      nextRetryDelay: 1_500,
    });
  });

  it('opens nothing for a plan that cannot be had', async () => {
    const environment = recordingEnvironment();
    const failure = await failureOf(worker(environment).open(opening({ plan: 'e'.repeat(64) })));
    expect(failure).toMatchObject({ type: 'NotFound', nonRetryable: true });
    expect(environment.opened).toEqual([]);
  });
});

describe('a worker without the environment', () => {
  it.each<[string, (on: ReturnType<typeof worker>) => Promise<unknown>]>([
    ['openSession', (on) => on.open(opening())],
    ['verifyJob', (on) => on.verify(verifying())],
    ['closeSession', (on) => on.close(closing())],
  ])('says so in %s, finally, and touches no other', async (_, act) => {
    const browser = recordingEnvironment({ name: 'browser' });
    expect(await failureOf(act(worker(browser)))).toMatchObject({
      type: 'EnvironmentUnavailable',
      message: expect.stringContaining('WORKER_ROLES'),
      nonRetryable: true,
    });
    expect([browser.opened, browser.verified, browser.closed]).toEqual([[], [], []]);
    expect(bench.traced('verified')).toEqual([]);
  });
});

describe('verifyJob', () => {
  it('asks about the session, the round and the state that is to be verified', async () => {
    const environment = recordingEnvironment();
    await worker(environment).verify(verifying({ round: 2 }), 4);
    expect(environment.verified.map(({ request }) => request)).toEqual([
      { sessionId: 'session-1', jobId: JOB, round: 2, checkpoint: CHECKPOINT },
    ]);
    expect(environment.verified[0]?.control.attempt).toBe(4);
  });

  it('passes on what was found, and tells the trace', async () => {
    const verification: Verification = {
      status: 'failed',
      command: 'npm test',
      before: { exit_code: 1, passed: 11, failed: 1 },
      after: { exit_code: 1, passed: 10, failed: 2 },
      rounds: 2,
    };
    const environment = recordingEnvironment({ verify: () => ({ verification, note: '2 tests fail' }) });
    expect(await worker(environment).verify(verifying({ round: 2 }), 3)).toEqual({
      verification,
      note: '2 tests fail',
    });
    const [event, ...others] = bench.traced('verified');
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      trace_id: TRACE,
      job_id: JOB,
      agent: 'coding',
      skill: 'fix-tests',
      attempt: 3,
      workflow_id: 'test',
      payload: { ...verification, rehearsal: false },
      duration_ms: expect.any(Number),
      event_id: eventIdOf({ trace_id: TRACE, job_id: JOB, phase: 'verified', key: '2' }),
    });
  });

  it('says no_command where there is nothing to verify, and tells the trace that', async () => {
    const nothing = { status: 'no_command', command: null, before: null, after: null, rounds: 1 };
    expect(await worker(recordingEnvironment({ verify: () => null })).verify(verifying())).toEqual({
      verification: nothing,
      note: '',
    });
    expect(bench.traced('verified').map(({ payload }) => payload)).toEqual([{ ...nothing, rehearsal: false }]);
  });

  it('writes the same event when it is repeated, another one for the next round', async () => {
    await worker(recordingEnvironment()).verify(verifying(), 1);
    await worker(recordingEnvironment()).verify(verifying(), 2);
    await worker(recordingEnvironment()).verify(verifying({ round: 2 }), 1);
    const [first, again, next] = bench.traced('verified').map(({ event_id }) => event_id);
    expect(again).toBe(first);
    expect(next).not.toBe(first);
  });

  it('tells the trace nothing of a verification that did not take place', async () => {
    const environment = recordingEnvironment({
      verify: () => {
        throw new OperationError('SessionLost', 'gone');
      },
    });
    expect(await failureOf(worker(environment).verify(verifying()))).toMatchObject({
      type: 'SessionLost',
      nonRetryable: true,
    });
    expect(bench.traced('verified')).toEqual([]);
  });
});

describe('closeSession', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)(
    'hands on that the job %s, its plan and its state',
    async (outcome) => {
      const environment = recordingEnvironment();
      await worker(environment).close(closing({ outcome }));
      expect(environment.closed.map(({ request }) => request)).toEqual([
        { sessionId: 'session-1', jobId: JOB, plan: PLAN, checkpoint: CHECKPOINT, outcome },
      ]);
    },
  );

  it('passes on what was left', async () => {
    const closed = {
      artifacts: [{ sha256: 'f'.repeat(64), name: 'changes.diff', media_type: 'text/x-diff', bytes: 12 }],
      branch: `dual/${JOB}`,
      commit: '3'.repeat(40),
    };
    expect(await worker(recordingEnvironment({ close: () => closed })).close(closing())).toEqual(closed);
  });
});
