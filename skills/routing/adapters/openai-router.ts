import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI, { APIError } from 'openai';
import type { ReasoningEffort } from 'openai/resources/shared';
import type { ResponseFormatTextJSONSchemaConfig } from 'openai/resources/responses/responses';
import { z } from 'zod';
import { DEPENDENCY_CONDITIONS } from '../../../contracts/names.ts';
import { codeOf, messageOf } from '../../../platform/errors.ts';
import type { PriceBook, TokenCounts } from '../../../platform/prices.ts';
import { createScrub } from '../../../platform/secrets.ts';
import { oneLine } from '../../../platform/text.ts';
import { LanguageFault } from '../language-model.ts';
import type { LanguageClause, LanguageReading, LanguageRequest, LanguageRouter } from '../language-model.ts';

export interface OpenaiRouterOptions {
  apiKey: string;
  /** With the version in its path, as the provider's own: null means `https://api.openai.com/v1`. */
  baseUrl: string | null;
  model: string;
  /** null: not sent, which leaves it to the model's own default. */
  reasoningEffort: string | null;
  prices: PriceBook;
}

/** How an answer names "no order": no skill can have this name. */
const NONE = '(none)';
/** Tokens of one answer: eight orders in full take about half. */
const MAX_OUTPUT_TOKENS = 1_500;
const MAX_WORDS = 300;
const INSTRUCTIONS = readFileSync(join(import.meta.dirname, '..', 'language-router.md'), 'utf8').trim();

/** Headers of a request; others can only come from OPENAI_CUSTOM_HEADERS, which the SDK reads by itself. */
const OURS = /^(accept|content-type|user-agent|x-stainless-.+)$/;

const propertiesOf = ({ parameters }: LanguageRequest['skills'][number]): Record<string, Record<string, unknown>> =>
  (parameters['properties'] ?? {}) as Record<string, Record<string, unknown>>;

/** Strict mode wants every field required and nothing open; optional parameters are a list of pairs. */
const formatOf = (skills: LanguageRequest['skills']): ResponseFormatTextJSONSchemaConfig => {
  const names = [...new Set(skills.flatMap((skill) => Object.keys(propertiesOf(skill))))];
  const object = (properties: Record<string, unknown>) => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  });
  const clause = object({
    text: { type: 'string' },
    skill: { type: 'string', enum: [...skills.map(({ name }) => name), NONE] },
    unsure: { type: 'boolean' },
    parameters: {
      type: 'array',
      items: object({
        name: names.length > 0 ? { type: 'string', enum: names } : { type: 'string' },
        value: { type: 'string' },
      }),
    },
    depends_on: {
      type: 'array',
      items: object({ clause: { type: 'integer' }, when: { type: 'string', enum: DEPENDENCY_CONDITIONS } }),
    },
  });
  return {
    type: 'json_schema',
    name: 'orders',
    strict: true,
    schema: object({ clauses: { type: 'array', items: clause } }),
  };
};

const describe = (skill: LanguageRequest['skills'][number]): Record<string, unknown> => ({
  name: skill.name,
  description: skill.description,
  parameters: Object.fromEntries(
    Object.entries(propertiesOf(skill)).map(([name, { 'x-cues': _cues, ...schema }]) => [name, schema]),
  ),
});

/** What another program could not decide, without its view of the rest. */
const doubtsOf = ({ embedded }: LanguageRequest): Record<string, unknown>[] =>
  embedded.clauses
    .filter(({ ask, missing, runner_up }) => ask && missing.length === 0 && runner_up !== null)
    .map(({ text, skill, runner_up }) => ({ text, skills: [skill, runner_up?.skill] }));

