import { z } from 'zod';
import { EDGE_PHASES } from '../contracts/names.ts';
import { VerifiedPayload } from '../contracts/trace-event.ts';
import type { TestRun } from '../contracts/task.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { oneLine } from '../platform/text.ts';

const LINE = 140;

/** `12 passed, 0 failed`, or the exit code where the output does not tell; `not run` for null. */
export const testRunText = (run: TestRun | null): string => {
  if (run === null) return 'not run';
  if (run.passed === null || run.failed === null) return `exit code ${run.exit_code}`;
  return `${run.passed} passed, ${run.failed} failed`;
};

const Turn = z.object({
  turn: z.number().optional(),
  text: z.string().default(''),
  tool_calls: z.array(z.string()).default([]),
});
const Tool = z.object({ summary: z.string().default('a tool'), unknown: z.boolean().default(false) });

const tokensText = (event: TraceEvent): string =>
  `${event.input_tokens ?? 0} tokens in, ${event.output_tokens ?? 0} out`;

/** What the edge tells of itself, where it is started here. */
const TOLD_BY_EDGE: ReadonlySet<string> = new Set([...EDGE_PHASES, 'partial']);

const WORDS: Partial<Record<TraceEvent['phase'], string>> = {
  received: 'heard',
  routed: 'understood',
  submitted: 'handed to Temporal',
  running: 'started',
  approval_requested: 'waits for a person',
};

/** What one event tells, without who it is about; null when the line before it said so already. */
const story = (event: TraceEvent): string | null => {
  const { phase, payload } = event;
  if (TOLD_BY_EDGE.has(phase)) return null;
  if (phase === 'model_turn') {
    const { turn, text, tool_calls: calls } = Turn.parse(payload);
    return `turn ${turn ?? ''} (${tokensText(event)}): ${calls.length > 0 ? calls.join('; ') : text}`;
  }
  if (phase === 'tool_call') {
    const { summary, unknown } = Tool.parse(payload);
    if (!unknown && event.error_type === null) return null;
    return `  ${summary}: ${unknown ? 'outcome unknown' : 'failed'}`;
  }
  if (phase === 'verified') {
    const verified = VerifiedPayload.safeParse(payload);
    if (!verified.success) return 'tests looked at';
    const { before, after, status } = verified.data;
    return `tests before: ${testRunText(before)}; after: ${testRunText(after)} (${status})`;
  }
  const words = WORDS[phase] ?? phase;
  return event.error_type === null ? words : `${words}: ${event.error_type}`;
};

/**
 * One short line a trace event, for a person who watches: `coding 1   turn 2 (812 tokens in, 90 out): edit src/api.ts`.
 * null for a tool that worked: its turn has named it.
 */
export const progressLine = (event: TraceEvent): string | null => {
  const job = event.job_id === null ? 'task' : `${event.agent ?? 'job'} ${event.job_id.split('-').at(-1)}`;
  const told = story(event);
  if (told === null) return null;
  const indent = told.startsWith('  ') ? '  ' : '';
  return `  ${job.padEnd(12)} ${indent}${oneLine(told, LINE)}`;
};
