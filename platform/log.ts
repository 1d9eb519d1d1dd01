import { pino } from 'pino';
import type { Logger } from 'pino';
import type { Scrub } from './secrets.ts';

export type Log = Logger;

/**
 * JSON lines on standard error. Messages are static, values are fields, personal words carry the prefix `pii.`.
 * Every line passes `scrub`: by value, since redacting by key misses what sits in messages and stacks.
 */
export const createLog = (
  process_: string,
  scrub: Scrub,
  level = 'info',
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log =>
  pino(
    { name: process_, level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => write(scrub(line)) },
  );
