import { z } from 'zod';
import { MAX_STEER } from '../../contracts/names.ts';
import { JobId, JobResult } from '../../contracts/task.ts';
import type { JobCommands } from '../job-commands.ts';
import { ProblemError } from '../problems.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import type { TaskStatus } from '../task-status.ts';
import { Cancel, Received, received } from './traces.ts';

/** More money at once than this is a typing mistake; the workflow says so too. */
const MAX_ADD_USD = 1_000;

const ByJob = z.strictObject({ job_id: JobId });
const Approval = z.strictObject({
  approval_id: z.string().min(1).max(200),
  decision: z.enum(['approve', 'reject']),
  note: z.string().max(1_000).default(''),
});
const Budget = z.strictObject({ add_usd: z.number().positive().max(MAX_ADD_USD) });
const Steer = z.strictObject({ text: z.string().trim().min(1).max(MAX_STEER) });
const OnceKey = z.string().regex(/^[\x21-\x7e]{1,128}$/);

const COMMAND_PROBLEMS = ['not-found', 'already-over', 'not-waiting', 'unavailable'] as const;
const taken = (description: string) => ({ 202: { description, schema: Received } });

export const jobRoutes = (status: TaskStatus, commands: JobCommands): Route[] => [
  defineRoute({
    method: 'get',
    path: '/status/{job_id}',
    summary: 'One job as it is now',
    params: ByJob,
    replies: { 200: { description: 'The job', schema: JobResult } },
    problems: ['not-found', 'unavailable'],
    handle: async ({ params: { job_id } }) => {
      const job = await status.job(job_id);
      if (!job) throw new ProblemError('not-found', `no job ${job_id}`);
      return { status: 200, json: job };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/jobs/{job_id}/cancel',
    summary: 'Stops one job, with its processes',
    params: ByJob,
    body: Cancel,
    bodyOptional: true,
    replies: taken('It is being stopped'),
    problems: ['not-found', 'already-over', 'unavailable'],
    handle: async ({ params, body }) => {
      await commands.cancelJob(params.job_id, body.reason ?? 'a person cancelled it');
      return received;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/jobs/{job_id}/approval',
    summary: 'Answers what a job waits for',
    params: ByJob,
    body: Approval,
    replies: taken('The job heard it'),
    problems: [...COMMAND_PROBLEMS, 'not-confirmed'],
    handle: async ({ params, body }) => {
      await commands.approve(params.job_id, body);
      return received;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/jobs/{job_id}/budget',
    summary: 'Adds to the budget of one job; an Idempotency-Key makes a repeated call count once',
    params: ByJob,
    body: Budget,
    replies: taken('The job has it'),
    problems: [...COMMAND_PROBLEMS, 'not-confirmed'],
    handle: async ({ params, body, header }) => {
      const key = OnceKey.optional().safeParse(header('idempotency-key'));
      if (!key.success) throw new ProblemError('bad-request', 'Idempotency-Key: 1 to 128 visible characters');
      await commands.addBudget(params.job_id, body.add_usd, key.data);
      return received;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/jobs/{job_id}/steer',
    summary: 'A message that the model sees at its next turn',
    params: ByJob,
    body: Steer,
    replies: taken('It will be seen'),
    problems: COMMAND_PROBLEMS,
    handle: async ({ params, body }) => {
      await commands.steer(params.job_id, body.text);
      return received;
    },
  }),
];
