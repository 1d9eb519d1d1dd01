import type { Activities, RunToolsInput } from '../contracts/activities.ts';
import { OperationError } from '../platform/errors.ts';
import type { Scrub } from '../platform/secrets.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { Conversation } from './conversation.ts';
import type { Control } from './environment.ts';
import type { Entry, ToolCall, ToolResult } from './models/model.ts';
import { attemptFacts } from './record-turn.ts';
import { runActivity } from './run-activity.ts';
import type { Environments } from './sessions.ts';
import { environmentOf } from './sessions.ts';

export interface RunToolsDependencies {
  environments: Environments;
  conversation: Conversation;
  traceLog: TraceLog;
  scrub: Scrub;
}

/** A result that needs no environment: the call is not to run. */
const answered = (call: ToolCall, text: string, isError: boolean): ToolResult => ({
  call_id: call.id,
  name: call.name,
  content: [{ type: 'text', text }],
  is_error: isError,
  unknown: false,
  summary: text.slice(0, 120),
  url: null,
  confirmed: false,
});

/** The calls of the last answer. @throws OperationError BadInput when the chain does not end in one. */
const callsOf = (entries: readonly Entry[]): ToolCall[] => {
  const last = entries.at(-1);
  if (last?.role !== 'assistant' || last.tool_calls.length === 0)
    throw new OperationError('BadInput', 'the conversation does not end in tool calls');
  return last.tool_calls;
};

/** What is answered without the environment: a person's no, calls beyond the brief, a report beside other calls. */
const answerWithout = (input: RunToolsInput, call: ToolCall): ToolResult | null => {
  const denied = input.denied.find(({ id }) => id === call.id);
  if (denied)
    return answered(
      call,
      `A person did not approve this${denied.note ? `: ${denied.note.replace(/[.\s]+$/, '')}` : ''}. Do not try it again; find another way or report.`,
      true,
    );
  if (!input.calls.some(({ id }) => id === call.id))
    return answered(call, `Not run: at most ${input.calls.length} calls in one answer.`, true);
  if (call.name === 'report') return answered(call, 'Noted. Call report again, alone, when everything is done.', false);
  return null;
};

/** One batch of tool calls, in order, and their results as the next node of the conversation. */
export const createRunTools = (deps: RunToolsDependencies): Activities['runTools'] => {
  const run = async (input: RunToolsInput, control: Control): ReturnType<Activities['runTools']> => {
    const started = performance.now();
    const calls = callsOf(await deps.conversation.read(input.head));
    const ready = calls.map((call) => answerWithout(input, call));
    const batch = await environmentOf(deps.environments, input.session.environment).runTools(
      {
        sessionId: input.session.session_id,
        jobId: input.job_id,
        turn: input.turn,
        calls: calls.filter((_, at) => ready[at] === null),
        confirmed: input.confirmed,
        checkpoint: input.checkpoint,
      },
      control,
    );
    const ran = new Map(batch.results.map((result) => [result.call_id, result]));
    const results = calls.map(
      (call, at) => ready[at] ?? ran.get(call.id) ?? answered(call, 'This tool gave no result.', true),
    );
    const head = await deps.conversation.append(input.head, [{ role: 'tools', results }]);
    const facts = attemptFacts();
    results.forEach((result, at) =>
      deps.traceLog.write({
        trace_id: input.trace_id,
        job_id: input.job_id,
        phase: 'tool_call',
        key: `${input.turn}.${at}`,
        agent: input.agent,
        skill: input.skill,
        ...facts,
        duration_ms: at === 0 ? performance.now() - started : null,
        error_type: result.is_error ? 'ToolFailed' : null,
        payload: {
          turn: input.turn,
          'gen_ai.tool.name': result.name,
          'gen_ai.tool.call.id': result.call_id,
          summary: result.summary,
          unknown: result.unknown,
          rehearsal: input.rehearsal,
        },
      }),
    );
    return {
      head,
      checkpoint: batch.checkpoint,
      failed: results.filter((result) => result.is_error).length,
      unknown: results.filter((result) => result.unknown).length,
    };
  };
  return (input) => runActivity(deps.scrub, (control) => run(input, control));
};
