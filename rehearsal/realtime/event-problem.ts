import type { z } from 'zod';

/** Why an event of the client was not obeyed, as the `error` event says it; the session goes on. */
export class EventProblem extends Error {
  override readonly name = 'EventProblem';
  readonly code: string;
  readonly param: string | null;
  constructor(code: string, message: string, param: string | null = null) {
    super(message);
    this.code = code;
    this.param = param;
  }
}

/** The provider's word for what a schema found first. `at`: where in the event the schema's value lies. */
export const problemOf = (error: z.ZodError, at = ''): EventProblem => {
  const [issue] = error.issues;
  const path = [at, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  if (issue?.code === 'unrecognized_keys') {
    const param = [path, issue.keys[0]].filter(Boolean).join('.');
    return new EventProblem('unknown_parameter', `Unknown parameter: '${param}'.`, param);
  }
  if (issue?.code === 'invalid_type' && issue.message.endsWith('undefined'))
    return new EventProblem('missing_required_parameter', `Missing required parameter: '${path}'.`, path);
  return new EventProblem('invalid_value', `Invalid value for '${path}': ${issue?.message ?? ''}`, path);
};
