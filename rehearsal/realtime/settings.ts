import { z } from 'zod';
import { EventProblem, problemOf } from './event-problem.ts';

/** Transcription models as the provider names them, dated ones included. */
const TRANSCRIBER = /^(whisper-1|gpt-[a-z0-9-]*(transcribe|whisper)[a-z0-9-]*)$/;
/** Models that write while the person speaks; they take no turn detection but the client's. */
const STREAMING = /^(gpt-live-transcribe|gpt-realtime-whisper)/;
/** The provider's limit on tools. */
const MAX_TOOLS = 128;

const Format = z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24_000).default(24_000) });
const Transcription = z.strictObject({
  model: z.string().regex(TRANSCRIBER, 'no transcription model'),
  language: z.string().optional(),
  languages: z.array(z.string()).optional(),
  keywords: z.array(z.string()).optional(),
  prompt: z.string().optional(),
  delay: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
});
const ServerVad = z.strictObject({
  type: z.literal('server_vad'),
  threshold: z.number().min(0).max(1).default(0.5),
  prefix_padding_ms: z.number().int().min(0).max(5_000).default(300),
  silence_duration_ms: z.number().int().min(20).max(10_000).default(500),
  create_response: z.boolean().default(true),
  interrupt_response: z.boolean().default(true),
  idle_timeout_ms: z.null().optional(),
});
export type ServerVad = z.infer<typeof ServerVad>;
const Input = z.strictObject({
  format: Format.optional(),
  transcription: Transcription.nullish(),
  turn_detection: ServerVad.nullish(),
  noise_reduction: z.unknown().optional(),
});
const Output = z.strictObject({
  format: Format.optional(),
  voice: z.union([z.string().min(1), z.strictObject({ id: z.string() })]).optional(),
  speed: z.number().min(0.25).max(1.5).optional(),
});
const Tool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().optional(),
  parameters: z.looseObject({}).optional(),
});
export type Tool = z.infer<typeof Tool>;

const include = z.array(z.string()).nullish();
const TranscriptionUpdate = z.strictObject({
  type: z.literal('transcription'),
  include,
  audio: z.strictObject({ input: Input.optional() }).optional(),
});
const RealtimeUpdate = z.strictObject({
  type: z.literal('realtime'),
  include,
  model: z.string().optional(),
  instructions: z.string().optional(),
  output_modalities: z.tuple([z.enum(['audio', 'text'])]).optional(),
  audio: z.strictObject({ input: Input.optional(), output: Output.optional() }).optional(),
  tools: z.array(Tool).max(MAX_TOOLS).optional(),
  tool_choice: z
    .union([z.enum(['auto', 'none', 'required']), z.strictObject({ type: z.literal('function'), name: z.string() })])
    .optional(),
  max_output_tokens: z.union([z.number().int().min(1), z.literal('inf')]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  // Taken and without effect here.
  prompt: z.unknown().optional(),
  reasoning: z.unknown().optional(),
  tracing: z.unknown().optional(),
  truncation: z.unknown().optional(),
});

/** How a session is set up; wire names, because it goes back to the client as it is. */
export interface Settings {
  type: 'realtime' | 'transcription';
  audio: {
    input: {
      format: z.infer<typeof Format>;
      transcription: z.infer<typeof Transcription> | null;
      turn_detection: ServerVad | null;
      noise_reduction: unknown;
    };
    output?: Required<z.infer<typeof Output>>;
  };
  include: string[] | null;
  model?: string;
  instructions?: string;
  output_modalities?: ['audio' | 'text'];
  tools?: Tool[];
  tool_choice?: unknown;
  max_output_tokens?: number | 'inf';
}

const PCM = { type: 'audio/pcm', rate: 24_000 } as const;

/** As the provider sets a session up before it is told anything. `model` null: for transcription. */
export const firstSettings = (model: string | null): Settings => {
  const vad = ServerVad.parse({ type: 'server_vad' });
  const input = { format: PCM, transcription: null, turn_detection: vad, noise_reduction: null };
  if (model === null) return { type: 'transcription', audio: { input }, include: null };
  return {
    type: 'realtime',
    model,
    instructions: '',
    output_modalities: ['audio'],
    audio: { input, output: { format: PCM, voice: 'marin', speed: 1 } },
    tools: [],
    tool_choice: 'auto',
    max_output_tokens: 'inf',
    include: null,
  };
};

const withoutUndefined = <Value extends object>(value: Value | undefined): Partial<Value> =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([, part]) => part !== undefined)) as Partial<Value>;

/** The settings with what `session.update` names in them changed. @throws EventProblem; then nothing is changed */
export const updateSettings = (settings: Settings, update: unknown): Settings => {
  const typed = z.looseObject({ type: z.enum(['realtime', 'transcription']) }).safeParse(update);
  if (!typed.success) throw problemOf(typed.error, 'session');
  if (typed.data.type !== settings.type)
    throw new EventProblem(
      'invalid_value',
      `Passing a ${typed.data.type} session update event to a ${settings.type} session is not allowed.`,
      'session.type',
    );
  const parsed = (settings.type === 'realtime' ? RealtimeUpdate : TranscriptionUpdate).safeParse(update);
  if (!parsed.success) throw problemOf(parsed.error, 'session');
  const { audio, ...rest } = parsed.data;
  const input = { ...settings.audio.input, ...withoutUndefined(audio?.input) };
  if (input.turn_detection && STREAMING.test(input.transcription?.model ?? ''))
    throw new EventProblem(
      'invalid_value',
      `Turn detection is not supported with the transcription model '${input.transcription?.model}'.`,
      'session.audio.input.turn_detection',
    );
  const { output } = settings.audio;
  const wanted = audio && 'output' in audio ? audio.output : undefined;
  return {
    ...settings,
    ...withoutUndefined(rest),
    audio: { input, ...(output && { output: { ...output, ...withoutUndefined(wanted) } }) },
  };
};

/** Text is sent while sound still comes in; otherwise after its commit. */
export const writesWhileSpoken = (settings: Settings): boolean =>
  STREAMING.test(settings.audio.input.transcription?.model ?? '');
