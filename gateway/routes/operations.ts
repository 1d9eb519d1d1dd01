import { z } from 'zod';
import type { Metrics } from '../../platform/metrics.ts';
import { ProblemError } from '../problems.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

export interface OperationRouteDeps {
  /** Why no work can be taken on now; empty when ready. */
  readiness: () => Promise<string[]>;
  metrics: Pick<Metrics, 'registry'>;
  /** Brings the gauges up to date. */
  countJobs: () => Promise<void>;
}

const READY_RETRY_S = 1;

/** For the supervisor, Prometheus and people on call. */
export const operationRoutes = ({ readiness, metrics, countJobs }: OperationRouteDeps): Route[] => [
  defineRoute({
    method: 'get',
    path: '/health',
    summary: 'The process lives',
    auth: 'none',
    replies: { 200: { description: 'It does', schema: z.strictObject({ status: z.literal('ok') }) } },
    handle: async () => ({ status: 200, json: { status: 'ok' } }),
  }),
  defineRoute({
    method: 'get',
    path: '/ready',
    summary:
      'Temporal answers, search attributes are registered, workers poll; otherwise `reasons` says what is missing',
    replies: { 200: { description: 'Work is taken on', schema: z.strictObject({ status: z.literal('ready') }) } },
    problems: ['not-ready'],
    handle: async () => {
      const reasons = await readiness();
      if (reasons.length === 0) return { status: 200, json: { status: 'ready' } };
      throw new ProblemError('not-ready', reasons.join('; '), { retryAfterS: READY_RETRY_S, more: { reasons } });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/metrics',
    summary: 'Prometheus; needs the token too (authorization: credentials_file)',
    replies: { 200: { description: 'Prometheus text', mediaType: 'text/plain' } },
    handle: async () => {
      await countJobs();
      return {
        status: 200,
        headers: { 'content-type': metrics.registry.contentType },
        text: await metrics.registry.metrics(),
      };
    },
  }),
];
