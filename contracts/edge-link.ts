import { z } from 'zod';
import { FinalReply, Problem } from './replies.ts';
import { TraceEvent } from './trace-event.ts';
import { Transcript, UtteranceId } from './transcript.ts';

/** Where the edge and the gateway meet; a bearer token travels in the upgrade's `Authorization` header. */
export const EDGE_LINK_PATH = '/ws/edge';
/** Each side pings this often; a side that has heard nothing for two of them ends the connection. */
export const LINK_PING_MS = 15_000;
/** Bytes of one message, either way up; as a body over HTTP. */
export const MAX_LINK_MESSAGE_BYTES = 64 * 1024;

/** One start of the edge. */
export const SessionId = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

/** First on every connection. `after`: the `event_id` seen last, null for none; events behind it are sent again. */
export const LinkHello = z.strictObject({
  type: z.literal('hello'),
  session_id: SessionId,
  after: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
});
export type LinkHello = z.infer<typeof LinkHello>;

/** A transcript as `POST /transcript` takes it; here it must have an id, which its answer names. */
export const LinkTranscript = Transcript.extend({ type: z.literal('transcript'), utterance_id: UtteranceId });
export type LinkTranscript = z.infer<typeof LinkTranscript>;

/** What the edge sends up. */
export const LinkUp = z.discriminatedUnion('type', [LinkHello, LinkTranscript]);
export type LinkUp = z.infer<typeof LinkUp>;

/** A final was taken: `status` and `reply` as over HTTP. Partials are not acknowledged. */
export const LinkAck = z.strictObject({
  type: z.literal('ack'),
  utterance_id: UtteranceId,
  status: z.number().int().min(200).max(299),
  reply: FinalReply,
});
export type LinkAck = z.infer<typeof LinkAck>;

/** Something that happened to a task of this session, or to one whose transcript came over this connection. */
export const LinkEvent = TraceEvent.extend({ type: z.literal('event') });
export type LinkEvent = z.infer<typeof LinkEvent>;

/** Why a message was not taken; `utterance_id` is null where it named none. `status` as over HTTP. */
export const LinkError = z.strictObject({
  type: z.literal('error'),
  utterance_id: UtteranceId.nullable(),
  status: z.number().int().min(400).max(599),
  retry_after_ms: z.number().int().nonnegative().optional(),
  problem: Problem,
});
export type LinkError = z.infer<typeof LinkError>;

/** What the gateway sends down. */
export const LinkDown = z.discriminatedUnion('type', [LinkAck, LinkEvent, LinkError]);
export type LinkDown = z.infer<typeof LinkDown>;
