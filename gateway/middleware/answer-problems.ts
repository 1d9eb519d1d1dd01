import type { ErrorRequestHandler } from 'express';
import type { Log } from '../../platform/log.ts';
import { problemOf, problemReply } from '../problems.ts';

/** The last middleware: every error becomes application/problem+json; what we did not expect is logged, not told. */
export const answerProblems =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const problem = problemOf(error);
    if (problem.problem === 'internal')
      log.error({ method: request.method, path: request.path, err: problem.cause }, 'a request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, headers, body } = problemReply(problem);
    response.writeHead(status, headers);
    response.end(body);
  };
