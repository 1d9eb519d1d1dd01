import type { z } from 'zod';
import type { FinalReply, PartialReply } from '../contracts/replies.ts';
import type { Transcript } from '../contracts/transcript.ts';
import type { SubmitTranscript } from './submit-transcript.ts';

export type TranscriptReply = FinalReply | z.infer<typeof PartialReply>;

/** 202: taken, and what it started goes on; 200: this is all that comes of it. */
export const statusOf = (reply: TranscriptReply): 200 | 202 =>
  reply.status === 'accepted' || reply.status === 'partial_received' ? 202 : 200;

/** What a transcript is answered, whichever way it came. @throws as `SubmitTranscript` */
export const answerTranscript = async (submit: SubmitTranscript, transcript: Transcript): Promise<TranscriptReply> => {
  if (transcript.is_final) return submit.final(transcript);
  submit.partial(transcript);
  return { status: 'partial_received' };
};
