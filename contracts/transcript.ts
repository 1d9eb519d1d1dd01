import { z } from 'zod';

/** Minted by the edge at the onset of speech; globally unique. */
export const UtteranceId = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);
export type UtteranceId = z.infer<typeof UtteranceId>;

/** Characters of speech in one transcript. About ten minutes of fast talk. */
export const MAX_TEXT = 8_000;

/** The body of `POST /transcript`. `latency_ms` and `timestamp` describe the capture; `sequence` orders a session. */
export const Transcript = z.strictObject({
  text: z.string().max(MAX_TEXT),
  is_final: z.boolean(),
  latency_ms: z.number().nonnegative().max(86_400_000).optional(),
  timestamp: z.union([z.iso.datetime({ offset: true }), z.number().nonnegative()]).optional(),
  utterance_id: UtteranceId.optional(),
  session_id: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/)
    .optional(),
  sequence: z.number().int().nonnegative().optional(),
  revision: z.number().int().nonnegative().optional(),
});
export type Transcript = z.infer<typeof Transcript>;

/** The body of `POST /task`. */
export const TaskRequest = z.strictObject({
  utterance: z.string().max(MAX_TEXT),
  metadata: z.record(z.string().max(64), z.string().max(1_000)).optional(),
  context: z.string().max(MAX_TEXT).optional(),
});
export type TaskRequest = z.infer<typeof TaskRequest>;
