import { isAbort, messageOf } from '../platform/errors.ts';
import { delay, unlessAborted } from '../platform/lifecycle.ts';
import { oneLine, previewBytes } from '../platform/text.ts';
import type { ConversationTools, ToolCall } from './conversation-tools.ts';
import { isHarmless, readToolCall } from './conversation-tools.ts';
import type { OutputItem } from './realtime-events.ts';
import type { Turn } from './conversation-turns.ts';

/** Bytes of one answer; the model is to speak it, not to study it. */
const MAX_ANSWER_BYTES = 4_000;

/** Milliseconds. */
export interface CallLimits {
  /** For one call. */
  callMs: number;
  /** A call that does something waits so long for the text of what was said. */
  textMs: number;
}

interface OpenCall {
  name: string;
  callId: string;
  arguments: string;
}

export interface CallDeps {
  tools: ConversationTools;
  limits: CallLimits;
  signal: AbortSignal;
}

/**
 * Nothing is done for a turn whose text is not known: the speaker's own "stop" is in the text, and acts first.
 * @throws Error that tells the model why not
 */
const mayAct = async (turn: Turn | null, { limits, signal }: CallDeps): Promise<Turn> => {
  if (!turn) throw new Error('the speaker did not ask for anything just now; wait until they do');
  if (turn.text === undefined) {
    const late = new AbortController();
    await Promise.race([
      turn.known,
      delay(limits.textMs, AbortSignal.any([signal, late.signal])).catch(() => undefined),
    ]);
    late.abort();
  }
  if (turn.hushed) throw new Error('the speaker said to be silent; nothing was done, and nothing is to be said');
  if (!turn.text) throw new Error('what the speaker said could not be written down; ask them to say it again');
  return turn;
};

const submit = async (turn: Turn, text: string, tools: ConversationTools, signal: AbortSignal): Promise<string> => {
  if (turn.submitted)
    throw new Error('what the speaker said last was handed over already; the next can be when they say it');
  turn.submitted = true;
  try {
    return await unlessAborted(tools.submitTask(turn.utteranceId, text, signal), signal);
  } catch (error) {
    // Given up waiting for: whether it was handed over is not known, so it counts as if it was.
    if (!signal.aborted && !isAbort(error)) turn.submitted = false;
    throw error;
  }
};

const carryOut = async (call: ToolCall, turn: Turn | null, deps: CallDeps): Promise<string> => {
  const { tools } = deps;
  const actsFor = isHarmless(call) ? null : await mayAct(turn, deps);
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(deps.limits.callMs)]);
  switch (call.name) {
    case 'submit_task':
      return actsFor ? submit(actsFor, call.args.text, tools, signal) : '';
    case 'task_status':
      return unlessAborted(tools.taskStatus(call.args.trace_id ?? null, signal), signal);
    case 'cancel_task':
      return unlessAborted(tools.cancelTask(call.args.trace_id ?? null, call.args.reason ?? null, signal), signal);
    case 'approve': {
      const { job_id: jobId, approval_id: approvalId, decision, note = null } = call.args;
      return unlessAborted(tools.approve({ jobId, approvalId, decision, note }, signal), signal);
    }
  }
};

/** Does what the model called for, and answers it; whatever goes wrong is an answer, too. */
const answerCall = async (call: OpenCall, turn: Turn | null, deps: CallDeps): Promise<string> => {
  try {
    return previewBytes(await carryOut(readToolCall(call.name, call.arguments), turn, deps), MAX_ANSWER_BYTES);
  } catch (error) {
    return JSON.stringify({ error: oneLine(messageOf(error), 400) });
  }
};

export interface ModelCallsOptions extends CallDeps {
  /** What came of a call; the call's own name where the session that made it is still there. */
  answered(call: { name: string; callId: string }, output: string, session: number): void;
  /** All that was called for is done. */
  done(turn: Turn | null): void;
}

/** What the model calls for: collected while it answers, done when the answer is complete. */
export class ModelCalls {
  readonly #options: ModelCallsOptions;
  readonly #open = new Map<string, OpenCall>();

  constructor(options: ModelCallsOptions) {
    this.#options = options;
  }

  /** Takes note of an item the model made, if it is a call; twice is once. */
  take({ type, name, call_id: callId, arguments: args }: OutputItem): void {
    if (type !== 'function_call' || !name || !callId) return;
    this.#open.set(callId, { name, callId, arguments: args ?? '' });
  }

  clear(): void {
    this.#open.clear();
  }

  /** Does what was called for in `session`, one after another; false: nothing was. */
  run(turn: Turn | null, session: number): boolean {
    const calls = [...this.#open.values()];
    this.#open.clear();
    if (calls.length > 0) void this.#run(calls, turn, session);
    return calls.length > 0;
  }

  async #run(calls: readonly OpenCall[], turn: Turn | null, session: number): Promise<void> {
    if (turn) turn.running += 1;
    for (const call of calls) this.#options.answered(call, await answerCall(call, turn, this.#options), session);
    if (turn) turn.running -= 1;
    if (!this.#options.signal.aborted) this.#options.done(turn);
  }
}
