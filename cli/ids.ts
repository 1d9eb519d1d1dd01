import { JobId, TraceId } from '../contracts/task.ts';
import { UsageError } from './exit.ts';

/** A trace id, or the trace of a job id. @throws UsageError */
export const traceIdIn = (word: string): string => {
  if (TraceId.safeParse(word).success) return word;
  if (JobId.safeParse(word).success) return word.slice(0, 32);
  throw new UsageError(`"${word}" is no trace id: 32 hexadecimal characters, as dual traces lists them`);
};

/** @throws UsageError */
export const jobIdIn = (word: string): string => {
  if (JobId.safeParse(word).success) return word;
  throw new UsageError(`"${word}" is no job id: a trace id, a dash and a number, as dual trace ID shows them`);
};

/** Either, told apart. @throws UsageError */
export const idIn = (word: string): { kind: 'trace' | 'job'; id: string } =>
  JobId.safeParse(word).success ? { kind: 'job', id: word } : { kind: 'trace', id: traceIdIn(word) };
