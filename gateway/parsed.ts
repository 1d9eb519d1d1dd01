import type { z } from 'zod';
import { scrubJson } from '../platform/secrets.ts';
import type { Scrub } from '../platform/secrets.ts';
import { ProblemError } from './problems.ts';

/** The first problem, with where it is; never the value. */
const describe = (error: z.ZodError): string => {
  const issue = error.issues[0];
  const where = issue?.path.map(String).join('.') ?? '';
  return `${where ? `${where}: ` : ''}${issue?.message ?? 'not valid'}`;
};

/** What somebody sent without the secrets of ours in it. @throws ProblemError bad-request when it is nested without end */
export const scrubbed = (json: unknown, scrub: Scrub): unknown => {
  try {
    return scrubJson(json, scrub);
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify does not.
    if (error instanceof RangeError) throw new ProblemError('bad-request', 'it is nested too deeply');
    throw error;
  }
};

/** What somebody sent, in the form the schema promises. @throws ProblemError `problem` */
export const parsed = <T>(schema: z.ZodType<T>, value: unknown, problem: 'bad-request' | 'not-found'): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ProblemError(problem, problem === 'not-found' ? 'that is no id of ours' : describe(result.error));
};
