import { z } from 'zod';
import type { BrowserLogin } from '../browser-login.ts';
import { ProblemError } from '../problems.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

/** How a browser gets in: a program with the token asks for a link, a person opens it once. */
export const loginRoutes = (login: BrowserLogin): Route[] => [
  defineRoute({
    method: 'post',
    path: '/login',
    summary: 'A link that logs one browser in, once, within five minutes',
    replies: {
      201: {
        description: 'The path to open on this gateway',
        schema: z.strictObject({ path: z.string(), expires_at: z.string() }),
      },
    },
    handle: async () => {
      const { code, expiresAt } = login.mint();
      return { status: 201, json: { path: `/login?code=${code}`, expires_at: expiresAt } };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/login',
    summary: 'Opens the link: sets the cookie and goes on to the start page',
    auth: 'none',
    query: z.strictObject({ code: z.string().regex(/^[\w-]{1,100}$/) }),
    replies: { 303: { description: 'Logged in; goes on to /', mediaType: 'text/plain' } },
    problems: ['bad-request', 'login-expired'],
    handle: async ({ query: { code } }) => {
      const cookie = login.redeem(code);
      if (!cookie) throw new ProblemError('login-expired', 'ask for a new link');
      return {
        status: 303,
        headers: { 'set-cookie': cookie, location: '/', 'content-type': 'text/plain; charset=utf-8' },
        text: 'logged in\n',
      };
    },
  }),
];
