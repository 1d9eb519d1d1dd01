import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ProblemName } from './problems.ts';

/** What a handler gets: parsed at the door. */
export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  header: (name: string) => string | undefined;
}

/** JSON, bytes, or a stream that the route writes itself until its end. */
export type Reply = { status: number; headers?: Readonly<Record<string, string>> } & (
  | { json: unknown }
  | { text: string }
  | { bytes: Uint8Array }
  | { stream: (response: ServerResponse, signal: AbortSignal) => Promise<void> }
);

export interface ReplyDescription {
  description: string;
  /** Absent: not JSON. */
  schema?: z.ZodType;
  mediaType?: string;
}

/** One door of the gateway. The server and `/openapi.json` are made from the same list of these. */
export interface Route {
  method: 'get' | 'post';
  /** With `{name}` for parameters. */
  path: string;
  summary: string;
  /** `none`: answers without a token. */
  auth: 'token' | 'none';
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | null;
  /** May be left out altogether. */
  bodyOptional: boolean;
  replies: Readonly<Record<number, ReplyDescription>>;
  /** Beyond those that every route has (see `problemsOf`). */
  problems: readonly ProblemName[];
  handle(call: Call<unknown, unknown, unknown>): Promise<Reply>;
}

interface Definition<Params, Query, Body> {
  method: Route['method'];
  path: string;
  summary: string;
  auth?: Route['auth'];
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  bodyOptional?: boolean;
  replies: Route['replies'];
  problems?: readonly ProblemName[];
  handle(call: Call<Params, Query, Body>): Promise<Reply>;
}

/** A route whose handler's types follow from its schemas; the server parses before it calls. */
export const defineRoute = <Params = unknown, Query = unknown, Body = unknown>(
  definition: Definition<Params, Query, Body>,
): Route => ({
  ...definition,
  auth: definition.auth ?? 'token',
  params: definition.params ?? z.unknown(),
  query: definition.query ?? z.unknown(),
  body: definition.body ?? null,
  bodyOptional: definition.bodyOptional ?? false,
  problems: definition.problems ?? [],
  // The server parsed `call` with exactly these schemas.
  handle: (call) => definition.handle(call as Call<Params, Query, Body>),
});

/** Every problem a route can answer with. */
export const problemsOf = (route: Route): ProblemName[] => [
  'forbidden-host',
  'forbidden-origin',
  ...(route.auth === 'token' ? (['unauthorized', 'too-many', 'internal'] as const) : []),
  ...(route.body ? (['bad-request', 'too-large', 'not-json'] as const) : []),
  ...route.problems,
];
