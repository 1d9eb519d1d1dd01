import { z } from 'zod';
import { isSignatureOf } from './canonical.ts';
import { RequestProblem } from './conversation.ts';
import type { Conversation, Exchange, Outcome, Vocabulary } from './conversation.ts';

const Json = z.record(z.string(), z.unknown());
const FunctionCall = z.strictObject({ id: z.string().optional(), name: z.string().min(1), args: Json.optional() });
const Blob = z.looseObject({ mimeType: z.string(), data: z.string() });
const FunctionResponse = z.strictObject({
  id: z.string().optional(),
  name: z.string().min(1),
  response: Json,
  parts: z.array(z.looseObject({ inlineData: Blob.optional() })).optional(),
  willContinue: z.boolean().optional(),
  scheduling: z.string().optional(),
});
const Part = z.strictObject({
  text: z.string().optional(),
  inlineData: Blob.optional(),
  fileData: z.looseObject({}).optional(),
  functionCall: FunctionCall.optional(),
  functionResponse: FunctionResponse.optional(),
  executableCode: z.looseObject({}).optional(),
  codeExecutionResult: z.looseObject({}).optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  videoMetadata: z.looseObject({}).optional(),
  mediaResolution: z.unknown().optional(),
});
export type Part = z.infer<typeof Part>;
const Content = z.strictObject({ role: z.string().optional(), parts: z.array(Part) });

const FunctionDeclaration = z.strictObject({
  name: z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/, 'Invalid function name'),
  description: z.string().optional(),
  parameters: Json.optional(),
  parametersJsonSchema: z.unknown().optional(),
  response: Json.optional(),
  responseJsonSchema: z.unknown().optional(),
  behavior: z.string().optional(),
});
const Tool = z.strictObject({
  functionDeclarations: z.array(FunctionDeclaration).optional(),
  computerUse: z.looseObject({ environment: z.string() }).optional(),
  googleSearch: z.looseObject({}).optional(),
  codeExecution: z.looseObject({}).optional(),
  urlContext: z.looseObject({}).optional(),
});

/** The body of `generateContent` (v1beta, November 2026); another field is a 400. */
export const GenerateContentRequest = z.strictObject({
  contents: z.array(Content),
  systemInstruction: z.union([z.string(), Content]).optional(),
  tools: z.array(Tool).optional(),
  toolConfig: z
    .looseObject({ functionCallingConfig: z.looseObject({ mode: z.string().optional() }).optional() })
    .optional(),
  safetySettings: z.array(z.unknown()).optional(),
  generationConfig: z
    .looseObject({
      maxOutputTokens: z.number().int().min(1).optional(),
      thinkingConfig: z.looseObject({ includeThoughts: z.boolean().optional() }).optional(),
    })
    .optional(),
  cachedContent: z.string().optional(),
  model: z.string().optional(),
});
export type GenerateContentRequest = z.infer<typeof GenerateContentRequest>;

/** Fields of the OpenAPI subset that `functionDeclarations[].parameters` takes; `parametersJsonSchema` takes any. */
const SCHEMA_FIELDS = new Set(
  (
    'type format title description nullable enum items maxItems minItems properties required minProperties ' +
    'maxProperties minLength maxLength pattern example anyOf propertyOrdering default minimum maximum'
  ).split(' '),
);

const invalid = (message: string, details?: unknown): RequestProblem =>
  new RequestProblem(400, 'INVALID_ARGUMENT', message, { details });
const unknownName = (name: string, at: string): RequestProblem => {
  const description = `Invalid JSON payload received. Unknown name "${name}"${at ? ` at '${at}'` : ''}: Cannot find field.`;
  const violation = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [{ field: at, description }],
  };
  return invalid(description, [violation]);
};

