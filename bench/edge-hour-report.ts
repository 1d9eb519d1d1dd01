import { z } from 'zod';

/** What the process that hears for an hour is told. */
export const HourSettings = z.strictObject({
  wav: z.string(),
  /** Times that the file is heard. */
  rounds: z.number().int().positive(),
  realtimeUrl: z.string(),
  gatewayUrl: z.string(),
  token: z.string(),
  spoolDir: z.string(),
  traceDir: z.string(),
  /** Bytes that may wait for the recogniser before the next frame. */
  bufferedBytes: z.number(),
});
export type HourSettings = z.infer<typeof HourSettings>;

/** What it tells after each round, and once more when all is answered. */
export const HourMark = z.strictObject({
  round: z.number(),
  /** Of the whole process and its threads, since its start, without what looking at its memory costs. */
  cpuMs: z.number(),
  /** After a garbage collection. */
  rssBytes: z.number(),
  heapBytes: z.number(),
  outsideBytes: z.number(),
  capturedFrames: z.number(),
  sentFrames: z.number(),
  lostFrames: z.number(),
  ended: z.number(),
  finals: z.number(),
  acked: z.number(),
  errors: z.number(),
  problem: z.string(),
});
export type HourMark = z.infer<typeof HourMark>;
