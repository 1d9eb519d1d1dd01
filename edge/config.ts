import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../platform/env.ts';
import { fromRoot, parseEnvironment } from '../platform/env.ts';
import { codeOf, ConfigError } from '../platform/errors.ts';
import models from '../platform/models.json' with { type: 'json' };

const path = z.string().transform(fromRoot);
const onOff = z
  .enum(['on', 'off', 'true', 'false', '1', '0'])
  .transform((value) => ['on', 'true', '1'].includes(value));
const milliseconds = (least: number, most: number, fallback: number): z.ZodType<number> =>
  z.coerce.number().int().min(least).max(most).default(fallback);

const Schema = z.object({
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_REALTIME_URL: z.url({ protocol: /^wss?$/ }).optional(),
  REHEARSAL_URL: z.url({ protocol: /^https?$/ }).optional(),
  REALTIME_MODEL: z.string().max(100).default(models.realtime.name),
  TRANSCRIPTION_MODEL: z.string().max(100).optional(),
  WSL_GATEWAY_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8080'),
  GATEWAY_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/)
    .optional(),
  GATEWAY_TOKEN_FILE: path.default(fromRoot('data/gateway-token')),
  DATA_DIR: path.default(fromRoot('data')),
  TRACE_DIR: path.default(fromRoot('logs/traces')),
  EDGE_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(9_466),
  MICROPHONE: z.enum(['auto', 'native', 'sox', 'rec', 'arecord']).default('auto'),
  MICROPHONE_DEVICE: z.string().max(200).optional(),
  SPEAKER: z.enum(['auto', 'native', 'sox', 'aplay', 'ffplay', 'off']).default('auto'),
  VOICE: z.enum(['auto', 'espeak-ng', 'flite', 'sapi', 'say', 'off']).default('auto'),
  SPEECH_DETECTOR: z.enum(['silero', 'webrtc']).default('silero'),
  TURN_DETECTION: z.enum(['local', 'server']).default('local'),
  BARGE_IN: onOff.default(true),
  PRE_ROLL_MS: milliseconds(300, 500, 400),
  HANG_OVER_MS: milliseconds(100, 3_000, 300),
  MAX_UTTERANCE_MS: milliseconds(5_000, 300_000, 60_000),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('warn'),
});

/** A URL without a key gets this one: stand-ins want a header, not a secret. */
const DUMMY_KEY = 'no-key';
/** The rehearsal models speak Realtime here. */
const REALTIME_PATH = '/v1/realtime';

/** Where speech is recognised. `rehearsal`: nothing is set, so a rehearsal server must be started first. */
export type RealtimeTarget = { kind: 'rehearsal' } | GivenTarget;
/** `url` null: the provider itself. */
export interface GivenTarget {
  kind: 'given';
  url: string | null;
  apiKey: string;
}

const realtimeOf = (set: z.infer<typeof Schema>): RealtimeTarget => {
  if (set.OPENAI_API_KEY || set.OPENAI_REALTIME_URL)
    return { kind: 'given', url: set.OPENAI_REALTIME_URL ?? null, apiKey: set.OPENAI_API_KEY ?? DUMMY_KEY };
  return set.REHEARSAL_URL ? rehearsalTarget(set.REHEARSAL_URL) : { kind: 'rehearsal' };
};

/** The Realtime address of a rehearsal server that listens at `url`. */
export const rehearsalTarget = (url: string): GivenTarget => ({
  kind: 'given',
  url: `${url.replace(/\/+$/, '').replace(/^http/, 'ws')}${REALTIME_PATH}`,
  apiKey: DUMMY_KEY,
});

export type EdgeConfig = ReturnType<typeof loadEdgeConfig>;

/**
 * The edge's settings, parsed once. A port of 0 means any free one.
 * @throws ConfigError naming the variable, never its value.
 */
export const loadEdgeConfig = (environment: Environment) => {
  const set = parseEnvironment(Schema, environment);
  return {
    realtime: realtimeOf(set),
    realtimeModel: set.REALTIME_MODEL,
    transcriptionModel:
      set.TRANSCRIPTION_MODEL ??
      (set.TURN_DETECTION === 'server' ? models.transcription.server_turns : models.transcription.name),
    /** Of the model that converses. */
    realtimeVoice: models.realtime.voice,
    /** Without a slash at its end. */
    gatewayUrl: set.WSL_GATEWAY_URL.replace(/\/+$/, ''),
    /** @throws ConfigError when neither GATEWAY_TOKEN nor the token file tells. */
    gatewayToken: (): string => set.GATEWAY_TOKEN ?? tokenIn(set.GATEWAY_TOKEN_FILE),
    spoolDir: join(set.DATA_DIR, 'edge', 'spool'),
    traceDir: set.TRACE_DIR,
    metricsPort: set.EDGE_METRICS_PORT,
    microphone: set.MICROPHONE,
    /** null: the system's default. */
    device: set.MICROPHONE_DEVICE ?? null,
    speaker: set.SPEAKER,
    voice: set.VOICE,
    detector: set.SPEECH_DETECTOR,
    turnDetection: set.TURN_DETECTION,
    /** Speech of the person ends what is being said. */
    bargeIn: set.BARGE_IN,
    preRollMs: set.PRE_ROLL_MS,
    hangOverMs: set.HANG_OVER_MS,
    maxUtteranceMs: set.MAX_UTTERANCE_MS,
    logLevel: set.LOG_LEVEL,
  };
};

const tokenIn = (file: string): string => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'is not there' : `cannot be read (${codeOf(error)})`;
    throw new ConfigError(
      'GATEWAY_TOKEN',
      `not set, and the token file ${why}; start the gateway once (make dev), then copy data/gateway-token from WSL into GATEWAY_TOKEN of .env.local`,
    );
  }
  if (!/^[\x21-\x7e]{1,512}$/.test(text)) throw new ConfigError('GATEWAY_TOKEN_FILE', 'holds no token on one line');
  return text;
};