/** `tools[0].function_declarations[1].parameters`, as the provider writes places. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((step) =>
      typeof step === 'number' ? `[${step}]` : `.${String(step).replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}`,
    )
    .join('')
    .replace(/^\./, '');

const describe = (issue: z.core.$ZodIssue): RequestProblem => {
  const at = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') return unknownName(issue.keys[0] ?? '', at);
  if (issue.message.endsWith('received undefined'))
    return invalid(`* GenerateContentRequest.${at}: required field is not set\n`);
  return invalid(`Invalid value at '${at}': ${issue.message}`);
};

const checkSchema = (schema: unknown, at: string): void => {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  for (const [key, value] of Object.entries<unknown>({ ...schema })) {
    if (!SCHEMA_FIELDS.has(key)) throw unknownName(key, at);
    if (key === 'items') checkSchema(value, `${at}.items`);
    if (key === 'anyOf' && Array.isArray(value))
      value.forEach((each, index) => checkSchema(each, `${at}.any_of[${index}]`));
    const properties = key === 'properties' ? z.record(z.string(), z.unknown()).safeParse(value) : null;
    if (properties?.success)
      Object.values(properties.data).forEach((each, index) => checkSchema(each, `${at}.properties[${index}].value`));
  }
};

const checkTools = (request: GenerateContentRequest): void => {
  const names = new Set<string>();
  for (const [index, tool] of (request.tools ?? []).entries()) {
    for (const [place, declaration] of (tool.functionDeclarations ?? []).entries()) {
      checkSchema(declaration.parameters, `tools[${index}].function_declarations[${place}].parameters`);
      if (names.has(declaration.name)) throw invalid(`Duplicate function declaration found: ${declaration.name}`);
      names.add(declaration.name);
    }
  }
  const mode = request.toolConfig?.functionCallingConfig?.mode ?? 'AUTO';
  if (!['AUTO', 'NONE', 'MODE_UNSPECIFIED'].includes(mode))
    throw invalid(`toolConfig: rehearsal decides by itself which function it calls; "${mode}" is not rehearsed`);
};

/** The generation of a model name, e.g. 3.5; names without one are taken for the newest. */
const generationOf = (model: string): number => Number(/gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1] ?? Infinity);
/** From Gemini 3 on, a function call of the current turn that comes back without its signature is a 400. */
export const demandsSignatures = (model: string): boolean => generationOf(model) >= 3;
export const vocabularyOf = (model: string): Vocabulary =>
  model.includes('computer-use-preview') || generationOf(model) < 3.5 ? 'legacy' : 'current';

/** What a thought signature covers: the call, as sent. */
export const signedCall = (call: { name: string; args?: Record<string, unknown> | undefined }): unknown => [
  call.name,
  call.args ?? {},
];
/** The provider's own pass for histories it did not write ("thought signatures", documentation). */
const SKIP_SIGNATURE = new Set(['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']);

type Content = { role: 'user' | 'model'; parts: Part[] };

const callsIn = (content: Content | undefined) =>
  (content?.parts ?? []).flatMap((part) => (part.functionCall ? [{ ...part, call: part.functionCall }] : []));
const responsesIn = (content: Content | undefined) =>
  (content?.parts ?? []).flatMap((part) => (part.functionResponse ? [part.functionResponse] : []));

const checkTurns = (contents: Content[]): void => {
  for (const [index, content] of contents.entries()) {
    const calls = callsIn(content);
    const responses = responsesIn(content);
    if (content.role === 'user' && calls.length > 0)
      throw invalid('Please ensure that function call parts have the role "model".');
    if (calls.length > 0 && contents[index - 1]?.role !== 'user')
      throw invalid(
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      );
    const asked = callsIn(contents[index - 1]);
    if (responses.length > 0 && asked.length === 0)
      throw invalid('Please ensure that function response turn comes immediately after a function call turn.');
    if (responses.length !== asked.length)
      throw invalid(
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      );
    for (const [place, response] of responses.entries()) {
      const known =
        response.id === undefined ? asked[place]?.call : asked.find(({ call }) => call.id === response.id)?.call;
      if (known?.name !== response.name)
        throw invalid(
          `Function response ${place} (${response.name}) does not answer function call ${known?.name ?? response.id ?? place}.`,
        );
    }
  }
  if (callsIn(contents.at(-1)).length > 0)
    throw invalid('Please ensure that function call turn is followed by a function response turn.');
};

