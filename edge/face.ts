import type { FinalReply } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { oneLine } from '../platform/text.ts';
import type { EdgeEvent, EventSink } from './edge-events.ts';
import { liveLine } from './live-line.ts';
import type { LiveState } from './live-line.ts';

/** Times a second the live line is drawn anew; a level meter that lags is worse than none. */
const DRAWS_PER_SECOND = 12;
const LINE_CHARS = 300;

export interface FaceOptions {
  write: (text: string) => void;
  /** null: not a terminal; history alone is written, without a live line and colour. */
  columns: (() => number) | null;
  /** What is going on right now; asked for at every drawing. */
  state: () => LiveState;
}

export interface Face {
  event: EventSink;
  /** What is said to the person, as soon as it is to be said. */
  told(text: string): void;
  /** A line of our own: what was found, what to do. */
  say(text: string): void;
  close(): void;
}

const DIM = 2;
const BOLD = 1;
const RED = 31;

const acceptedText = (reply: FinalReply): string | null =>
  reply.status === 'accepted'
    ? `${reply.jobs.length === 1 ? 'one job' : `${reply.jobs.length} jobs`}: ${reply.jobs.map(({ agent, skill }) => (agent === skill ? agent : `${agent} (${skill})`)).join(', ')}`
    : null;

/** The end of a task, for the history; null for what happens before it. */
const endOf = ({ phase, job_id: jobId, payload }: TraceEvent): string | null => {
  if (jobId !== null || !['completed', 'failed', 'cancelled'].includes(phase)) return null;
  const { outcome } = payload;
  return typeof outcome === 'string' ? outcome.replaceAll('_', ' ') : phase;
};

/** The terminal: one live line, and above it what was said and what became of it. */
export const createFace = ({ write, columns, state }: FaceOptions): Face => {
  let shown = '';
  const paint = (code: number, text: string): string => (columns ? `\u001b[${code}m${text}\u001b[0m` : text);
  const clear = (): string => (shown === '' ? '' : '\r\u001b[2K');

  const draw = (): void => {
    if (!columns) return;
    const line = liveLine(state(), columns());
    if (line === shown) return;
    write(`${clear()}${line}`);
    shown = line;
  };
  const print = (text: string): void => {
    write(`${clear()}${text}\n`);
    shown = '';
    draw();
  };
  const row = (who: string, text: string, traceId?: string, code?: number): void => {
    const said = oneLine(text, LINE_CHARS);
    const trace = traceId === undefined ? '' : `  ${paint(DIM, traceId)}`;
    print(`${who.padEnd(6)} ${code === undefined ? said : paint(code, said)}${trace}`);
  };

  const timer = columns ? setInterval(draw, 1_000 / DRAWS_PER_SECOND) : undefined;
  timer?.unref();

  return {
    event: (event: EdgeEvent) => {
      switch (event.event) {
        case 'final':
          row('you', event.text === '' || event.text === undefined ? '(not understood)' : event.text, undefined, BOLD);
          return;
        case 'acked': {
          const text = event.reply ? acceptedText(event.reply) : null;
          if (text !== null) row('', `accepted, ${text}`, event.traceId);
          return;
        }
        case 'task': {
          const end = event.taskEvent ? endOf(event.taskEvent) : null;
          if (end !== null) row('', end, event.traceId);
          return;
        }
        case 'error':
          row('!', event.text ?? '', undefined, RED);
          return;
        default:
      }
    },
    told: (text) => row('dual', text),
    say: (text) => {
      for (const line of text.split('\n')) print(line);
    },
    close: () => {
      clearInterval(timer);
      write(clear());
      shown = '';
    },
  };
};
