import { z } from 'zod';
import { SessionId } from '../contracts/edge-link.ts';
import { UtteranceId } from '../contracts/transcript.ts';
import type { FinalTranscript } from './forwarder.ts';

/** A final and the start of the edge that heard it. */
export interface SpooledFinal extends FinalTranscript {
  sessionId: string;
}

/** What a file of the spool holds. */
const SpoolFile = z.strictObject({
  v: z.literal(1),
  session_id: SessionId,
  sequence: z.number().int().nonnegative(),
  utterance_id: UtteranceId,
  text: z.string(),
  said_at: z.string(),
  latency_ms: z.number(),
});

export const encodeFinal = (final: SpooledFinal): string =>
  `${JSON.stringify({
    v: 1,
    session_id: final.sessionId,
    sequence: final.sequence,
    utterance_id: final.utteranceId,
    text: final.text,
    said_at: final.saidAt,
    latency_ms: final.latencyMs,
  } satisfies z.infer<typeof SpoolFile>)}\n`;

/** null: torn by a crash, or not ours. */
export const decodeFinal = (text: string): SpooledFinal | null => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const { data } = SpoolFile.safeParse(json);
  if (!data) return null;
  return {
    sessionId: data.session_id,
    sequence: data.sequence,
    utteranceId: data.utterance_id,
    text: data.text,
    saidAt: data.said_at,
    latencyMs: data.latency_ms,
  };
};

/** Digits of a sequence, and of a start's number, in names: listing order is their order. */
const SEQUENCE_DIGITS = 10;
const START_DIGITS = 8;

/** `<sequence>-<trace id>.json` */
export const fileName = (sequence: number, key: string): string =>
  `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}-${key}.json`;

/** Where a file is written before it gets its name. */
export const temporaryName = (name: string): string => `.${name}.tmp`;

const FILE = /^(\.?)(\d{10}-([0-9a-f]{32})\.json)(\.tmp)?$/;

/** null: not a name of ours. `name` is that of the final; `whole` is false where its writing had not ended. */
export const parseFileName = (found: string): { name: string; key: string; whole: boolean } | null => {
  const [, dot, name, key, temporary] = FILE.exec(found) ?? [];
  if (name === undefined || key === undefined || (dot === '.') !== (temporary !== undefined)) return null;
  return { name, key, whole: temporary === undefined };
};

/** `<number of the start>-<its random name>` */
export const folderName = (start: number, life: string): string =>
  `${String(start).padStart(START_DIGITS, '0')}-${life}`;

const FOLDER = /^(\d{8})-([0-9a-f]{16})$/;

export const parseFolderName = (found: string): { start: number; life: string } | null => {
  const [, start, life] = FOLDER.exec(found) ?? [];
  return start === undefined || life === undefined ? null : { start: Number(start), life };
};
