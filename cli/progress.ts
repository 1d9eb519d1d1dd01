import { z } from 'zod';
import { VerifiedPayload } from '../contracts/trace-event.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { oneLine } from '../platform/text.ts';
import { testRunOf, thousands } from './words.ts';

/** Characters of one progress line. */
const LINE_CHARS = 110;

const Turn = z.looseObject({
  turn: z.number().optional(),
  text: z.string().default(''),
  tool_calls: z.array(z.string()).default([]),
});
const Tool = z.looseObject({ summary: z.string().default('a tool'), unknown: z.boolean().default(false) });
const Asked = z.looseObject({
  kind: z.string().default('approval'),
  tool: z.string().nullable().default(null),
  summary: z.string().default(''),
});
const Message = z.looseObject({
  message: z.string().nullish(),
  instruction: z.string().nullish(),
  note: z.string().nullish(),
});

/** Payloads come from a file: what does not have its form tells nothing, and never ends the showing. */
const read = <T>(schema: z.ZodType<T>, payload: unknown, otherwise: T): T =>
  schema.safeParse(payload).data ?? otherwise;

const bought = ({ input_tokens, output_tokens }: TraceEvent): string =>
  `${thousands(input_tokens ?? 0)} tokens in, ${thousands(output_tokens ?? 0)} out`;

const storyOf = (event: TraceEvent): string | null => {
  const { phase, payload, job_id: jobId } = event;
  switch (phase) {
    case 'captured':
    case 'speech_start':
    case 'first_partial':
    case 'final':
    case 'spooled':
    case 'acked':
    case 'partial':
    case 'received':
    case 'routed':
    case 'clarify':
    case 'declined':
    case 'control':
      return null; // said already, or no part of a task's own story
    case 'submitted':
      return `handed over: ${read(Message, payload, {}).instruction ?? ''}`;
    case 'running':
      return 'started';
    case 'model_turn': {
      const { turn, text, tool_calls: calls } = read(Turn, payload, { text: '', tool_calls: [] });
      return `turn ${turn ?? '?'} (${bought(event)}): ${calls.length > 0 ? calls.join('; ') : text || 'nothing said'}`;
    }
    case 'tool_call': {
      const { summary, unknown } = read(Tool, payload, { summary: 'a tool', unknown: false });
      return `  ${summary}${unknown ? ': outcome unknown' : event.error_type === null ? '' : ': failed'}`;
    }
    case 'approval_requested': {
      const { kind, tool, summary } = read(Asked, payload, { kind: 'approval', tool: null, summary: '' });
      const answer = kind === 'budget' ? `dual budget ${jobId} USD` : `dual approve ${jobId}   (or --reject)`;
      return `waits for a person: ${oneLine(summary || tool || kind, 60)}; ${answer}`;
    }
    case 'verified': {
      const verified = VerifiedPayload.safeParse(payload);
      if (!verified.success) return 'tests looked at';
      const { before, after, status } = verified.data;
      return `tests before: ${testRunOf(before)}; after: ${testRunOf(after)} (${status})`;
    }
    default: {
      const message = read(Message, payload, {}).message ?? '';
      return `${phase}${event.error_type === null ? '' : ` (${event.error_type})`}${jobId !== null && message ? `: ${message}` : ''}`;
    }
  }
};

/** One short line a trace event, for a person who watches; null for what is not worth one. */
export const progressLine = (event: TraceEvent): string | null => {
  const story = storyOf(event);
  if (story === null) return null;
  const who = event.job_id === null ? 'task' : `${event.agent ?? 'job'} ${event.job_id.split('-').at(-1) ?? ''}`;
  const indent = story.startsWith('  ') ? '  ' : '';
  const wide = event.phase === 'approval_requested' ? 400 : LINE_CHARS;
  return `${who.padEnd(12)} ${indent}${oneLine(story, wide)}`;
};
