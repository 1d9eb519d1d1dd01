import { AcceptedReply, ClarifyReply, ControlReply, DeclinedReply, PartialReply } from '../../contracts/replies.ts';
import { TaskRequest, Transcript } from '../../contracts/transcript.ts';
import { z } from 'zod';
import { answerTranscript, statusOf } from '../answer-transcript.ts';
import type { TranscriptReply } from '../answer-transcript.ts';
import { defineRoute } from '../route.ts';
import type { Reply, Route } from '../route.ts';
import type { SubmitTranscript } from '../submit-transcript.ts';

const replyOf = (reply: TranscriptReply): Reply => ({ status: statusOf(reply), json: reply });

const ANSWERED = {
  description: 'A final that started nothing: declined, a question, or a control word that was carried out',
  schema: z.discriminatedUnion('status', [DeclinedReply, ClarifyReply, ControlReply]),
};
const PROBLEMS = ['unavailable', 'storage-unavailable'] as const;

/** What people say, and programs on their behalf. */
export const transcriptRoutes = (submit: SubmitTranscript): Route[] => [
  defineRoute({
    method: 'post',
    path: '/transcript',
    summary: 'What was heard; a final one that is an order becomes a durable task before the answer',
    body: Transcript,
    replies: {
      200: ANSWERED,
      202: {
        description: 'A partial was received, or a final was understood and its task is durable',
        schema: z.discriminatedUnion('status', [PartialReply, AcceptedReply]),
      },
    },
    problems: [...PROBLEMS, 'utterance-conflict', 'too-old'],
    handle: async ({ body }) => replyOf(await answerTranscript(submit, body)),
  }),
  defineRoute({
    method: 'post',
    path: '/task',
    summary: 'As a final transcript, from a program; `context` is told to the agents',
    body: TaskRequest,
    replies: { 200: ANSWERED, 202: { description: 'Understood; the task is durable', schema: AcceptedReply } },
    problems: PROBLEMS,
    handle: async ({ body: { utterance, context, metadata } }) =>
      replyOf(await submit.final({ text: utterance, context, metadata })),
  }),
];
