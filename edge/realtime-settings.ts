import { ConfigError } from '../platform/errors.ts';
import type { FunctionTool, InputSettings, SessionSettings } from './realtime-events.ts';

/** Who finds where a sentence begins and ends: the gate on this machine, or the service. */
export type Turns = 'local' | 'server';

/** Models that write while the person speaks; they take no turn detection but the client's. */
const STREAMING = /^(gpt-live-transcribe|gpt-realtime-whisper)\b/;
/** Models that take hints: languages and words to expect. */
const HINTED = /^(gpt-live-transcribe|gpt-transcribe)\b/;
/** Sound the service keeps from before it noticed speech, and silence after which a turn is over; its own defaults. */
const PREFIX_MS = 300;
export const SERVER_SILENCE_MS = 500;
const PCM = { type: 'audio/pcm', rate: 24_000 } as const;

export interface InputOptions {
  transcriptionModel: string;
  turns: Turns;
  /** ISO 639-1; default: none named. */
  languages?: string[];
  /** Words to expect, for models that listen for them; default: none. */
  keywords?: string[];
}

const inputOf = ({ transcriptionModel, turns, languages, keywords }: InputOptions): InputSettings => {
  if (turns === 'server' && STREAMING.test(transcriptionModel))
    throw new ConfigError(
      'TRANSCRIPTION_MODEL',
      'this model writes while you speak and takes no TURN_DETECTION=server; gpt-transcribe does',
    );
  const hinted = HINTED.test(transcriptionModel);
  return {
    format: PCM,
    transcription: {
      model: transcriptionModel,
      ...(hinted && languages && languages.length > 0 && { languages }),
      ...(hinted && keywords && keywords.length > 0 && { keywords }),
    },
    turn_detection:
      turns === 'local'
        ? null
        : {
            type: 'server_vad',
            create_response: false,
            interrupt_response: false,
            prefix_padding_ms: PREFIX_MS,
            silence_duration_ms: SERVER_SILENCE_MS,
          },
  };
};

/** Settings of a session that writes down what it hears. @throws ConfigError where model and turns exclude each other */
export const transcriptionSettings = (options: InputOptions): SessionSettings => ({
  type: 'transcription',
  audio: { input: inputOf(options) },
});

/** Settings of a spoken conversation. Turns are always found here: what is said is looked at before a model acts. */
export const conversationSettings = (
  options: Omit<InputOptions, 'turns'> & { instructions: string; voice: string; tools: FunctionTool[] },
): SessionSettings => ({
  type: 'realtime',
  instructions: options.instructions,
  output_modalities: ['audio'],
  audio: { input: inputOf({ ...options, turns: 'local' }), output: { format: PCM, voice: options.voice } },
  tools: options.tools,
  tool_choice: 'auto',
});
