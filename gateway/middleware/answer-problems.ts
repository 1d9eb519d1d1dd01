import type { ErrorRequestHandler } from 'express';
import type { Log } from '../../platform/log.ts';
import { problemBody, problemOf, PROBLEMS } from '../problems.ts';

/** The last middleware: every error becomes application/problem+json; what we did not expect is logged, not told. */
export const answerProblems =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const problem = problemOf(error);
    const { status } = PROBLEMS[problem.problem];
    if (problem.problem === 'internal')
      log.error({ method: request.method, path: request.path, err: problem.cause }, 'a request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.retryAfterS !== null) response.setHeader('retry-after', String(problem.retryAfterS));
    if (status === 401) response.setHeader('www-authenticate', 'Bearer');
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(problemBody(problem)));
  };
