import { z } from 'zod';
import { NAME } from '../../contracts/skill.ts';
import { TraceListing, TraceRow } from '../../contracts/replies.ts';
import { TaskResult, TraceId } from '../../contracts/task.ts';
import { EVENT_STREAM_HEADERS } from '../event-stream.ts';
import type { JobCommands } from '../job-commands.ts';
import type { createListTraces } from '../list-traces.ts';
import type { LiveEvents } from '../live-events.ts';
import { ProblemError } from '../problems.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';
import type { TaskStatus } from '../task-status.ts';

/** Rows of one page of `/traces`. */
const MAX_PAGE = 200;

export const Cancel = z.strictObject({ reason: z.string().max(500).optional() });
export const Received = z.strictObject({ status: z.literal('received') });
export const received = { status: 202, json: { status: 'received' } } as const;

const ByTrace = z.strictObject({ trace_id: TraceId });

const Filter = z.strictObject({
  status: TraceRow.shape.status.optional(),
  agent: z.string().regex(NAME).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,4096}$/)
    .optional(),
});

export interface TraceRouteDeps {
  status: TaskStatus;
  live: LiveEvents;
  commands: JobCommands;
  listTraces: ReturnType<typeof createListTraces>;
}

export const traceRoutes = ({ status, live, commands, listTraces }: TraceRouteDeps): Route[] => [
  defineRoute({
    method: 'get',
    path: '/trace/{trace_id}',
    summary: 'Everything known of one transcript: its status, its jobs, what they cost and left',
    params: ByTrace,
    replies: { 200: { description: 'The task as it is now', schema: TaskResult } },
    problems: ['not-found', 'unavailable'],
    handle: async ({ params: { trace_id } }) => {
      const task = await status.task(trace_id);
      if (!task) throw new ProblemError('not-found', `no trace ${trace_id}`);
      return { status: 200, json: task };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/trace/{trace_id}/events',
    summary: 'Server-sent events: what happened and happens, then `done` with the TaskResult; Last-Event-ID resumes',
    params: ByTrace,
    replies: { 200: { description: 'Trace events as messages, then `done`', mediaType: 'text/event-stream' } },
    problems: ['not-found', 'unavailable'],
    handle: async ({ params, header }) => ({
      status: 200,
      headers: EVENT_STREAM_HEADERS,
      stream: await live.open(params.trace_id, header('last-event-id')),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/trace/{trace_id}/cancel',
    summary: 'Stops every job of a task, with its processes',
    params: ByTrace,
    body: Cancel,
    bodyOptional: true,
    replies: { 202: { description: 'It is being stopped', schema: Received } },
    problems: ['not-found', 'already-over', 'unavailable'],
    handle: async ({ params, body }) => {
      await commands.cancelTask(params.trace_id, body.reason ?? 'a person cancelled it');
      return received;
    },
  }),
  defineRoute({
    method: 'get',
    path: '/traces',
    summary: 'Accepted transcripts, newest first',
    query: Filter,
    replies: { 200: { description: 'One page', schema: TraceListing } },
    problems: ['bad-request', 'unavailable'],
    handle: async ({ query }) => ({ status: 200, json: await listTraces(query) }),
  }),
];
