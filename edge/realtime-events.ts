import { z } from 'zod';

/** A function the model may call; `parameters` is a JSON Schema. */
export interface FunctionTool {
  type: 'function';
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

/** How the service finds turns by itself; null: it does not, the client commits. */
export type TurnDetection = {
  type: 'server_vad';
  create_response: false;
  interrupt_response: false;
  prefix_padding_ms: number;
  silence_duration_ms: number;
} | null;

/** How sound comes in: 24 kHz, 16 bit, mono, written down by `transcription.model`. */
export interface InputSettings {
  format: { type: 'audio/pcm'; rate: 24_000 };
  transcription: { model: string; languages?: string[]; keywords?: string[] };
  turn_detection: TurnDetection;
}

/** What a session is for: text of speech alone, or a spoken conversation. */
export type SessionSettings =
  | { type: 'transcription'; audio: { input: InputSettings } }
  | {
      type: 'realtime';
      instructions: string;
      output_modalities: ['audio'];
      audio: { input: InputSettings; output: { format: { type: 'audio/pcm'; rate: 24_000 }; voice: string } };
      tools: FunctionTool[];
      tool_choice: 'auto';
    };

/** What is put into a conversation besides sound. */
export type NewItem =
  | { type: 'message'; role: 'system' | 'user'; content: { type: 'input_text'; text: string }[] }
  | { type: 'message'; role: 'assistant'; content: { type: 'output_text'; text: string }[] }
  | { type: 'function_call_output'; call_id: string; output: string };

/** What is sent. `event_id` comes back in the `error` event that is about it. */
export type ClientEvent =
  | { type: 'session.update'; event_id: string; session: SessionSettings }
  | { type: 'input_audio_buffer.append'; audio: string }
  | { type: 'input_audio_buffer.commit'; event_id: string }
  | { type: 'input_audio_buffer.clear' }
  | { type: 'conversation.item.create'; item: NewItem }
  | { type: 'conversation.item.delete'; item_id: string }
  | { type: 'conversation.item.truncate'; item_id: string; content_index: number; audio_end_ms: number }
  | { type: 'response.create'; event_id: string }
  | { type: 'response.cancel'; event_id: string };

const session = z.object({ expires_at: z.number().nullish() });
const transcription = 'conversation.item.input_audio_transcription';
const ofItem = { item_id: z.string() };
const ofReply = { response_id: z.string(), item_id: z.string(), content_index: z.number().int().nonnegative() };

/** What the service says was wrong. */
export const ServerFault = z.object({
  type: z.string().nullish(),
  code: z.string().nullish(),
  message: z.string().nullish(),
  param: z.string().nullish(),
  event_id: z.string().nullish(),
});
export type ServerFault = z.infer<typeof ServerFault>;

/** An item the model made; only calls of functions are looked into. */
const OutputItem = z.object({
  type: z.string(),
  name: z.string().nullish(),
  call_id: z.string().nullish(),
  arguments: z.string().nullish(),
});
export type OutputItem = z.infer<typeof OutputItem>;

/** The events that mean something here, as far as they do. */
const EVENTS = [
  z.object({ type: z.literal('session.created'), session }),
  z.object({ type: z.literal('session.updated'), session }),
  z.object({ type: z.literal('error'), error: ServerFault }),
  z.object({ type: z.literal('input_audio_buffer.committed'), ...ofItem }),
  z.object({ type: z.literal('input_audio_buffer.speech_started'), ...ofItem, audio_start_ms: z.number() }),
  z.object({ type: z.literal('input_audio_buffer.speech_stopped'), ...ofItem, audio_end_ms: z.number() }),
  z.object({ type: z.literal(`${transcription}.delta`), ...ofItem, delta: z.string().nullish() }),
  z.object({ type: z.literal(`${transcription}.completed`), ...ofItem, transcript: z.string() }),
  z.object({ type: z.literal(`${transcription}.failed`), ...ofItem, error: ServerFault.nullish() }),
  z.object({ type: z.literal('response.created'), response: z.object({ id: z.string() }) }),
  z.object({ type: z.literal('response.output_audio.delta'), ...ofReply, delta: z.base64() }),
  z.object({ type: z.literal('response.output_audio.done'), ...ofReply }),
  z.object({ type: z.literal('response.output_audio_transcript.delta'), ...ofReply, delta: z.string() }),
  z.object({ type: z.literal('response.output_audio_transcript.done'), ...ofReply, transcript: z.string() }),
  z.object({ type: z.literal('response.output_item.done'), response_id: z.string(), item: OutputItem }),
  z.object({
    type: z.literal('response.done'),
    response: z.object({
      id: z.string(),
      status: z.string().nullish(),
      output: z.array(OutputItem).nullish(),
    }),
  }),
] as const;
const ServerEventSchema = z.discriminatedUnion('type', EVENTS);
export type ServerEvent = z.infer<typeof ServerEventSchema>;

const KNOWN: ReadonlySet<unknown> = new Set(EVENTS.map((schema) => schema.shape.type.value));

/** An event that means something; `unknown`: one that does not; `unreadable`: it should, but is not as documented. */
export type ReadEvent = { kind: 'known'; event: ServerEvent } | { kind: 'unknown' } | { kind: 'unreadable' };

/** Parses what came over the wire; never throws. */
export const readServerEvent = (raw: unknown): ReadEvent => {
  // Looked at first: a flood of events that mean nothing must cost nothing.
  if (typeof raw !== 'object' || raw === null || !('type' in raw) || !KNOWN.has(raw.type)) return { kind: 'unknown' };
  const parsed = ServerEventSchema.safeParse(raw);
  return parsed.success ? { kind: 'known', event: parsed.data } : { kind: 'unreadable' };
};

/** 16-bit little-endian samples as the wire wants them. */
export const toBase64 = (samples: Int16Array): string =>
  Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64');

/** The samples in base64 of the wire; half a sample at the end is dropped. */
export const fromBase64 = (text: string): Int16Array => {
  const bytes = Buffer.from(text, 'base64');
  // Buffers share memory at any offset; samples want an even one of their own.
  const own = new Uint8Array(bytes.length - (bytes.length % 2));
  own.set(bytes.subarray(0, own.length));
  return new Int16Array(own.buffer);
};
