import type { RequestHandler } from 'express';
import type { BrowserLogin } from '../browser-login.ts';
import { ProblemError } from '../problems.ts';
import { createMatcher } from '../token.ts';

/** Lets pass who brings the bearer token, or a browser with the cookie of a login. */
export const requireToken = (token: string, login: Pick<BrowserLogin, 'admits'>): RequestHandler => {
  const matches = createMatcher(token);
  return (request, _response, next) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!(given === undefined ? login.admits(request.headers.cookie) : matches(given)))
      throw new ProblemError('unauthorized', 'send Authorization: Bearer with the token of GATEWAY_TOKEN_FILE');
    next();
  };
};
