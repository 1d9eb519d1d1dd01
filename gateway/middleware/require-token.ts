import type { RequestHandler } from 'express';
import type { BrowserLogin } from '../browser-login.ts';
import { ProblemError } from '../problems.ts';
import { createMatcher } from '../token.ts';

/** Whether an `Authorization` header brings the bearer token; null where it brings none. */
export const createBearerCheck = (token: string): ((authorization: string | undefined) => boolean | null) => {
  const matches = createMatcher(token);
  return (authorization) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    return given === undefined ? null : matches(given);
  };
};

export const unauthorized = (): ProblemError =>
  new ProblemError('unauthorized', 'send Authorization: Bearer with the token of GATEWAY_TOKEN_FILE');

/** Lets pass who brings the bearer token, or a browser with the cookie of a login. */
export const requireToken = (token: string, login: Pick<BrowserLogin, 'admits'>): RequestHandler => {
  const check = createBearerCheck(token);
  return (request, _response, next) => {
    if (!(check(request.headers.authorization) ?? login.admits(request.headers.cookie))) throw unauthorized();
    next();
  };
};