/** The answer's envelope, as far as it matters; a stand-in may leave out the rest. */
const Reply = z.object({
  model: z.string(),
  status: z.string().nullish(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish(),
  output: z.array(
    z.object({
      type: z.string(),
      content: z.array(z.object({ type: z.string(), text: z.string().nullish() })).nullish(),
    }),
  ),
  usage: z
    .object({
      input_tokens: z.number().int().nonnegative(),
      output_tokens: z.number().int().nonnegative(),
      input_tokens_details: z
        .object({
          cached_tokens: z.number().int().nonnegative().nullish(),
          cache_write_tokens: z.number().int().nonnegative().nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
type Reply = z.infer<typeof Reply>;

/** Asked for as a strict schema; checked again, since an address of one's own may answer anything. */
const Orders = z.object({
  clauses: z
    .array(
      z.object({
        text: z.string(),
        skill: z.string(),
        unsure: z.boolean(),
        parameters: z.array(z.object({ name: z.string(), value: z.string() })),
        depends_on: z.array(z.object({ clause: z.number().int(), when: z.enum(DEPENDENCY_CONDITIONS) })),
      }),
    )
    .max(100),
});

const clausesIn = (text: string): LanguageClause[] =>
  Orders.parse(JSON.parse(text)).clauses.map(({ skill, parameters, ...clause }) => ({
    ...clause,
    skill: skill === NONE ? null : skill,
    parameters: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
  }));

const answerOf = (reply: Reply): { clauses: LanguageClause[]; problem: null } | { clauses: null; problem: string } => {
  const failed = (problem: string) => ({ clauses: null, problem });
  if (reply.status && reply.status !== 'completed')
    return failed(`the answer is ${reply.status} (${reply.incomplete_details?.reason ?? 'no reason given'})`);
  const content = reply.output.flatMap((item) => (item.type === 'message' ? (item.content ?? []) : []));
  if (content.some(({ type }) => type === 'refusal')) return failed('the model refused to answer');
  const text = content.flatMap((part) => (part.type === 'output_text' ? [part.text ?? ''] : [])).join('');
  try {
    return { clauses: clausesIn(text), problem: null };
  } catch {
    return failed('the answer is not in the form that was asked for');
  }
};

const usageOf = ({ usage }: Reply): TokenCounts | null =>
  usage
    ? {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.input_tokens_details?.cached_tokens ?? 0,
        cache_write_tokens: usage.input_tokens_details?.cache_write_tokens ?? 0,
      }
    : null;

/** The connection never came about: nothing was sent. */
const neverSent = (error: unknown): boolean => {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = 'cause' in at ? at.cause : null)
    if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/.test(codeOf(at))) return true;
  return false;
};

/**
 * OpenAI Responses with a strict JSON schema whose skills are a closed list. The sentence travels as data in the user's
 * message, never in the instructions. No retries: the answer is wanted now or not at all. Nothing is stored by the provider.
 */
export const createOpenaiRouter = (options: OpenaiRouterOptions): LanguageRouter => {
  const { apiKey, model, prices } = options;
  const scrub = createScrub([apiKey]);
  const ownFetch: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    for (const name of [...headers.keys()]) if (!OURS.test(name)) headers.delete(name);
    headers.set('authorization', `Bearer ${apiKey}`);
    return fetch(input, { ...init, headers, redirect: 'error' });
  };
  const client = new OpenAI({
    apiKey,
    // Each named in every case: left out, the SDK would ask the environment by itself.
    baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
    maxRetries: 0,
    fetch: ownFetch,
  });

  const send = async (request: LanguageRequest, signal: AbortSignal): Promise<Reply> => {
    const doubts = doubtsOf(request);
    const response = await client.responses
      .create(
        {
          model,
          instructions: `${INSTRUCTIONS}\n\n${JSON.stringify(request.skills.map(describe))}`,
          input: JSON.stringify({ sentence: request.sentence, ...(doubts.length > 0 && { doubts }) }),
          text: { format: formatOf(request.skills) },
          max_output_tokens: MAX_OUTPUT_TOKENS,
          store: false,
          // The tier the price file is about, whatever the project prefers.
          service_tier: 'default',
          ...(options.reasoningEffort !== null && {
            reasoning: { effort: options.reasoningEffort as ReasoningEffort },
          }),
        },
        { signal },
      )
      .asResponse();
    return Reply.parse(await response.json());
  };

  const faultOf = (error: unknown): LanguageFault => {
    const words = (text: string): string => oneLine(scrub(text), MAX_WORDS);
    if (error instanceof APIError && typeof error.status === 'number')
      return new LanguageFault(words(`OpenAI answered ${error.message}`), false);
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      return new LanguageFault('OpenAI gave an answer that is no response of its protocol', true);
    return new LanguageFault(words(`OpenAI gave no whole answer: ${messageOf(error)}`), !neverSent(error));
  };

  return {
    provider: 'openai',
    model,
    read: async (request, signal): Promise<LanguageReading> => {
      signal.throwIfAborted();
      try {
        const reply = await send(request, signal);
        const usage = usageOf(reply);
        const cost_usd = usage && prices.cost(reply.model, usage);
        return {
          model: reply.model,
          usage,
          cost_usd,
          cost_source: cost_usd === null ? 'unknown' : 'priced',
          price_version: prices.version,
          ...answerOf(reply),
        };
      } catch (error) {
        signal.throwIfAborted();
        throw faultOf(error);
      }
    },
  };
};
