import type { Content, GenerateContentRequest } from '@google/generative-ai';
import { z } from 'zod';
import type { ToolDefinition } from '../../tool-definitions.ts';
import { ModelError } from '../model.ts';
import type { Entry, Part, ToolResult, TurnRequest } from '../model.ts';

/** A part as it is on the wire; the SDK's types know neither signatures nor pictures in function responses. */
type WirePart = Record<string, unknown>;
interface WireContent {
  role: 'user' | 'model';
  parts: WirePart[];
}

/** The provider's own content of an answer; its fields are the provider's affair, and go back untouched. */
export const WireAnswer = z.looseObject({ parts: z.array(z.record(z.string(), z.unknown())).default([]) });

/** Screenshots of older turns cost a thousand tokens each and mislead; the reference agent keeps three as well. */
const TURNS_WITH_SCREENSHOTS = 3;

/** Words of JSON Schema that the provider's OpenAPI subset answers with a 400. */
const FOREIGN_WORDS = new Set(['additionalProperties', '$schema']);

const openApi = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(openApi);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([word]) => !FOREIGN_WORDS.has(word))
      .map(([word, value]) => [word, openApi(value)]),
  );
};

/** An object without properties is a 400; a function without parameters is not. */
const declarationOf = (tool: ToolDefinition): WirePart => {
  const { properties } = tool.inputSchema;
  const hasParameters = typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0;
  return {
    name: tool.name,
    description: tool.description,
    ...(hasParameters ? { parameters: openApi(tool.inputSchema) } : {}),
  };
};

/** Editor and bash are plain functions here; the provider has no types of its own for them. */
const toolsOf = (tools: readonly ToolDefinition[]): WirePart[] => {
  const functions = tools.filter((tool) => tool.native !== 'computer').map(declarationOf);
  return [
    ...(functions.length < tools.length ? [{ computerUse: { environment: 'ENVIRONMENT_BROWSER' } }] : []),
    ...(functions.length > 0 ? [{ functionDeclarations: functions }] : []),
  ];
};

type LoadImage = TurnRequest['loadImage'];

const imagePart = async (part: Extract<Part, { type: 'image' }>, loadImage: LoadImage): Promise<WirePart> => ({
  inlineData: { mimeType: part.media_type, data: (await loadImage(part.sha256)).toString('base64') },
});

const userParts = async (parts: readonly Part[], loadImage: LoadImage): Promise<WirePart[]> =>
  Promise.all(
    parts
      .filter((part) => part.type === 'image' || part.text !== '')
      .map(async (part) => (part.type === 'text' ? { text: part.text } : imagePart(part, loadImage))),
  );

/**
 * One call's result. A Computer Use response must name the page's address; a picture travels inside the response.
 * `safety_acknowledgement` says that a person confirmed what the provider asked to be confirmed (and only that: a call
 * may have been approved for reasons of our own).
 */
const responsePart = async (
  result: ToolResult,
  about: { id: string | null; url: string | null; withImages: boolean; acknowledged: boolean },
  loadImage: LoadImage,
): Promise<WirePart> => {
  const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  const images = about.withImages ? result.content.filter((part) => part.type === 'image') : [];
  const failed = result.is_error || result.unknown;
  return {
    functionResponse: {
      ...(about.id === null ? {} : { id: about.id }),
      name: result.name,
      response: {
        ...(about.url === null ? {} : { url: about.url }),
        ...(failed ? { error: text || 'failed' } : text ? { output: text } : {}),
        ...(about.acknowledged ? { safety_acknowledgement: 'true' } : {}),
      },
      ...(images.length > 0 ? { parts: await Promise.all(images.map((part) => imagePart(part, loadImage))) } : {}),
    },
  };
};

/** The provider's ids by ours, in the order of the calls; null where it gave none. */
const idsOf = (calls: readonly { id: string }[], raw: z.infer<typeof WireAnswer>): Map<string, string | null> => {
  const theirs = raw.parts.flatMap(({ functionCall }) =>
    typeof functionCall === 'object' && functionCall !== null
      ? ['id' in functionCall && typeof functionCall.id === 'string' ? functionCall.id : null]
      : [],
  );
  return new Map(calls.map((call, at) => [call.id, theirs[at] ?? null]));
};

/** @throws ModelError BadInput when the entry was written by another provider. */
const rawOf = (entry: Extract<Entry, { role: 'assistant' }>): z.infer<typeof WireAnswer> => {
  const raw = WireAnswer.safeParse(entry.raw ?? {});
  if (entry.provider !== 'gemini' || !raw.success)
    throw new ModelError('BadInput', 'the conversation holds an answer that is not from Gemini', { retryable: false });
  return raw.data;
};

const hasImage = (entry: Entry): boolean =>
  entry.role === 'tools' && entry.results.some(({ content }) => content.some(({ type }) => type === 'image'));

const contentsOf = async (
  entries: readonly Entry[],
  functions: ReadonlySet<string>,
  loadImage: LoadImage,
): Promise<WireContent[]> => {
  const contents: WireContent[] = [];
  const add = (role: WireContent['role'], parts: WirePart[]): void => {
    const last = contents.at(-1);
    if (parts.length === 0) return;
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts: [...parts] });
  };
  const shown = new Set(entries.filter(hasImage).slice(-TURNS_WITH_SCREENSHOTS));
  let ids = new Map<string, string | null>();
  let asked = new Set<string>();
  let url = 'about:blank';
  for (const entry of entries) {
    if (entry.role === 'user') add('user', await userParts(entry.content, loadImage));
    if (entry.role === 'assistant') {
      const raw = rawOf(entry);
      ids = idsOf(entry.tool_calls, raw);
      asked = new Set(entry.tool_calls.filter(({ confirm }) => confirm !== null).map(({ id }) => id));
      add('model', raw.parts);
    }
    if (entry.role === 'tools')
      for (const result of entry.results) {
        url = result.url ?? url;
        const about = {
          id: ids.get(result.call_id) ?? null,
          url: functions.has(result.name) ? result.url : url,
          withImages: shown.has(entry),
          acknowledged: result.confirmed && asked.has(result.call_id),
        };
        add('user', [await responsePart(result, about, loadImage)]);
      }
  }
  return contents;
};

/** The body of one turn: the whole conversation, every time. */
export const generateRequest = async (request: TurnRequest): Promise<GenerateContentRequest> => {
  const tools = toolsOf(request.tools);
  const functions = new Set(request.tools.filter((tool) => tool.native !== 'computer').map((tool) => tool.name));
  const contents = await contentsOf(request.entries, functions, (sha256) => request.loadImage(sha256));
  return {
    // The wire knows parts that the types of the SDK (deprecated upstream) never learnt; it sends what it is given.
    contents: contents as unknown as Content[],
    ...(tools.length > 0 ? { tools } : {}),
    ...(request.instructions.trim() ? { systemInstruction: request.instructions } : {}),
    generationConfig: { maxOutputTokens: request.maxOutputTokens },
  };
};
