import { z } from 'zod';
import { EventProblem, problemOf } from './event-problem.ts';

const eventId = z.string().max(512).optional();
const id = z.string().min(1).max(512);
const item = {
  id: z.string().min(1).max(64).optional(),
  object: z.literal('realtime.item').optional(),
  status: z.string().optional(),
};
const textParts = <Type extends string>(type: Type) =>
  z.array(z.strictObject({ type: z.literal(type), text: z.string() })).min(1);

/** What a client may put into a conversation; sound comes through the buffer alone. */
const NewItem = z.union([
  z.strictObject({ ...item, type: z.literal('message'), role: z.literal('system'), content: textParts('input_text') }),
  z.strictObject({ ...item, type: z.literal('message'), role: z.literal('user'), content: textParts('input_text') }),
  z.strictObject({
    ...item,
    type: z.literal('message'),
    role: z.literal('assistant'),
    content: textParts('output_text'),
  }),
  z.strictObject({ ...item, type: z.literal('function_call_output'), call_id: id, output: z.string() }),
]);
export type NewItem = z.infer<typeof NewItem>;

/** What may be said about one response; what rehearsal does not do is refused, what changes nothing here is taken. */
export const ResponseWishes = z.looseObject({
  conversation: z.literal('auto').optional(),
  input: z.undefined().optional(),
  output_modalities: z.tuple([z.enum(['audio', 'text'])]).optional(),
});
export type ResponseWishes = z.infer<typeof ResponseWishes>;

const EVENTS = [
  z.strictObject({ type: z.literal('session.update'), event_id: eventId, session: z.unknown() }),
  z.strictObject({ type: z.literal('input_audio_buffer.append'), event_id: eventId, audio: z.string() }),
  z.strictObject({ type: z.literal('input_audio_buffer.commit'), event_id: eventId }),
  z.strictObject({ type: z.literal('input_audio_buffer.clear'), event_id: eventId }),
  z.strictObject({
    type: z.literal('conversation.item.create'),
    event_id: eventId,
    previous_item_id: id.nullish(),
    item: NewItem,
  }),
  z.strictObject({ type: z.literal('conversation.item.retrieve'), event_id: eventId, item_id: id }),
  z.strictObject({ type: z.literal('conversation.item.delete'), event_id: eventId, item_id: id }),
  z.strictObject({
    type: z.literal('conversation.item.truncate'),
    event_id: eventId,
    item_id: id,
    content_index: z.literal(0),
    audio_end_ms: z.number().int().min(0),
  }),
  z.strictObject({ type: z.literal('response.create'), event_id: eventId, response: ResponseWishes.nullish() }),
  z.strictObject({ type: z.literal('response.cancel'), event_id: eventId, response_id: id.optional() }),
] as const;
const ClientEventSchema = z.discriminatedUnion('type', EVENTS);
export type ClientEvent = z.infer<typeof ClientEventSchema>;

const KNOWN = EVENTS.map((schema) => schema.shape.type.value);

/** An event, or why it is none; `eventId` is the client's name for it, as far as it could be read. */
export type ReadEvent = { eventId: string | null } & ({ event: ClientEvent } | { problem: EventProblem });

/** Parses what came over the wire; never throws. */
export const readClientEvent = (text: string): ReadEvent => {
  let raw: unknown;
  try {
    raw = JSON.parse(text) as unknown;
  } catch {
    const words = 'We could not parse the JSON body of your event.';
    return { eventId: null, problem: new EventProblem('invalid_json', words) };
  }
  const named = z.looseObject({ event_id: z.unknown().optional(), type: z.unknown().optional() }).safeParse(raw);
  const { event_id: name, type } = named.data ?? { event_id: null, type: undefined };
  const from = typeof name === 'string' ? name.slice(0, 512) : null;
  if (typeof type !== 'string') {
    const words = "Missing required parameter: 'type'.";
    return { eventId: from, problem: new EventProblem('missing_required_parameter', words, 'type') };
  }
  if (!KNOWN.some((known) => known === type)) {
    const words = `Invalid value: '${type.slice(0, 100)}'. Supported values are: ${KNOWN.map((known) => `'${known}'`).join(', ')}.`;
    return { eventId: from, problem: new EventProblem('invalid_value', words, 'type') };
  }
  const parsed = ClientEventSchema.safeParse(raw);
  return parsed.success ? { eventId: from, event: parsed.data } : { eventId: from, problem: problemOf(parsed.error) };
};

/** 24 kHz samples of an `append`. @throws EventProblem for what is no base64, or half a sample */
export const samplesOf = (audio: string): Int16Array => {
  const bytes = Buffer.from(audio, 'base64');
  const whole = audio.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(audio);
  if (!whole || bytes.length % 2 === 1)
    throw new EventProblem('invalid_value', "Invalid 'audio'. Expected base64-encoded 16-bit PCM bytes.", 'audio');
  // Buffers share memory at any offset; samples want an even one of their own.
  return new Int16Array(new Uint8Array(bytes).buffer);
};

/** Samples as the wire wants them: 16 bits, low byte first, in base64. */
export const toBase64 = (samples: Int16Array): string =>
  Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64');
