import { z } from 'zod';
import { JobId, TraceId } from '../contracts/task.ts';
import { MAX_TEXT } from '../contracts/transcript.ts';
import type { FunctionTool } from './realtime-events.ts';

/** What a model in conversation can do; each answers in words, for the model. @throws Error in words, likewise */
export interface ConversationTools {
  /** The one way a final leaves in a conversation. */
  submitTask(utteranceId: string, text: string, signal: AbortSignal): Promise<string>;
  /** `traceId` null: what was asked for last. */
  taskStatus(traceId: string | null, signal: AbortSignal): Promise<string>;
  cancelTask(traceId: string | null, reason: string | null, signal: AbortSignal): Promise<string>;
  approve(approval: SpokenApproval, signal: AbortSignal): Promise<string>;
}

export interface SpokenApproval {
  jobId: string;
  approvalId: string;
  decision: 'approve' | 'reject';
  note: string | null;
}

const words = z.string().trim().min(1);
const SubmitTask = z.strictObject({ text: words.max(MAX_TEXT) });
const TaskStatus = z.strictObject({ trace_id: TraceId.nullish() });
const CancelTask = z.strictObject({ trace_id: TraceId.nullish(), reason: words.max(400).nullish() });
const Approve = z.strictObject({
  job_id: JobId,
  approval_id: z.string().min(1).max(200),
  decision: z.enum(['approve', 'reject']),
  note: words.max(400).nullish(),
});

/** A call as the model made it, read. */
const ToolCall = z.discriminatedUnion('name', [
  z.object({ name: z.literal('submit_task'), args: SubmitTask }),
  z.object({ name: z.literal('task_status'), args: TaskStatus }),
  z.object({ name: z.literal('cancel_task'), args: CancelTask }),
  z.object({ name: z.literal('approve'), args: Approve }),
]);
export type ToolCall = z.infer<typeof ToolCall>;
type ToolName = ToolCall['name'];

const DESCRIPTIONS: Readonly<Record<ToolName, string>> = {
  submit_task:
    'Hands an order over to the agents: code to be changed, a website to be looked at, a summary to be written. `text` is the whole order in the words of the speaker. Once for each thing the speaker says.',
  task_status: 'How a task is getting on. Without trace_id: the one that was asked for last.',
  cancel_task: 'Stops a task. Without trace_id: the one that was asked for last. Only when the speaker asks for it.',
  approve:
    'Passes on what the speaker decided about a question of an agent. Only with the job_id and approval_id of that question, and only after the speaker said yes or no to it.',
};

/** What the session is told it may call. */
export const FUNCTION_TOOLS: readonly FunctionTool[] = ToolCall.options.map(({ shape }) => {
  const { value: name } = shape.name;
  const { $schema: _draft, ...parameters } = z.toJSONSchema(shape.args, { io: 'input' });
  return { type: 'function', name, description: DESCRIPTIONS[name], parameters };
});

/** @throws Error that says to the model what was wrong with its call */
export const readToolCall = (name: string, argumentsText: string): ToolCall => {
  const known = FUNCTION_TOOLS.map((tool) => tool.name);
  if (!known.includes(name)) throw new Error(`there is no function ${name}; there are ${known.join(', ')}`);
  let args: unknown;
  try {
    args = JSON.parse(argumentsText === '' ? '{}' : argumentsText);
  } catch {
    throw new Error('the arguments are not JSON');
  }
  const parsed = ToolCall.safeParse({ name, args });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.slice(1).join('.') || 'the arguments'}: ${issue?.message ?? 'not valid'}`);
};

/** Only tells; needs nobody's word. */
export const isHarmless = ({ name }: ToolCall): boolean => name === 'task_status';
