import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { fromRoot } from '../platform/env.ts';
import { OperationError } from '../platform/errors.ts';
import { oneLine } from '../platform/text.ts';

/** A line of the edge's `--json`. */
const EdgeLine = z.looseObject({
  event: z.string(),
  at_ms: z.number(),
  audio_ms: z.number(),
  utterance_id: z.string().nullable(),
  trace_id: z.string().optional(),
  text: z.string().optional(),
});
type EdgeLine = z.infer<typeof EdgeLine>;

export interface EdgeRunOptions {
  /** The file it hears. */
  wav: string;
  env: Readonly<Record<string, string>>;
  /** What happens, for a person. */
  say: (text: string) => void;
  /** One line it wrote besides its events. */
  output: (line: string) => void;
}

export interface EdgeRun {
  /** The trace of the first sentence the gateway took. Rejects when the edge ends without one. */
  traceId: Promise<string>;
  /** The exit code of the edge. */
  ended: Promise<number>;
  /** Ends it: SIGTERM, and after `graceMs` SIGKILL. Repeatable. */
  stop(graceMs: number): Promise<void>;
  kill(): void;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

/** What a line means to a person who listens along; null for what is not worth a line. */
const storyOf = (line: EdgeLine, marks: ReadonlyMap<string, number>): string | null => {
  const since = (event: string): string => seconds(line.at_ms - (marks.get(event) ?? line.at_ms));
  const quoted = `"${oneLine(line.text ?? '', 200)}"`;
  switch (line.event) {
    case 'speech_start':
      return `edge      speech begins at ${seconds(line.audio_ms)} of the sound`;
    case 'first_partial':
      return `edge      first words after ${since('speech_start')}: ${quoted}`;
    case 'final':
      return `edge      heard ${quoted}, ${since('speech_end')} after the end of speech was noticed`;
    case 'acked':
      return `edge      the gateway took it ${since('final')} later: ${line.text ?? ''}`;
    case 'spoken':
      return `edge      says: ${quoted}`;
    case 'error':
      return `edge      ${oneLine(line.text ?? '', 200)}`;
    default:
      return null;
  }
};

/** One run of the voice edge that hears a file, as a person would start it, and tells what it does. */
export const runEdge = ({ wav, env, say, output }: EdgeRunOptions): EdgeRun => {
  const child = spawn(process.execPath, [fromRoot('edge/main.ts'), '--input', wav, '--once', '--json'], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const traceId = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<number>();
  traceId.promise.catch(() => undefined);
  const marks = new Map<string, number>();

  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (text) => {
    const line = EdgeLine.safeParse(text.startsWith('{') ? JSON.parse(text) : null);
    if (!line.success) return output(text);
    const story = storyOf(line.data, marks);
    if (story !== null) say(story);
    marks.set(line.data.event, line.data.at_ms);
    if (line.data.event === 'acked' && line.data.trace_id !== undefined) {
      if (line.data.text === 'accepted') traceId.resolve(line.data.trace_id);
      else traceId.reject(new OperationError('BadInput', `the sentence was not accepted: ${line.data.text ?? ''}`));
    }
  });
  createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', output);
  const end = (code: number, why: string): void => {
    traceId.reject(new OperationError('Internal', `the edge ${why} before a sentence was taken`));
    ended.resolve(code);
  };
  child.once('error', (error) => end(1, `cannot be started (${error.message})`));
  child.once('exit', (code, signal) => end(code ?? 1, signal === null ? `ended with code ${code}` : `got ${signal}`));

  return {
    traceId: traceId.promise,
    ended: ended.promise,
    stop: async (graceMs) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended.promise;
      clearTimeout(timer);
    },
    kill: () => void child.kill('SIGKILL'),
  };
};