const checkSignatures = (model: string, contents: Content[]): void => {
  const current = contents.findLastIndex((content) => content.role === 'user' && responsesIn(content).length === 0);
  for (const [index, content] of contents.entries()) {
    for (const [place, part] of callsIn(content).entries()) {
      const signature = part.thoughtSignature;
      if (signature === undefined) {
        if (place === 0 && index > current && demandsSignatures(model))
          throw invalid(
            'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing ' +
              `thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${part.call.name}\` , position ${index + 1}. ` +
              'Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.',
          );
      } else if (!SKIP_SIGNATURE.has(signature) && !isSignatureOf(signature, signedCall(part.call)))
        throw invalid(
          `Thought signature is not valid. Additional data, function call \`default_api:${part.call.name}\` , position ${index + 1}.`,
        );
    }
  }
};

const contentsOf = (request: GenerateContentRequest): Content[] => {
  if (request.contents.length === 0) throw invalid('* GenerateContentRequest.contents: contents is not specified\n');
  const merged: Content[] = [];
  for (const [index, { role = 'user', parts }] of request.contents.entries()) {
    if (!['user', 'model', 'function'].includes(role)) throw invalid('Please use a valid role: user, model.');
    if (parts.length === 0)
      throw invalid(`* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`);
    for (const [place, part] of parts.entries())
      if (Object.keys(part).every((key) => key === 'thought' || key === 'thoughtSignature'))
        throw invalid(
          `* GenerateContentRequest.contents[${index}].parts[${place}].data: required oneof field 'data' must have one initialized field\n`,
        );
    const side = role === 'model' ? 'model' : 'user';
    const last = merged.at(-1);
    if (last?.role === side) last.parts.push(...parts);
    else merged.push({ role: side, parts: [...parts] });
  }
  if (merged[0]?.role !== 'user') throw invalid('Please ensure that the first turn comes from the user.');
  if (merged.at(-1)?.role !== 'user')
    throw invalid('Please ensure that single turn requests end with a user role or the role field is empty.');
  return merged;
};

/**
 * Parses and checks a request as the provider would.
 * @throws RequestProblem 400 INVALID_ARGUMENT, in the provider's words where they are known.
 */
export const readGenerateContentRequest = (
  model: string,
  body: unknown,
): { request: GenerateContentRequest; contents: Content[] } => {
  const parsed = GenerateContentRequest.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw issue ? describe(issue) : invalid('not a request');
  }
  const contents = contentsOf(parsed.data);
  checkTools(parsed.data);
  checkTurns(contents);
  checkSignatures(model, contents);
  return { request: parsed.data, contents };
};

const textOf = (parts: readonly Part[]): string =>
  parts.flatMap((part) => (part.text !== undefined && !part.thought ? [part.text] : [])).join('\n');

/** A function response as text: its strings as they are, anything else as JSON. */
const outcomeOf = (response: Record<string, unknown>): Outcome => {
  const { url, error, safety_acknowledgement: _, ...rest } = response;
  const lines = Object.values(rest).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  if (error !== undefined) lines.unshift(typeof error === 'string' ? error : JSON.stringify(error));
  return { text: lines.join('\n'), isError: error !== undefined, url: typeof url === 'string' ? url : null };
};

/** The request without its protocol. */
export const conversationOf = (
  model: string,
  request: GenerateContentRequest,
  contents: readonly Content[],
): Conversation => {
  const exchanges: Exchange[] = [];
  for (const [index, content] of contents.entries()) {
    if (content.role !== 'model') continue;
    const answer = contents[index + 1];
    const calls = callsIn(content).map(({ call }) => call);
    const responses = responsesIn(answer);
    exchanges.push({
      said: textOf(content.parts),
      calls: calls.map((call) => ({ name: call.name, input: call.args ?? {} })),
      outcomes: calls.map((call, place) => {
        const response = responses.find(({ id }) => id !== undefined && id === call.id) ?? responses[place];
        return response ? outcomeOf(response.response) : { text: '', isError: true, url: null };
      }),
      notes: (answer?.parts ?? []).flatMap((part) => (part.text !== undefined ? [part.text] : [])),
    });
  }
  const none = request.toolConfig?.functionCallingConfig?.mode === 'NONE';
  const tools = none ? [] : (request.tools ?? []);
  return {
    provider: 'gemini',
    model,
    tools: new Set(tools.flatMap((tool) => (tool.functionDeclarations ?? []).map((declaration) => declaration.name))),
    vocabulary: tools.some((tool) => tool.computerUse) ? vocabularyOf(model) : null,
    opening: textOf(contents[0]?.parts ?? []),
    exchanges,
  };
};
