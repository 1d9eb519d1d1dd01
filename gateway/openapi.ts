import { z } from 'zod';
import { EDGE_LINK_PATH } from '../contracts/edge-link.ts';
import { Problem } from '../contracts/replies.ts';
import { PROBLEMS, problemType } from './problems.ts';
import type { ProblemName } from './problems.ts';
import { defineRoute, problemsOf } from './route.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** JSON Schema 2020-12, which OpenAPI 3.1 speaks. What only a transformation says is left out. */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
};

const parametersOf = (schema: z.ZodType, where: 'path' | 'query'): Json[] => {
  const { properties, required } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties ?? {}).map(([name, json]) => ({
    name,
    in: where,
    required: where === 'path' || (required ?? []).includes(name),
    schema: json,
  }));
};

const problemReplies = (names: readonly ProblemName[]): Json => {
  const byStatus = new Map<number, ProblemName[]>();
  for (const name of names) byStatus.set(PROBLEMS[name].status, [...(byStatus.get(PROBLEMS[name].status) ?? []), name]);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((name) => `${problemType(name)}: ${PROBLEMS[name].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
};

const operationOf = (route: Route): Json => ({
  summary: route.summary,
  operationId: `${route.method}${route.path.replace(/[{}]/g, '').replace(/[/._]+(\w)/g, (_, c: string) => c.toUpperCase())}`,
  security: route.auth === 'token' ? [{ bearer: [] }, { cookie: [] }] : [],
  parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
  ...(route.body && {
    requestBody: {
      required: !route.bodyOptional,
      content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
    },
  }),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.replies).map(([status, { description, schema, mediaType }]) => [
        status,
        {
          description,
          content: { [mediaType ?? 'application/json']: schema ? { schema: schemaOf(schema, 'output') } : {} },
        },
      ]),
    ),
    ...problemReplies(problemsOf(route)),
  },
});

/** What OpenAPI has no words for. */
const BESIDE_HTTP = `A voice edge is linked by a WebSocket at ${EDGE_LINK_PATH}, with the bearer token in its upgrade request: transcripts go up with the same checks, limits, replies and problems as POST /transcript, events of its tasks come down.`;

/** The whole description, made from the routes that the server is made from. */
export const describeApi = (routes: readonly Route[], version: string): Json => {
  const paths: Record<string, Json> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: '3.1.0',
    info: { title: 'Dual-environment orchestrator: gateway', version, description: BESIDE_HTTP },
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'dual_session' },
      },
    },
  };
};

/** `GET /openapi.json`, which describes itself too. */
export const withDescription = (routes: readonly Route[], version: string): Route[] => {
  const all: Route[] = [...routes];
  let description: Json | undefined;
  all.push(
    defineRoute({
      method: 'get',
      path: '/openapi.json',
      summary: 'This description',
      replies: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.literal('3.1.0') }) } },
      handle: async () => ({ status: 200, json: (description ??= describeApi(all, version)) }),
    }),
  );
  return all;
};
