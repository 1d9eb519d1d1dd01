import { z } from 'zod';
import { RISKS } from '../contracts/skill.ts';
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

const Asked = z.object({
  approval_id: z.string(),
  kind: z.enum(['approval', 'budget']),
  summary: z.string().catch(''),
  risk: z.enum(RISKS).nullable().catch(null),
});

/** A question may be answered by voice for so long, as at the gateway. */
const SPOKEN_MS = 60_000;
/** Questions remembered; a person answers the newest. */
const MAX_QUESTIONS = 100;

export const createConverse = ({ calls, submit }: ConverseDeps): Converse => {
  let last: string | null = null;
  /** By approval id: what may be answered by voice, and when it was asked (`performance.now()`). */
  const questions = new Map<string, { askedAtMs: number; kind: 'approval' | 'budget'; irreversible: boolean }>();
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
      // The rules of an answer by voice are the gateway's; here it comes over HTTP, where a person is taken at their word.
      approve: async ({ jobId, approvalId, decision, note }, signal) => {
        const question = questions.get(approvalId);
        const elsewhere = `; the speaker can answer at the terminal: dual approve ${jobId}`;
        if (!question) throw new Error(`nothing under that approval_id was asked here${elsewhere}`);
        if (question.kind === 'budget') throw new Error(`money is not approved by voice${elsewhere}`);
        if (performance.now() - question.askedAtMs > SPOKEN_MS)
          throw new Error(`it was asked more than a minute ago${elsewhere}`);
        if (decision === 'approve' && question.irreversible)
          throw new Error(`what cannot be taken back is not approved by voice${elsewhere}`);
        orThrow(await calls.answerApproval(jobId, { approvalId, decision, ...(note !== null && { note }) }, signal));
        return decision === 'approve' ? 'Approved; the agent goes on.' : 'Refused; the agent was told.';
      },
    },
    questionOf: ({ phase, job_id: jobId, agent, payload }) => {
      const asked = phase === 'approval_requested' && jobId !== null ? Asked.safeParse(payload).data : undefined;
      if (!asked) return null;
      questions.set(asked.approval_id, {
        askedAtMs: performance.now(),
        kind: asked.kind,
        // An agent that does not say how bad it could be is not believed to be harmless.
        irreversible: asked.risk === null || asked.risk === 'irreversible',
      });
      if (questions.size > MAX_QUESTIONS) questions.delete(questions.keys().next().value ?? '');
      return `The ${agent ?? ''} agent waits for the speaker's decision (job_id ${jobId}, approval_id ${asked.approval_id}): ${asked.summary}. Ask the speaker.`;
    },
  };
};
