import { z } from 'zod';
import type { FinalReply } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import type { ConversationTools } from './conversation-tools.ts';
import type { CallResult, GatewayCalls } from './gateway-calls.ts';

export interface ConverseDeps {
  calls: Pick<GatewayCalls, 'task' | 'cancel' | 'answerApproval'>;
  /** Hands an order over and resolves with the gateway's answer. */
  submit: (utteranceId: string, text: string) => Promise<FinalReply>;
}

/** The tools of a model that converses, and what it should know of the tasks it started. */
export interface Converse {
  tools: ConversationTools;
  /** For the model: what a task asks, with the ids that `approve` needs; null for other events. */
  questionOf(event: TraceEvent): string | null;
}

/** For the model, not for ears: it says it in its own words. */
const inWords = (reply: FinalReply): string => {
  switch (reply.status) {
    case 'accepted':
      return `Taken as trace_id ${reply.trace_id}: ${reply.jobs.map(({ agent, instruction }) => `${agent}: ${instruction}`).join('; ')}. It is running; you will be told how it ends.`;
    case 'declined':
      return `Not taken as an order: ${reply.reason}. Nothing was started.`;
    case 'clarify':
      return `A question must be answered first; ask it and submit the answer: ${reply.question}`;
    case 'control':
      return reply.message;
  }
};

const orThrow = <T>(result: CallResult<T>): T => {
  if (result.ok) return result.reply;
  throw new Error(result.problem.detail ?? result.problem.title);
};

const Asked = z.object({ approval_id: z.string(), summary: z.string().catch('') });

export const createConverse = ({ calls, submit }: ConverseDeps): Converse => {
  let last: string | null = null;
  const known = (traceId: string | null): string => {
    const id = traceId ?? last;
    if (id === null) throw new Error('nothing was asked for yet');
    return id;
  };

  return {
    tools: {
      submitTask: async (utteranceId, text) => {
        const reply = await submit(utteranceId, text);
        if (reply.status === 'accepted') last = reply.trace_id;
        return inWords(reply);
      },
      taskStatus: async (traceId, signal) => {
        const task = orThrow(await calls.task(known(traceId), signal));
        const jobs = task.jobs.map(
          ({ agent, status, summary }) => `${agent} ${status}${summary ? `: ${summary}` : ''}`,
        );
        return `${task.status}. ${jobs.join('; ')}`;
      },
      cancelTask: async (traceId, reason, signal) => {
        orThrow(await calls.cancel(known(traceId), reason ?? 'the speaker asked for it', signal));
        return 'It is being cancelled.';
      },
      approve: async ({ jobId, approvalId, decision, note }, signal) => {
        orThrow(await calls.answerApproval(jobId, { approvalId, decision, ...(note !== null && { note }) }, signal));
        return decision === 'approve' ? 'Approved; the agent goes on.' : 'Refused; the agent was told.';
      },
    },
    questionOf: ({ phase, job_id: jobId, agent, payload }) => {
      const asked = phase === 'approval_requested' && jobId !== null ? Asked.safeParse(payload).data : undefined;
      return asked
        ? `The ${agent ?? ''} agent waits for the speaker's decision (job_id ${jobId}, approval_id ${asked.approval_id}): ${asked.summary}. Ask the speaker.`
        : null;
    },
  };
};
